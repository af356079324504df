"""Requirements on the wheel at a URL."""

from __future__ import annotations

import pytest

from envsmith.config.direct_references import read_direct
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
        ("-e ./libs/a_b[x]", "a_b[x] @ ./libs/a_b#editable=true&unnamed=true", ()),
        ("a-b @ ../libs/x ; os_name == 'nt'", 'a-b @ ../libs/x ; os_name == "nt"', ()),
        ("libs/a-b/", "a @ ./libs/a-b#unnamed=true", ()),
        (".", "unnamed @ .#unnamed=true", ()),
        ("a-b @ file:///srv/a%20b", "a-b @ /srv/a%20b", ()),
        (
            "git+https://example.org/x.git@v1#egg=a-b[y]&subdirectory=z",
            "a-b[y] @ git+https://example.org/x.git@v1#subdirectory=z",
            (),
        ),
        ("git+ssh://git@example.org/x.git", "x @ git+ssh://git@example.org/x.git#unnamed=true", ()),
        ("a-b @ https://example.org/x-1.tar.gz", "a-b @ https://example.org/x-1.tar.gz", ()),
        (f"dist/{WHEEL.rpartition('/')[2]}", "a_b @ ./dist/a_b-1.0-py3-none-any.whl#unnamed=true", ()),
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
        ("a @ https://example.org/a", "PRF021"),
        ("a @ hg+https://example.org/a", "PRF021"),
        ("-e git+https://example.org/a", "PRF021"),
        ("a @ ext::x", "PRF020"),
        ("a @ git+ext::x", "PRF020"),
        ("a @ git+https://example.org/a@--upload-pack=x", "PRF020"),
        ("a @ git+https://me:hunter2@example.org/a", "PRF056"),
        ("a @ https://example.org/a.zip?token=hunter2", "PRF056"),
        ("a @ git+https://example.org/a#subdirectory=../x", "PRF020"),
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
