from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from envsmith.config.requirement import RequiresPython
from envsmith.config.requirements.requirements_parser import IndexSource, PyTorchLine, RequirementsFile
from envsmith.errors import ProfileError
from envsmith.lock.inputs.project_limits import fit, named_backend
from envsmith.lockfile.manifest import RememberedOptions
from envsmith.model.target import Platform, Python
from tests.values import asked, profile, target

NONE = RememberedOptions()
WIDE = profile(
    python=(Python.parse("3.11"), Python.parse("3.12"), Python.parse("3.14")),
    platforms=(Platform.parse("linux"), Platform.parse("windows")),
)


def file(**values: object) -> RequirementsFile:
    return RequirementsFile(place="pyproject.toml", **values)  # type: ignore[arg-type]


def bound(text: str) -> RequirementsFile:
    return file(requires_python=RequiresPython(specifier=SpecifierSet(text), where="pyproject.toml:3"))


def test_pythons_of_the_project() -> None:
    found, notes = fit(WIDE, bound(">=3.12,<3.14"), NONE, family=())
    assert [str(python) for python in found.python] == ["3.12"]
    assert [
        (note.code, "3.11 3.14" in note.message, "pyproject.toml:3" in note.message) for note in notes
    ] == [("PRF107", True, True)]
    for options, text in ((RememberedOptions(python=("3.11",)), ">=3.12"), (NONE, ">=3.15")):
        assert fit(WIDE, bound(text), options, family=()) == (WIDE, ())  # the plan refuses these


def test_environments_of_the_project() -> None:
    only = file(environments=(Marker("sys_platform == 'linux'"),))
    found, notes = fit(WIDE, only, NONE, family=())
    assert [platform.os for platform in found.platforms] == ["linux"]
    assert [note.code for note in notes] == ["PRF107"]
    assert fit(WIDE, only, RememberedOptions(platforms=("windows",)), family=()) == (WIDE, ())


def source(marker: str = "") -> RequirementsFile:
    return file(
        index_sources=(IndexSource(name="utils", url="https://own.example", marker=marker, origin="p:1"),)
    )


def test_indexes_of_the_project_become_routes() -> None:
    assert fit(WIDE, source(), NONE, family=())[0].routes == {"utils": "https://own.example"}
    assert fit(WIDE, source("sys_platform == 'darwin'"), NONE, family=())[0].routes == {}
    with pytest.raises(ProfileError, match="PRF052"):
        fit(WIDE, source("sys_platform == 'linux'"), NONE, family=())


def lines(*backends: str, project: str = "torch", marker: str = "") -> RequirementsFile:
    found = [
        PyTorchLine.parse(
            kind="index",
            url=f"https://download.pytorch.org/whl/{backend}",
            origin="p:1",
            project=project,
            marker=marker,
        )
        for backend in backends
    ]
    return file(pytorch_lines=tuple(line for line in found if line))


def test_a_package_of_others_on_pytorchs_index_is_taken_from_there() -> None:
    found, _ = fit(WIDE, lines("cu128", project="utils"), NONE, family=("torch",))
    assert found.routes == {"utils": "https://download.pytorch.org/whl/cu128"}


def test_another_backend_than_the_profiles_is_told() -> None:
    family = ("torch",)
    (note,) = fit(profile(), lines("cu128", "cpu"), NONE, family=family)[1]
    assert (note.code, "cpu" in note.message) == ("PRF101", True)


def test_the_backend_that_the_files_name() -> None:
    assert named_backend(file(requirements=asked("torch==2.8.0+cu126")), target())[0] == "cu126"
    assert named_backend(lines("cu128"), target()) == ("cu128", "p:1")
    assert named_backend(lines("cu128", marker="sys_platform == 'win32'"), target()) == ("", "")
    assert named_backend(file(), target()) == ("", "")
    with pytest.raises(ProfileError) as caught:
        named_backend(lines("cu128", "cu130"), target(), ["my r.txt"])
    assert caught.value.code == "PRF022"
    assert caught.value.message.endswith("cu128 (p:1), cu130 (p:1)")
    assert caught.value.hint == (
        "choose one: `envsmith lock cu128 -r 'my r.txt'`, or `envsmith lock cu130 -r 'my r.txt'`"
    )
