from __future__ import annotations

import pytest

from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.errors import ProfileError

TEXT = """\
[project]
name = "My_App"
dependencies = [
  "torch==2.3.1+cpu",
  "numpy",
]
[project.optional-dependencies]
gpu = ["cupy"]
Web_UI = ["fastapi"]
all = ["my-app[gpu,web-ui]", "rich"]
[dependency-groups]
test = ["pytest"]
dev = ["ruff", {include-group = "Test"}]
"""


def asked(text: str, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    file = from_pyproject(text, "pyproject.toml", extras, groups)
    assert file is not None
    return [
        (str(item.requirement), item.origin.removeprefix("pyproject.toml:")) for item in file.requirements
    ]


def test_dependencies_alone() -> None:
    assert asked(TEXT) == [("torch==2.3.1+cpu", "4"), ("numpy", "5")]


def test_extras_and_groups_in_any_spelling_each_once() -> None:
    found = asked(TEXT, ("ALL", "gpu"), ("dev", "test"))
    assert found[2:] == [("cupy", "8"), ("fastapi", "9"), ("rich", "10"), ("ruff", "13"), ("pytest", "12")]


def test_groups_need_no_project() -> None:
    assert asked('[dependency-groups]\ntest = ["a"]', groups=("test",)) == [("a", "2")]


@pytest.mark.parametrize("text", ["", "[tool.x]\n", "[dependency-groups]\ntest = []"])
def test_a_file_without_project_asks_nothing(text: str) -> None:
    assert from_pyproject(text, "pyproject.toml") is None


def test_a_project_without_dependencies() -> None:
    assert asked("[project]\nname = 'a'\n") == []


def test_a_wheel_of_pytorchs_becomes_a_pin_with_a_note() -> None:
    url = "https://download.pytorch.org/whl/cpu/torch-2.3.1%2Bcpu-cp311-cp311-win_amd64.whl"
    file = from_pyproject(f'[project]\ndependencies = ["torch @ {url}"]', "pyproject.toml")
    assert file is not None
    assert str(file.requirements[0].requirement) == "torch==2.3.1+cpu"
    assert [(note.code, note.evidence) for note in file.notes] == [("PRF103", ("pyproject.toml:2",))]


@pytest.mark.parametrize(
    ("text", "extras", "groups", "code", "where"),
    [
        ("[project", (), (), "PRF001", ":1"),
        ("project = 3", (), (), "PRF004", ":1: project"),
        ("[project]\ndependencies = 'a'", (), (), "PRF004", ":2: project.dependencies"),
        ("[project]\ndependencies = [1]", (), (), "PRF004", ":2: project.dependencies[0]"),
        ("[project]\ndependencies = ['a b']", (), (), "PRF020", ":2: project.dependencies[0]"),
        (
            "[project]\ndependencies = ['a', 'b @ hg+file:///b']",
            (),
            (),
            "PRF021",
            ":2: project.dependencies[1]",
        ),
        ("[project]\ndynamic = ['dependencies']", (), (), "PRF028", ":2: project.dynamic"),
        ("[project]\noptional-dependencies = 1", (), (), "PRF004", ":2: project.optional-dependencies"),
        (TEXT, ("gpus",), (), "PRF027", ":7: project.optional-dependencies"),
        (TEXT, (), ("tests",), "PRF027", ":11: dependency-groups"),
        ("[dependency-groups]\na = ['x']\nA = ['y']", (), ("a",), "PRF027", ":3: dependency-groups.A"),
        (
            "[dependency-groups]\na = [{include-group = 'b'}]",
            (),
            ("a",),
            "PRF027",
            ":2: dependency-groups.a[0]",
        ),
        ("[dependency-groups]\na = [{include = 'a'}]", (), ("a",), "PRF027", ":2: dependency-groups.a[0]"),
        (
            "[dependency-groups]\na = [{include-group = 1}]",
            (),
            ("a",),
            "PRF027",
            ":2: dependency-groups.a[0]",
        ),
        ("[dependency-groups]\na = 'x'", (), ("a",), "PRF004", ":2: dependency-groups.a"),
        (
            "[dependency-groups]\na = [{include-group = 'b'}]\nb = [{include-group = 'a'}]",
            (),
            ("a",),
            "PRF029",
            ":3: dependency-groups.b[0]",
        ),
        ("[project]\nname = 'p'\ndependencies = ['p[x]']", (), (), "PRF027", ":3: project.dependencies[0]"),
    ],
)
def test_malformed(
    text: str, extras: tuple[str, ...], groups: tuple[str, ...], code: str, where: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        from_pyproject(text, "pyproject.toml", extras, groups)
    assert (caught.value.code, caught.value.where) == (code, f"pyproject.toml{where}")
    assert caught.value.hint


def test_extras_that_name_each_other_end() -> None:
    text = "[project]\nname='p'\n[project.optional-dependencies]\na = ['p[b]', 'x']\nb = ['p[a]', 'y']\n"
    assert asked(text, ("a",)) == [("y", "5"), ("x", "4")]


def test_contradicting_labels_name_both_lines() -> None:
    text = "[project]\ndependencies = [\n'torch==2.3.1+cpu',\n'torchvision==0.18.1+cu121']"
    with pytest.raises(ProfileError) as caught:
        from_pyproject(text, "pyproject.toml")
    assert (caught.value.code, caught.value.where) == ("PRF022", "pyproject.toml:4")


CHAINS = [
    (
        "[project]\nname='p'\n[project.optional-dependencies]\n"
        + "".join(f"e{number} = ['p[e{number + 1}]']\n" for number in range(2000)),
        ("e0",),
        (),
    ),
    (
        "[dependency-groups]\n"
        + "".join(f"g{number} = [{{include-group = 'g{number + 1}'}}]\n" for number in range(2000)),
        (),
        ("g0",),
    ),
]


@pytest.mark.parametrize(("text", "extras", "groups"), CHAINS, ids=["extras", "groups"])
def test_an_endless_chain_is_refused(text: str, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    with pytest.raises(ProfileError) as caught:
        from_pyproject(text, "pyproject.toml", extras, groups)
    assert caught.value.code == "PRF029"
    assert caught.value.where.startswith("pyproject.toml:5")


def test_the_pythons_a_project_runs_on() -> None:
    file = from_pyproject("[project]\nrequires-python = '>=3.11'\n", "pyproject.toml")
    assert file
    assert file.requires_python
    assert (str(file.requires_python.specifier), file.requires_python.where) == (">=3.11", "pyproject.toml:2")
    with pytest.raises(ProfileError) as caught:
        from_pyproject("[project]\nrequires-python = '3.x'\n", "pyproject.toml")
    assert (caught.value.code, caught.value.where) == ("PRF005", "pyproject.toml:2: project.requires-python")
