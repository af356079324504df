"""Requirements added to files of all layouts; everything else in the file stays as it is."""

from __future__ import annotations

import codecs
import tomllib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.config.positions import KeyPath
from envsmith.errors import ProfileError
from envsmith.project.requirement_edits import (
    add_to_requirements,
    change_list,
    merge,
    projects_of,
    remove_from_pyproject,
    remove_from_requirements,
)

LIST: KeyPath = ("project", "dependencies")
HEAD = '[project]\nname = "a"\n'


def added(text: str, *requirements: str, table: KeyPath = LIST) -> str:
    edit = change_list(text.encode(), "pyproject.toml", table, partial(merge, requirements))
    return edit.after.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("dependencies = []\n", 'dependencies = ["b"]\n'),
        ('dependencies = ["c"]\n', 'dependencies = ["c", "b"]\n'),
        ('dependencies = [ "a", "c" ]\n', 'dependencies = [ "a", "b", "c" ]\n'),
        ('dependencies = [\n  "c"  # last\n]\n', 'dependencies = [\n  "c",  # last\n  "b"\n]\n'),
        (
            'dependencies = [\n    "c",\n    # end\n]\n',
            'dependencies = [\n    "c",\n    # end\n    "b"\n]\n',
        ),
        ('dependencies = ["B>=1", "a"]  # all\n', 'dependencies = ["B>=1", "a"]  # all\n'),
        ("# nothing yet\n\n[tool.x]\ny = 1\n", 'dependencies = ["b"]\n# nothing yet\n\n[tool.x]\ny = 1\n'),
    ],
)
def test_a_list_in_toml(before: str, after: str) -> None:
    assert added(HEAD + before, "b") == HEAD + after
    crlf = (HEAD + before).replace("\n", "\r\n")
    edit = change_list(crlf.encode(), "pyproject.toml", LIST, partial(merge, ("b",)))
    assert edit.after.decode() == (HEAD + after).replace("\n", "\r\n")


def test_one_requirement_per_marker() -> None:
    text = f'{HEAD}dependencies = ["x<2; python_version < \'3.12\'", "x"]\n'
    assert '"x<2; python_version < \'3.12\'", "x>=3"]' in added(text, "x>=3")
    assert '["x<3; python_version < \'3.12\'", "x"]' in added(text, "x<3; python_version < '3.12'")


def test_new_tables_are_added_at_the_end() -> None:
    text = f"{HEAD}\n[tool.x]\ny = 1\n\n\n"
    assert added(text, "b", table=("dependency-groups", "dev")) == (
        f'{HEAD}\n[tool.x]\ny = 1\n\n[dependency-groups]\ndev = ["b"]\n'
    )
    assert added("", "b", table=("dependency-groups", "dev.x")) == '[dependency-groups]\n"dev.x" = ["b"]\n'


def test_a_byte_order_mark_stays() -> None:
    data = codecs.BOM_UTF8 + HEAD.encode()
    edit = change_list(data, "pyproject.toml", LIST, partial(merge, ("b",)))
    assert edit.after == data + b'dependencies = ["b"]\n'


def test_unusual_notations_are_refused() -> None:
    with pytest.raises(ProfileError, match="PRF017"):
        added('project = {name = "a"}\n', "b")
    with pytest.raises(ProfileError, match="PRF001"):
        added("[project\n", "b")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "b>=2\n"),
        ("# only\n", "# only\nb>=2\n"),
        ("a", "a\nb>=2\n"),
        ("a\n# end\n", "a\nb>=2\n# end\n"),
        ("a\r\n", "a\r\nb>=2\r\n"),
        ("-r other.in\na  # one\n", "-r other.in\na  # one\nb>=2\n"),
        ("B<2  # old\na\n", "b>=2  # old\na\n"),
        ("b \\\n  <2\na\n", "b>=2\na\n"),
    ],
)
def test_a_requirements_file(before: str, after: str) -> None:
    assert add_to_requirements(before.encode(), "r.in", ["b>=2"]).after.decode() == after


@pytest.mark.parametrize("text", [f"a==1 --hash=sha256:{'0' * 64}\n", "a==1\n    # via b\n"])
def test_a_compiled_file_is_refused(text: str) -> None:
    with pytest.raises(ProfileError, match="PRF017"):
        add_to_requirements(text.encode(), "r.txt", ["b"])


NAMES = st.lists(st.sampled_from(("a", "b-c", "D", "e.f", "g")), unique=True, max_size=4)
LAYOUT = st.sampled_from(('"{}"', '"{}>=1"', "\n    '{}'", '\n  # about\n  "{}"'))


@given(NAMES, st.lists(LAYOUT, min_size=4, max_size=4), st.sampled_from(("", ",", ",\n", "\n")))
def test_what_is_added_and_removed_again_leaves_values_and_comments(
    names: list[str], layouts: list[str], end: str
) -> None:
    items = [layout.format(name) for layout, name in zip(layouts, names, strict=False)]
    text = f"{HEAD}dependencies = [{','.join(items)}{end if items else ''}]\n"
    before = tomllib.loads(text)
    new = added(text, "new>=1")
    wanted = [*before["project"]["dependencies"], "new>=1"]
    assert sorted(tomllib.loads(new)["project"]["dependencies"]) == sorted(wanted)
    edit = remove_from_pyproject(new.encode(), "pyproject.toml", {"new"}, LIST)
    assert tomllib.loads(edit.after.decode()) == before
    assert edit.after.count(b"#") == text.count("#")


@given(NAMES)
def test_lines_added_and_removed_again(names: list[str]) -> None:
    data = "".join(f"{name}>=1  # {name}\n" for name in names).encode()
    edit = add_to_requirements(data, "r.in", ["new"])
    assert projects_of(edit.after) == projects_of(data) | {"new"}
    assert remove_from_requirements(edit.after, "r.in", {"new"}).after == data


def test_the_url_of_a_wheel_is_a_requirement_on_its_project() -> None:
    url = "https://example.org/a_b-1.0-py3-none-any.whl"
    file = f"{url}\nc\n".encode()
    assert projects_of(file) == {"a-b", "c"}
    assert add_to_requirements(file, "r.txt", ["a-b"]).after == file
    assert remove_from_requirements(file, "r.txt", {"a-b"}).after == b"c\n"
    assert added(f'{HEAD}dependencies = ["{url}"]\n', "a-b") == f'{HEAD}dependencies = ["{url}"]\n'
