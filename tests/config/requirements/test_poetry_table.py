from __future__ import annotations

import pytest

from envsmith.config.requirements.poetry_table import KNOWN_KEYS
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.errors import ProfileError

POETRY = """\
[tool.poetry]
name = "mine"
version = "0"
[tool.poetry.dependencies]
python = "^3.11"
torch = "*"
"""
WHL = "https://download.pytorch.org/whl"


def read(text: str, *extras: str, groups: tuple[str, ...] = (), head: str = POETRY) -> RequirementsFile:
    found = from_pyproject(f"{head}{text}\n", "pyproject.toml", extras, groups)
    assert found is not None
    return found


def refused(text: str, *extras: str, groups: tuple[str, ...] = (), head: str = POETRY) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        read(text, *extras, groups=groups, head=head)
    return caught.value


def asked(file: RequirementsFile) -> list[str]:
    return [str(item.requirement) for item in file.requirements]


def test_dependencies_in_all_forms() -> None:
    file = read("""\
A_b = "^1.2"
c = {version = "~2.1", extras = ["x", "y"], markers = "os_name == 'nt'"}
d = {version = "1.*", python = "<3.12", platform = "linux"}
e = [{version = "<2", python = "<3.12"}, {version = ">=2", python = ">=3.12"}]
f = {version = "*", optional = true}
""")
    assert asked(file) == [
        "torch",
        "a-b<2.0,>=1.2",
        'c[x,y]<2.2,>=2.1; os_name == "nt"',
        'd<2,>=1; python_version < "3.12" and sys_platform == "linux"',
        'e<2; python_version < "3.12"',
        'e>=2; python_version >= "3.12"',
    ]
    assert [item.origin for item in file.requirements][:2] == ["pyproject.toml:6", "pyproject.toml:7"]
    assert file.requires_python
    assert (str(file.requires_python.specifier), file.requires_python.where) == (
        "<4.0,>=3.11",
        "pyproject.toml:5",
    )
    assert file.notes == ()


def test_a_union_of_pythons_is_a_list_of_environments() -> None:
    head = POETRY.replace("^3.11", "~3.11 || ~3.13")
    (marker,) = read("", head=head).environments
    admitted = [minor for minor in range(9, 16) if marker.evaluate({"python_version": f"3.{minor}"})]
    assert admitted == [11, 13]


GROUPS = """\
rich = {version = "*", optional = true}
flask = {version = "^3", optional = true}
[tool.poetry.extras]
Web = ["flask"]
all = ["flask", "rich"]
[tool.poetry.dev-dependencies]
pytest = "*"
[tool.poetry.group.lint]
optional = true
include-groups = ["types"]
[tool.poetry.group.lint.dependencies]
ruff = "*"
[tool.poetry.group.types.dependencies]
mypy = "*"
[dependency-groups]
types = ["types-requests"]
own = ["tox"]
"""


def test_extras_and_groups() -> None:
    assert asked(read(GROUPS, "web")) == ["torch", "flask<4,>=3"]
    assert asked(read(GROUPS, "*")) == ["torch", "flask<4,>=3", "rich"]
    assert asked(read(GROUPS, groups=("dev",)))[1:] == ["pytest"]
    assert asked(read(GROUPS, groups=("lint",)))[1:] == ["ruff", "mypy"]
    assert asked(read(GROUPS, groups=("types", "own")))[1:] == ["mypy", "types-requests", "tox"]
    assert len(asked(read(GROUPS, groups=("*",)))) == 6
    assert refused(GROUPS, "wob").code == "PRF027"
    assert refused(GROUPS, groups=("lant",)).code == "PRF027"
    assert refused("[tool.poetry.extras]\nweb = ['flask']", "web").code == "PRF027"


LOCAL = {
    "{path = '../utils'}": "../utils",
    "{path = '../utils', develop = true}": "../utils#editable=true",
    "{file = 'utils-1-py3-none-any.whl'}": "./utils-1-py3-none-any.whl",
    "{git = 'https://git.example/utils', tag = 'v1'}": "git+https://git.example/utils@v1",
    "{url = 'https://files.example/utils-1.zip'}": "https://files.example/utils-1.zip",
    "[{path = 'x', platform = 'linux'}, {version = '*', platform = 'darwin'}]": "./x",
}
PROJECT = """\
[project]
name = "mine"
dependencies = ["utils", "torch"]
[tool.poetry]
[tool.poetry.dependencies]

"""


@pytest.mark.parametrize("source", LOCAL)
@pytest.mark.parametrize("head", [POETRY, PROJECT], ids=["alone", "project"])
def test_a_package_is_taken_from_the_place_that_its_entry_names(source: str, head: str) -> None:
    found = read(f"Utils = {source}", head=head).requirements
    (item,) = [item for item in found if item.requirement.url]
    assert (item.name, item.requirement.url, item.origin) == ("utils", LOCAL[source], "pyproject.toml:7")


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        ("{git = 'https://u:secret@git.example/utils', rev = 'abc'}", "PRF056", "contains a login"),
        ("{version = '*', source = 'missing'}", "PRF052", "no index has that name"),
    ],
)
@pytest.mark.parametrize("head", [POETRY, PROJECT], ids=["alone", "project"])
def test_an_entry_that_is_refused(source: str, code: str, text: str, head: str) -> None:
    error = refused(f"Utils = {source}", head=head)
    assert error.code == code
    assert error.where.startswith("pyproject.toml:7: tool.poetry.dependencies.Utils")
    assert text in error.message
    assert "secret" not in str(error)


def test_wheels_by_their_url() -> None:
    whl = f"{WHL}/cpu/torch-2.8.0%2Bcpu-cp312-cp312-{{}}.whl"
    head = POETRY.replace(
        'torch = "*"',
        f"torch = [{{url = '{whl.format('win_amd64')}', platform = 'win32'}},\n"
        f"{{url = '{whl.format('manylinux_2_28_x86_64')}', platform = 'linux'}}]",
    )
    file = read(
        f"utils = {{url = 'https://files.example/utils-1-py3-none-any.whl#sha256={'0' * 64}'}}", head=head
    )
    assert asked(file) == [
        'torch==2.8.0+cpu; sys_platform == "win32"',
        'torch==2.8.0+cpu; sys_platform == "linux"',
        "utils @ https://files.example/utils-1-py3-none-any.whl",
    ]
    assert file.requirements[2].hashes == (f"sha256:{'0' * 64}",)
    assert [note.code for note in file.notes] == ["PRF103", "PRF103"]


def test_what_is_not_locked_may_come_from_elsewhere() -> None:
    text = """\
utils = {path = "x", optional = true}
[tool.poetry.extras]
own = ["utils"]
[tool.poetry.group.dev.dependencies]
other = {path = "y"}
"""
    assert asked(read(text)) == ["torch"]
    assert asked(read(text, "own")) == ["torch", "utils @ ./x"]
    assert asked(read(text, groups=("dev",))) == ["torch", "other @ ./y"]


SOURCES = f"""\
cpu-torch = {{version = "*", optional = true}}
[[tool.poetry.source]]
name = "cpu"
url = "{WHL}/cpu"
priority = "explicit"
[[tool.poetry.source]]
name = "Own"
url = "https://packages.example/simple"
priority = "explicit"
[[tool.poetry.source]]
name = "PyPI"
priority = "primary"
"""


def test_indexes_of_single_packages() -> None:
    head = POETRY.replace(
        'torch = "*"',
        'torch = {version = "*", source = "CPU", platform = "linux"}\nx = {version = "1", source = "own"}\n'
        'y = {version = "1", source = "pypi"}',
    )
    found = read(SOURCES, head=head)
    assert [(line.backend, line.project, line.marker) for line in found.pytorch_lines] == [
        ("cpu", "torch", 'sys_platform == "linux"')
    ]
    assert [(item.name, item.url, item.origin) for item in found.index_sources] == [
        ("x", "https://packages.example/simple", "pyproject.toml:7")
    ]
    assert found.notes == ()


def test_indexes_of_extras() -> None:
    """As Poetry's documentation writes "exclusive extras"."""
    head = f"""\
[project]
name = "mine"
optional-dependencies = {{cpu = ["torch"], cuda = ["torch"]}}
dependencies = ["numpy"]
[tool.poetry.dependencies]
torch = [
  {{markers = "extra == 'cpu' and extra != 'cuda'", source = "cpu"}},
  {{markers = "extra == 'cuda' and extra != 'cpu'", source = "cuda"}},
]
[[tool.poetry.source]]
name = "cpu"
url = "{WHL}/cpu"
priority = "explicit"
[[tool.poetry.source]]
name = "cuda"
url = "{WHL}/cu128"
priority = "explicit"
"""
    for extra, backend in (("cpu", "cpu"), ("CUDA", "cu128")):
        lines = read("", extra, head=head).pytorch_lines
        assert [line.backend for line in lines if "< " not in line.marker] == [backend]


@pytest.mark.parametrize(
    ("priority", "code"),
    [
        ("", "PRF054"),
        ("priority = 'primary'", "PRF054"),
        ("default = true", "PRF054"),
        ("priority = 'supplemental'", "PRF026"),
        ("secondary = true", "PRF026"),
    ],
)
def test_an_index_for_all_packages(priority: str, code: str) -> None:
    text = f"[[tool.poetry.source]]\nname = 'own'\n{priority}\nurl = "
    error = refused(f"{text}'https://u:secret@packages.example/simple'")
    assert (error.code, error.where.partition(": ")[0]) == (code, "pyproject.toml:7")
    assert "secret" not in str(error)
    if code == "PRF054":
        url = "https://packages.example/simple"
        beside = "\n[[tool.poetry.source]]\nname = 'PyPI'\n"
        assert [str(index) for index in read(f"{text}'{url}'").indexes] == [f"own {url} default"]
        assert [str(index) for index in read(f"{text}'{url}'{beside}").indexes] == [f"own {url}"]
    assert [line.backend for line in read(f"{text}'{WHL}/cu128'").pytorch_lines] == ["cu128"]


def test_what_enriches_the_dependencies_of_the_project() -> None:
    file = read("torch = {version = '^2', source = 'cpu'}\nother = '1'\n" + SOURCES, head=PROJECT)
    assert asked(file) == ["utils", "torch"]
    assert [str(item.requirement) for item in file.constraints] == ["torch<3,>=2"]
    assert [line.backend for line in file.pytorch_lines] == ["cpu"]
    assert [note.subject for note in file.notes] == ["tool.poetry.dependencies.other"]
    dynamic = "[project]\nname = 'x'\ndynamic = ['dependencies']\n" + POETRY
    assert asked(read("", head=dynamic)) == ["torch"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("x = {version = '*', allow-prereleases = true}", "dependencies.x.allow-prereleases"),
        ("x = {version = '*', of-tomorrow = true}", "dependencies.x.of-tomorrow"),
        ("[tool.poetry.requires-plugins]\nx = '*'", "requires-plugins"),
        ("[tool.poetry.of-tomorrow]\nx = 1", "of-tomorrow"),
        ("[[tool.poetry.source]]\nname = 'PyPI'\npriority = 'explicit'", "source.0.priority"),
    ],
)
def test_what_is_not_followed_is_told_with_its_line(text: str, key: str) -> None:
    (note,) = read(text).notes
    assert (note.code, note.subject) == ("PRF106", f"tool.poetry.{key}")
    assert note.message.startswith("pyproject.toml:")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = 1", "PRF004"),
        ("x = {version = 1}", "PRF004"),
        ("x = '^1 || ^3'", "PRF020"),
        ("'x @ https://a.example/x.whl' = '1'", "PRF020"),
        ("x = {version = '*', markers = 'a'}", "PRF005"),
        ("x = {version = '*', markers = \"'a' in extra\"}", "PRF005"),
        ("x = {version = '*', platform = 'a b'}", "PRF020"),
        ("x = {version = '*', extras = ['a b']}", "PRF020"),
        ("[[tool.poetry.source]]\nname = 'x'", "PRF004"),
    ],
)
def test_malformed(text: str, code: str) -> None:
    error = refused(text)
    assert error.code == code
    assert error.where.startswith("pyproject.toml:")
    assert error.hint


def test_the_keys_of_poetrys_schema() -> None:
    assert {"dependencies", "group", "source", "extras", "packages", "build", "package-mode"} <= KNOWN_KEYS
