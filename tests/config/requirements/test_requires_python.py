from __future__ import annotations

import pytest

from envsmith.config.positions import TomlDocument
from envsmith.config.readers import Location, Problems
from envsmith.config.requirement import RequiresPython, read_requires_python
from envsmith.errors import ProfileError
from envsmith.model.target import Python

ALL = [Python(major=3, minor=minor) for minor in (14, 10, 11, 12, 13)]


def read(value: str) -> RequiresPython | None:
    document = TomlDocument.parse(f"[project]\nname = 'x'\nrequires-python = {value}\n", "pyproject.toml")
    problems = Problems()
    spot = Location(text=document, problems=problems).at("project").at("requires-python")
    table = document.data["project"]
    assert isinstance(table, dict)
    found = read_requires_python(table["requires-python"], spot)
    problems.raise_if_any()
    return found


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        (">=3.11", ["3.10"]),
        (">=3.10.5,<3.13", ["3.13", "3.14"]),
        ("~=3.12", ["3.10", "3.11"]),
        ("==3.12.*", ["3.10", "3.11", "3.13", "3.14"]),
        (">3.10,!=3.12.0", []),
    ],
)
def test_a_python_is_outside_where_none_of_its_releases_is_admitted(text: str, outside: list[str]) -> None:
    found = read(repr(text))
    assert found
    assert [str(python) for python in found.outside([*ALL, *ALL])] == outside
    assert found.where == "pyproject.toml:3"


@pytest.mark.parametrize(("value", "code"), [("'^3.11'", "PRF005"), ("3.11", "PRF004")])
def test_what_is_no_range(value: str, code: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read(value)
    assert (caught.value.code, caught.value.where) == (code, "pyproject.toml:3: project.requires-python")
