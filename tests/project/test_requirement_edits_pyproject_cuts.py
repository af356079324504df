from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.files.edits import Edit
from envsmith.project.requirement_edits import remove_from_pyproject

GONE = frozenset({"torchvision", "torchaudio"})
PROJECT = """\
# the server
[project]
name = "a"
dependencies = [
    "torch",
    # about vision
    "torchvision==0.16.2",  # required by torch
    "pydub",  # sound
    "TorchAudio[x]>1 ; python_version<'3.12'",
]

[project.optional-dependencies]
vision = ["torchvision", "timm"]   # both
sound   =   ['torchaudio']

[dependency-groups]
dev = [ {include-group = "lint"}, "torchvision>=0.15" ]
lint = ["ruff"]

[tool.uv.sources]
torchvision = { index = "pytorch" }
"""
AFTER = """\
# the server
[project]
name = "a"
dependencies = [
    "torch",
    # about vision
    "pydub",  # sound
]

[project.optional-dependencies]
vision = ["timm"]   # both
sound   =   []

[dependency-groups]
dev = [ {include-group = "lint"} ]
lint = ["ruff"]

[tool.uv.sources]
torchvision = { index = "pytorch" }
"""


def cut(text: str) -> Edit:
    return remove_from_pyproject(text.encode(), "pyproject.toml", GONE)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_items_go_from_all_lists_and_all_else_stays(end: str) -> None:
    found = cut(PROJECT.replace("\n", end))
    assert tomllib.loads(found.after.decode()) == tomllib.loads(AFTER)
    assert found.after.decode() == AFTER.replace("\n", end)
    assert [(line.line, line.project) for line in found.removed] == [
        (7, "torchvision"),
        (9, "torchaudio"),
        (13, "torchvision"),
        (14, "torchaudio"),
        (17, "torchvision"),
    ]
    assert not cut(found.after.decode()).has_changes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('dependencies = ["torch", "torchvision>=0.15", "x"] # c\n', 'dependencies = ["torch", "x"] # c\n'),
        ('dependencies = ["torchvision"]\n', "dependencies = []\n"),
        ('dependencies = [ "a", "torchvision" ]\n', 'dependencies = [ "a" ]\n'),
        ('dependencies = [ "torchvision", "a" ]\n', 'dependencies = [ "a" ]\n'),
        ('dependencies = [ "torchvision" ]\n', "dependencies = []\n"),
        ('dependencies = ["a", "torchvision",]\n', 'dependencies = ["a",]\n'),
        (
            'dependencies = [\n  "torch",\n  "torchvision"  # last\n]\n',
            'dependencies = [\n  "torch",\n]\n',
        ),
        (
            'dependencies = [\n  "torchvision", # tv\n  "torchaudio" # ta\n  # end\n]\n',
            "dependencies = [\n  # end\n]\n",
        ),
        (
            'dependencies = [\n  "torch", "torchvision",\n  "y" # last\n  , "z"\n]\n',
            'dependencies = [\n  "torch",\n  "y" # last\n  , "z"\n]\n',
        ),
    ],
)
def test_forms_of_a_list(before: str, after: str) -> None:
    assert cut(f"[project]\n{before}").after.decode() == f"[project]\n{after}"


@pytest.mark.parametrize(
    "text",
    [
        '[project]\ndependencies = [\n  "torch", "torchvision",  # both\n  "torchvision", "x",  # these, too\n]\n',
        '[project]\ndependencies = [\n  "a", "torchvision" # both\n]\n',
    ],
)
def test_a_comment_that_belongs_to_others_too_is_never_lost(text: str) -> None:
    found = cut(text)
    assert found.after == text.encode()
    assert {line.reason for line in found.kept} == {"the list cannot be edited without other changes"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not toml torchvision",
        b"\xff torchvision",
        b"project = 1\ndependency-groups = ['torchvision']\n",
        b"[project]\ndependencies = 'torchvision'\noptional-dependencies = ['torchvision']\n",
        b"[project]\ndependencies = [1, ['torchvision'], 'torchvision x', 'torch']\n",
        b"[tool.poetry.dependencies]\ntorchvision = '*'\n",
    ],
)
def test_what_is_no_list_of_requirements_is_left_alone(data: bytes) -> None:
    found = remove_from_pyproject(data, "pyproject.toml", GONE)
    assert (found.after, found.removed, found.kept) == (data, (), ())


def test_a_byte_order_mark_is_kept() -> None:
    data = b"\xef\xbb\xbf[project]\ndependencies = ['torchvision']\n"
    assert (
        remove_from_pyproject(data, "pyproject.toml", GONE).after
        == b"\xef\xbb\xbf[project]\ndependencies = []\n"
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["torch", "torchvision", "torchaudio>=1", "x", "my-torchvision"]),
            st.sampled_from([", ", ",\n    ", ",  # after\n    ", "\n    , ", ", # a # b\n  # alone\n  "]),
            st.sampled_from(["'{}'", '"{}"']),
        ),
        max_size=7,
    ),
    st.sampled_from(["", " ", "\n    ", " # first\n"]),
    st.sampled_from(["", " ", "\n", " # last\n"]),
)
def test_whatever_the_form_only_items_go_and_no_others_comment(
    items: list[tuple[str, str, str]], start: str, end: str
) -> None:
    inner = "".join(f"{quote.format(name)}{after}" for name, after, quote in items)
    text = f"[project]\ndependencies = [{start}{inner}{end}]  # closing\nname = 'a'\n"
    before = tomllib.loads(text)
    found = cut(text)
    after = tomllib.loads(found.after.decode())
    kept = [
        name for name in before["project"]["dependencies"] if not name.startswith(("torchvision", "torcha"))
    ]
    if found.has_changes:
        assert after == {"project": {**before["project"], "dependencies": kept}}
        alone = [line.strip() for line in text.splitlines() if line.strip().startswith("#")]
        assert [
            line.strip() for line in found.after.decode().splitlines() if line.strip().startswith("#")
        ] == alone
        assert "# closing" in found.after.decode()
    else:
        assert found.after == text.encode()
        assert bool(found.kept) == (kept != before["project"]["dependencies"])
    assert not cut(found.after.decode()).has_changes
