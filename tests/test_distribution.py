"""The distribution is `envsmith-torch`: no committed file installs `envsmith`, another project on PyPI."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.distribution import NAME, strangers

ROOT = Path(__file__).parent.parent
# Put together here, so that this file can be searched, too.
OTHER = NAME.removesuffix("-torch")


@pytest.mark.parametrize(
    "command",
    [
        "pip install {}",
        "python -m pip install -U {}==0.1",
        "python3 -m pip install --quiet '{}[sbom]'",
        "pip3.12 install torch {}>=0.1",
        "pip install \\\n  {}",
        "uv pip install {}",
        "uv tool install {}",
        "uv tool install --python 3.12 {}",
        "uv add --dev {}",
        "uv run --with {} python",
        "uv run --with={} python",
        "uv tool run {} lock",
        "uvx {} lock",
        "uvx --from {} command",
        "uvx --from={} command",
        "pipx run --spec {} command",
        "['uv', 'pip', 'install',\n '{}']",
        "pipx install {}",
        "pipx run {} lock",
        "- run: pip install {}",
        "`pip install {}`",
        'setup = ["python -m pip install {}"]',
        '["pip", "install", "{}"]',
        "subprocess.run(['uv', 'pip', 'install', '--quiet', '{}'])",
        "{}==0.1.0",
        "torch\n{} >= 0.1\n",
        "{} @ https://example.org/x.whl",
        '    "{}>=0.1",',
    ],
)
def test_installing_the_other_project_is_found(command: str) -> None:
    assert list(strangers(command.format(OTHER)))
    assert not list(strangers(command.format(NAME)))


@pytest.mark.parametrize(
    "text",
    [
        "pip install -r requirements.txt && envsmith lock",
        "pip install -r requirements.txt; envsmith lock",
        "script: [pip install -r ci/envsmith.txt, envsmith lock --check]",
        "pip install ./envsmith",
        "pip install envsmith/",
        "pip install git+https://host/envsmith@abc",
        "`uv tool install CHECKOUT` puts envsmith on PATH",
        "envsmith install cu128",
        "uv run envsmith lock",
        "uvx --from ./checkout envsmith lock",
        "pipx run --spec git+https://host/repository envsmith",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert not list(strangers(text))


def test_no_committed_file_installs_the_other_project() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    assert len(names) > 300
    wrong = {
        name: hits
        for name in names
        if (hits := list(strangers((ROOT / name).read_bytes().decode("utf-8", errors="replace"))))
    }
    assert not wrong


def test_name_in_the_metadata() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == NAME
    assert set(project["scripts"]) == {"envsmith"}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pinned_requirements_are_those_of_this_project(name: str) -> None:
    assert f"# via {NAME} (pyproject.toml" in (ROOT / name).read_text("utf-8")
