from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.usage.module_names import installed_modules, modules_of


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        (["six.py", "six-1.dist-info/RECORD", "__pycache__/six.pyc"], ("six",)),
        (["PIL/__init__.py", "PIL/Image.py", "PIL/x/__init__.py"], ("PIL",)),
        (["google/cloud/speech/__init__.py", "google/cloud/speech/a.py"], ("google.cloud.speech",)),
        (
            ["google/cloud/speech/__init__.py", "google/cloud/other/__init__.py"],
            ("google.cloud.other", "google.cloud.speech"),
        ),
        (["_x.cpython-312-x86_64-linux-gnu.so"], ("_x",)),
        (["space/a.py"], ("space.a",)),
        (["../../../bin/tool.py", "a-b/c.py", "readme.txt"], ()),
    ],
)
def test_modules_of_a_wheels_files(files: list[str], modules: tuple[str, ...]) -> None:
    assert modules_of(files) == modules


@pytest.mark.parametrize("place", ["lib/python3.12/site-packages", "Lib/site-packages"])
def test_an_environment_in_the_project_tells(place: str, tmp_path: Path) -> None:
    packages = tmp_path / ".venv" / place
    for name, record in {
        "Pillow-1.dist-info": "PIL/__init__.py,,\n",
        "broken-1.dist-info": "",
        "other-1.dist-info": "o.py,,",
    }.items():
        (packages / name).mkdir(parents=True)
        (packages / name / "RECORD").write_text(record)
    (packages / "nothing-1.dist-info").mkdir()
    asked = {"pillow", "broken", "nothing"}
    assert installed_modules(tmp_path, asked) == {}
    (tmp_path / ".venv/pyvenv.cfg").write_text("")
    assert installed_modules(tmp_path, asked) == {"pillow": ("PIL",)}
