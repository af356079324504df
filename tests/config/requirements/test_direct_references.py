"""Requirements on the wheel at a URL."""

from __future__ import annotations

import pytest

from envsmith.config.requirements.direct_references import read_direct
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import parse_requirements
from envsmith.errors import ProfileError

WHEEL = "https://example.org/f/a_b-1.0-py3-none-any.whl"
SHA256 = "a1" * 32


@pytest.mark.parametrize(
    ("text", "requirement", "hashes"),
    [
        (WHEEL, f"a-b @ {WHEEL}", ()),
        (f"A.b @ {WHEEL}", f"a-b @ {WHEEL}", ()),
        (f"a-b[x]@{WHEEL}#sha256={SHA256.upper()}", f"a-b[x] @ {WHEEL}", (f"sha256:{SHA256}",)),
        (f"{WHEEL} ; sys_platform == 'linux'", f'a-b @ {WHEEL} ; sys_platform == "linux"', ()),
        ("a-b>=1", "a-b>=1", ()),
    ],
)
def test_a_wheel_is_required_by_its_url(text: str, requirement: str, hashes: tuple[str, ...]) -> None:
    found, given = read_direct(text)
    assert (str(found), given) == (requirement, hashes)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"other @ {WHEEL}", "PRF021"),
        ("https://example.org/a.whl", "PRF021"),
        ("a @ https://example.org/a-1.0.tar.gz", "PRF021"),
        (f"{WHEEL}#md5=abc", "PRF024"),
        (f"{WHEEL}#sha256=abc", "PRF024"),
        (f"{WHEEL}?token=hunter2", "PRF056"),
        (WHEEL.replace("//", "//me:hunter2@"), "PRF056"),
        (WHEEL.replace("//", "//hunter2@"), "PRF056"),
        (WHEEL.replace("/f/", '/"/'), "PRF020"),
        (WHEEL.replace("//", "//["), "PRF020"),
        (f"{WHEEL} ; nonsense", "PRF020"),
    ],
)
def test_other_urls_are_refused_without_their_secrets(text: str, code: str) -> None:
    with pytest.raises(ProfileError) as refused:
        read_direct(text)
    assert refused.value.code == code
    assert "hunter2" not in str(refused.value)


def test_a_file_gives_the_hash_in_the_url_or_beside_it() -> None:
    lines = f"{WHEEL}#sha256={SHA256}\na-b @ {WHEEL} --hash=sha256:{SHA256}\n"
    found = parse_requirements(lines, "requirements.txt").requirements
    assert [(item.requirement.url, item.hashes) for item in found] == [(WHEEL, (f"sha256:{SHA256}",))] * 2


def test_sources_of_uv_replace_requirements_where_their_markers_hold() -> None:
    text = f"""
        [project]
        dependencies = ["a-b[x]>=7 ; python_version > '3'", "c"]
        [tool.uv.sources]
        A_b = {{ url = "{WHEEL}" }}
        c = [{{ url = "https://example.org/c-1-py3-none-any.whl", marker = "sys_platform == 'linux'" }}]
    """
    found = from_pyproject(text, "pyproject.toml")
    assert found
    assert [str(item.requirement) for item in found.requirements] == [
        f'a-b[x] @ {WHEEL} ; python_version > "3"',
        "c",
        'c @ https://example.org/c-1-py3-none-any.whl ; sys_platform == "linux"',
    ]
    assert found.requirements[0].origin == "pyproject.toml:5"
