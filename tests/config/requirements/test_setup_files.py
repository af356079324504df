from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.config.requirements.requirements_files import (
    read_pyproject,
    unread_packages,
    unread_sources,
)
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.errors import ProfileError
from tests.systems import posix_only


def read(folder: Path, *extras: str, groups: tuple[str, ...] = (), **texts: str) -> RequirementsFile:
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    found = read_pyproject(folder, extras, groups)
    assert found is not None
    return found


def asked(file: RequirementsFile) -> list[str]:
    return [f"{item.requirement} {item.origin}" for item in file.requirements]


CFG = """\
[metadata]
name = mine
description = uses torch
[options]
python_requires = >=3.11
install_requires =
    # comment
    torch
    numpy>=1 ; os_name == "nt"
[options.extras_require]
Web_UI = flask; rich
"""


def test_setup_cfg(tmp_path: Path) -> None:
    file = read(tmp_path, setup_cfg=CFG, setup_py="from setuptools import setup\nsetup()\n")
    assert asked(file) == ["torch setup.cfg:8", 'numpy>=1; os_name == "nt" setup.cfg:9']
    assert asked(read(tmp_path, "web-ui"))[2:] == ["flask setup.cfg:11", "rich setup.cfg:11"]
    assert file.requires_python
    assert (str(file.requires_python.specifier), file.requires_python.where) == (">=3.11", "setup.cfg:5")
    assert [(note.code, note.message) for note in file.notes] == [
        ("PRF109", "the dependencies are those of setup.cfg")
    ]
    with pytest.raises(ProfileError) as caught:
        read_pyproject(tmp_path, ["web"])
    assert caught.value.code == "PRF027"


def test_setup_cfg_names_requirements_files(tmp_path: Path) -> None:
    cfg = "[options]\ninstall_requires = file: a.txt, b.txt\n"
    file = read(tmp_path, setup_cfg=cfg, a_txt="six\n", b_txt="-c c.txt\nrich", c_txt="rich<14")
    assert asked(file) == ["six a.txt:1", "rich b.txt:2"]
    assert [str(item.requirement) for item in file.constraints] == ["rich<14"]


SETUP = """\
import setuptools
needed = [
    "torch",
    "numpy",
]
setuptools.setup(
    name="mine",
    python_requires=">=3.11",
    install_requires=needed,
    extras_require={"dev": ["ruff"]},
)
"""


def test_a_literal_setup_script_is_read_and_not_executed(tmp_path: Path) -> None:
    file = read(tmp_path, "dev", setup_py="open('ran', 'w')\n" + SETUP.replace("import", "import nowhere,"))
    assert asked(file) == ["torch setup.py:4", "numpy setup.py:5", "ruff setup.py:11"]
    assert file.requires_python
    assert file.requires_python.where == "setup.py:9"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change",
    [
        ("install_requires=needed", "install_requires=open('requirements.txt').read().split()"),
        ("    name=", "    **more, name="),
        ('"numpy",\n]\n', '"numpy",\n]\nneeded.append("six")\n'),
        ('"numpy",\n]\n', '"numpy",\n]\nif True:\n    needed = ["six"]\n'),
        ('    "numpy",', '    "numpy" + "x",'),
        ("import setuptools", "import setuptools ("),
    ],
)
def test_a_computed_list_is_not_read(tmp_path: Path, change: tuple[str, str]) -> None:
    assert change[0] in SETUP
    script = SETUP.replace(*change)
    (tmp_path / "setup.py").write_text(script, "utf-8")
    assert unread_sources(tmp_path) == ("setup.py",)
    if "**more" not in script:
        assert read_pyproject(tmp_path) is None


PIPFILE = """\
[[source]]
name = "pypi"
url = "https://pypi.ORG/simple"
verify_ssl = true
[[source]]
name = "own"
url = "https://packages.example/simple"
[[source]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu128"
[packages]
torch = {version = "*", index = "pytorch"}
six = "==1.16"
own = {version = ">=1", index = "own", sys_platform = "== 'linux'", extras = ["x"]}
[dev-packages]
pytest = "*"
[docs]
sphinx = "*"
[requires]
python_version = "3.12"
""".replace("ORG", "org")


def test_pipfile(tmp_path: Path) -> None:
    file = read(tmp_path, Pipfile=PIPFILE, requirements_txt="x")
    assert asked(file) == [
        "torch Pipfile:12",
        "six==1.16 Pipfile:13",
        'own[x]>=1; sys_platform == "linux" Pipfile:14',
    ]
    assert [(item.name, item.origin) for item in file.index_sources] == [("own", "Pipfile:14")]
    assert [(line.backend, line.project) for line in file.pytorch_lines] == [("cu128", "torch")]
    assert file.requires_python
    assert str(file.requires_python.specifier) == "==3.12.*"
    assert [note.message for note in file.notes] == [
        "the dependencies are those of Pipfile; not read: requirements.txt"
    ]
    assert asked(read(tmp_path, groups=("*",)))[3:] == ["pytest Pipfile:16", "sphinx Pipfile:18"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("utils = {svn = 'https://svn.example/utils', ref = 'abc'}", "PRF052"),
        ("utils = {version = '*', index = 'missing'}", "PRF052"),
        ("utils = '^1 || ^3'", "PRF020"),
        ("[requires]\npython_version = 'x'", "PRF005"),
        ("[[source]]\nname = 'own'\nurl = 'https://u:secret@packages.example/simple'", "PRF054"),
    ],
)
def test_what_a_pipfile_cannot_have(tmp_path: Path, line: str, code: str) -> None:
    (tmp_path / "Pipfile").write_text(f"[packages]\ntorch = '*'\n{line}\n", "utf-8")
    with pytest.raises(ProfileError) as caught:
        read_pyproject(tmp_path)
    assert (caught.value.code, caught.value.where.partition(":")[0]) == (code, "Pipfile")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("{path = 'libs/utils', editable = true}", "./libs/utils#editable=true"),
        ("{git = 'https://git.example/utils', ref = 'abc'}", "git+https://git.example/utils@abc"),
        ("{file = 'https://files.example/utils.zip'}", "https://files.example/utils.zip"),
    ],
)
def test_places_in_a_pipfile(tmp_path: Path, entry: str, url: str) -> None:
    (tmp_path / "Pipfile").write_text(f"[packages]\nutils = {entry}\n", "utf-8")
    assert asked(read(tmp_path)) == [f"utils @ {url} Pipfile:2"]


def test_the_first_declaration_counts(tmp_path: Path) -> None:
    read(tmp_path, setup_cfg=CFG, setup_py=SETUP, Pipfile=PIPFILE)
    assert {item.origin.partition(":")[0] for item in read(tmp_path).requirements} == {"setup.cfg"}
    project = "[project]\nname = 'mine'\n{}\n[tool.poetry.dependencies]\nsix = '1'\n"
    assert asked(read(tmp_path, pyproject_toml=project.format(""))) == ["six==1 pyproject.toml:5"]
    own = project.format("dependencies = ['rich']")
    assert asked(read(tmp_path, pyproject_toml=own)) == ["rich pyproject.toml:3"]


DYNAMIC = """\
[project]
name = "mine"
dynamic = ["dependencies", "optional-dependencies"]
[tool.setuptools.dynamic]
dependencies = {file = ["requirements.txt"]}
optional-dependencies.Dev = {file = "dev.txt"}
"""
HATCH = """\
[project]
name = "mine"
dynamic = ["dependencies", "optional-dependencies"]
[tool.hatch.metadata.hooks.requirements_txt]
files = ["requirements.txt"]
optional-dependencies.dev = ["dev.txt"]
"""


@pytest.mark.parametrize("text", [DYNAMIC, HATCH], ids=["setuptools", "hatch"])
def test_files_of_dynamic_dependencies(tmp_path: Path, text: str) -> None:
    file = read(tmp_path, "dev", pyproject_toml=text, requirements_txt="torch\n", dev_txt="\nruff\n")
    assert asked(file) == ["torch requirements.txt:1", "ruff dev.txt:2"]
    outside = text.replace("requirements.txt", "../requirements.txt")
    with pytest.raises(ProfileError) as caught:
        read(tmp_path, pyproject_toml=outside)
    assert (caught.value.code, caught.value.where[:17]) == ("PRF025", "pyproject.toml:5:")
    (tmp_path / "requirements.txt").unlink()
    with pytest.raises(ProfileError) as caught:
        read(tmp_path, pyproject_toml=text)
    assert (caught.value.code, caught.value.where[:17]) == ("PRF030", "pyproject.toml:5:")


def test_dynamic_dependencies_of_a_build(tmp_path: Path) -> None:
    text = '[build-system]\nbuild-backend = "flit_core.buildapi"\n[project]\nname = "x"\ndynamic = ["dependencies"]\n'
    with pytest.raises(ProfileError, match=r"after a build by flit_core\.buildapi"):
        read(tmp_path, pyproject_toml=text)
    assert asked(read(tmp_path, setup_cfg=CFG))[:1] == ["torch setup.cfg:8"]


@posix_only("symbolic links")
def test_a_file_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(CFG, "utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "setup.cfg").symlink_to("../outside")
    with pytest.raises(ProfileError, match="PRF025"):
        read_pyproject(project)


CONDA = """\
name: mine
channels:
  - pytorch
dependencies:
  - python=3.12
  - conda-forge::numpy>=1.26  # arrays
  - pytorch=2.3=py3.12_cuda12.1
  - pip
  - pip:
    - six==1.16
    - -r requirements.txt
  - scipy
variables:
  A: b
"""


def test_the_names_of_a_conda_environment(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text(CONDA, "utf-8")
    assert unread_sources(tmp_path) == ("environment.yml",)
    assert unread_packages(tmp_path) == (
        ("conda", "numpy, torch, scipy"),
        ("pip", "six==1.16, -r requirements.txt"),
    )
