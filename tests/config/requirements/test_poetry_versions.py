from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envsmith.config.requirements.poetry_versions import (
    to_platform_marker,
    to_python_marker,
    to_specifier,
)
from envsmith.errors import ProfileError


# The tables of Poetry's documentation, "Dependency specification", and some of its own tests.
@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("^1.2.3", ">=1.2.3,<2.0.0"),
        ("^1.2", ">=1.2,<2.0"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3.0"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3.0"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("*", ""),
        ("1.*", ">=1,<2"),
        ("1.2.*", ">=1.2,<1.3"),
        ("1.2.x", ">=1.2,<1.3"),
        ("1.2.3", "==1.2.3"),
        ("= 1.2", "==1.2"),
        (">=1.2,<1.5", ">=1.2,<1.5"),
        (">= 1.2 <1.5", ">=1.2,<1.5"),
        (">=1,!=1.5.*", ">=1,!=1.5.*"),
        ("~=1.2", "~=1.2"),
        ("^1.0.0b1", ">=1.0.0b1,<2.0.0"),
        ("^1!2.3", ">=1!2.3,<1!3.0"),
        ("^1.2 || ^2.0", ">=1.2,<3.0"),
        ("^2 | ^1", ">=1,<3"),
        ("^1 || >=2", ">=1"),
        ("^1 || *", ""),
    ],
)
def test_ranges(text: str, specifier: str) -> None:
    assert to_specifier(text) == specifier


@pytest.mark.parametrize("text", ["", "latest", "^", "1..2", "||", "^1 || ^3", "1.0 || 2.0", "^1" * 400])
def test_malformed_ranges(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        to_specifier(text)
    assert caught.value.code == "PRF020"
    assert len(caught.value.message) < 120


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.sampled_from("^~"))
def test_a_caret_and_a_tilde_admit_no_breaking_version(parts: list[int], operator: str) -> None:
    """By the words of Poetry's documentation: a caret keeps the first part that is not zero, a tilde the minor."""
    text = ".".join(map(str, parts))
    found = SpecifierSet(to_specifier(operator + text))
    assert Version(text) in found
    padded = (parts + [0] * 4)[:4]
    first = next((number for number, part in enumerate(parts[:3]) if part), min(len(parts), 3) - 1)
    kept = first if operator == "^" else min(len(parts), 2) - 1
    breaking = [*padded[:kept], padded[kept] + 1, 0, 0]
    last = [*padded[: kept + 1], 999, 999]
    assert Version(".".join(map(str, breaking))) not in found
    assert Version(".".join(map(str, last))) in found


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("*", ""),
        ("^3.9", 'python_version >= "3.9" and python_version < "4.0"'),
        (">=3.8.1", 'python_full_version >= "3.8.1"'),
        ("<3.8 || >=3.10", '(python_version < "3.8") or (python_version >= "3.10")'),
        ("!=3.9.*", 'python_version != "3.9"'),
    ],
)
def test_pythons(text: str, marker: str) -> None:
    assert to_python_marker(text) == marker


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("linux", 'sys_platform == "linux"'),
        ("!=win32", 'sys_platform != "win32"'),
        ("linux || darwin", '(sys_platform == "linux") or (sys_platform == "darwin")'),
    ],
)
def test_platforms(text: str, marker: str) -> None:
    assert to_platform_marker(text) == marker
    with pytest.raises(ProfileError):
        to_platform_marker("a b")
