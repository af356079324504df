from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage.config_files import read_commands, read_config, read_requirements_lines
from envsmith.usage.documents import read_foreign
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher

Reader = Callable[[str, ModuleMatcher, FileUsage], None]
NAMES = ModuleMatcher([SearchedModule(module="torchvision")])


def config(text: str, file: str = "a.yaml") -> tuple[list[str], list[str]]:
    gathered = FileUsage(file=file)
    read_config(text, NAMES, gathered)
    uses = [f"{use.line} {use.module} {use.kind} {use.certainty}" for use in gathered.uses]
    return uses, [f"{left.line} {left.kind}" for left in gathered.leftovers]


@pytest.mark.parametrize(
    ("text", "uses", "leftovers"),
    [
        ("a:\n  _target_: torchvision.x.Y\n", ["2 torchvision.x.Y configuration string"], []),
        ("- torchvision\n", ["1 torchvision configuration string"], []),
        ("a: [torch, torchvision]\n", ["1 torchvision configuration string"], []),
        ("a: it uses torchvision for images\n", [], []),
        ("a: https://x/torchvision/y\n", [], []),
        ("a: data/torchvision.tar\n", [], []),
        ("# torchvision is needed\n", [], ["1 comment"]),
        ("# torchvision.x\n", [], []),
        ("run: python3 -m torchvision.x\n", ["1 torchvision.x module run certain"], []),
        ("run: pip install torchvision\n", [], ["1 requirement"]),
        ("run: ['python', '-m', 'pip', 'install', '-q', 'torchvision']\n", [], ["1 requirement"]),
        ("a: poetry.lock has it, install torchvision.x\n", ["1 torchvision.x configuration string"], []),
        ("dependencies:\n  - pytorch::torchvision=0.1\n  - pip\n", [], ["2 requirement"]),
    ],
)
def test_lines_of_yaml(text: str, uses: list[str], leftovers: list[str]) -> None:
    assert config(text) == (uses, leftovers)


@pytest.mark.parametrize(
    ("text", "uses", "leftovers"),
    [
        ("[project]\ndependencies = ['torchvision']\n", [], ["2 requirement"]),
        ("[dependency-groups]\na = [\n  'torchvision>1',\n]\n", [], ["3 requirement"]),
        ("[tool.poetry.group.dev.dependencies]\ntorchvision = '^1'\n", [], ["2 requirement"]),
        (
            "[project.entry-points.'a.b']\nx = 'torchvision.y:z'\n",
            ["2 torchvision.y entry point certain"],
            [],
        ),
        ("[project.scripts]\nx = 'torchvision:z'\n", ["2 torchvision entry point certain"], []),
        ("[[tool.mypy.overrides]]\nmodule = 'torchvision.*'\n", [], ["2 setting"]),
        ("[tool.pytest.ini_options]\nfilterwarnings = ['ignore::W:torchvision']\n", [], ["2 setting"]),
        ("[tool.mine]\nbackend = 'torchvision'\n", ["2 torchvision configuration string"], []),
        ("[a]\nx = [\n  ['torchvision.b'],\n]\n", ["3 torchvision.b configuration string"], []),
    ],
)
def test_lines_of_pyproject_are_read_by_their_table(text: str, uses: list[str], leftovers: list[str]) -> None:
    assert config(text, "pyproject.toml") == (uses, leftovers)


def test_tables_of_other_files_mean_what_their_readers_say() -> None:
    assert config("[[project]]\nname = 'torchvision'\n", "a.toml") == (
        ["2 torchvision configuration string"],
        [],
    )
    assert config("[settings]\nname = torchvision\n", "a.ini") == (["2 torchvision configuration string"], [])


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("python -m torchvision.a", "torchvision.a module run"),
        ("\t$(PYTHON) -m torchvision", "torchvision module run"),
        ('CMD ["python3", "-m", "torchvision.b"]', "torchvision.b module run"),
        ("uv run -m torchvision", "torchvision module run"),
        ("torchrun -m torchvision.c", "torchvision.c module run"),
        ("py -3 -c 'import os; import torchvision'", "torchvision module run"),
        ('python -c "import os, torchvision"', "torchvision module run"),
        ("import torchvision", "torchvision import"),
        ("export BACKBONE=torchvision.models.x", "torchvision.models.x text"),
        ("git commit -m torchvision", None),
        ("python -m torch", None),
        ("echo torchvision", None),
        ("cd torchvision && make", None),
    ],
)
def test_lines_of_scripts(line: str, use: str | None) -> None:
    gathered = FileUsage(file="run.sh")
    read_commands(line, NAMES, gathered)
    assert [f"{item.module} {item.kind}" for item in gathered.uses] == ([use] if use else [])


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("torchvision==0.1", ["requirement"]),
        ("torchvision  # needed", ["requirement"]),
        ("torch  # torchvision requires it", ["comment"]),
        ("# torchvision", []),
        ("torchvision-extra-things==1", []),
        ("torchvision[x] >= 1", ["requirement"]),
        (
            "https://download.pytorch.org/whl/cpu/torchvision-0.1%2Bcpu-cp311-cp311-win_amd64.whl",
            ["requirement"],
        ),
        ("-e ./torchvision", ["requirement"]),
        ("mytorchvision", []),
    ],
)
def test_lines_of_requirements(line: str, kinds: list[str]) -> None:
    gathered = FileUsage(file="requirements.txt")
    read_requirements_lines(line, NAMES, gathered)
    assert [left.kind for left in gathered.leftovers] == kinds


def test_a_profile_asks_in_quotes() -> None:
    gathered = FileUsage(file="profiles/a.toml")
    text = "summary = 'without torchvision'\nrequirements = ['torch', 'torchvision>=1']\n"
    text += "[family]\ntorchvision = 'drop'\n"
    read_requirements_lines(text, NAMES, gathered)
    assert [left.line for left in gathered.leftovers] == [2]


def test_every_package_of_a_line_is_named() -> None:
    names = ModuleMatcher([SearchedModule(module="torchvision"), SearchedModule(module="torchaudio")])
    gathered = FileUsage(file="run.sh")
    read_commands(
        "pip install torch torchvision torchaudio\n# torchvision and torchaudio are required by torch\n"
        "export PYTHONWARNINGS=ignore::UserWarning:torchaudio\n",
        names,
        gathered,
    )
    assert [(left.line, left.module, left.kind) for left in gathered.leftovers] == [
        (1, "torchvision", "requirement"),
        (1, "torchaudio", "requirement"),
        (2, "torchvision", "comment"),
        (2, "torchaudio", "comment"),
        (3, "torchaudio", "warning filter"),
    ]
    assert not gathered.uses


def test_what_a_profile_lets_go_is_no_requirement() -> None:
    gathered = FileUsage(file="profiles/a.toml")
    read_requirements_lines("prune = ['torchvision']\nrequirements = ['torchvision']\n", NAMES, gathered)
    assert [(left.line, left.kind) for left in gathered.leftovers] == [(2, "requirement")]


def test_a_requirement_is_known_by_its_projects_name_and_its_comment_may_speak_of_another() -> None:
    names = ModuleMatcher(
        [SearchedModule(module="sklearn", projects=("scikit-learn",)), SearchedModule(module="torchaudio")]
    )
    gathered = FileUsage(file="requirements.txt")
    read_requirements_lines("torch\nScikit_Learn>=1  # required by torchaudio\n", names, gathered)
    assert [(left.line, left.module, left.kind) for left in gathered.leftovers] == [
        (2, "sklearn", "requirement"),
        (2, "torchaudio", "comment"),
    ]


@pytest.mark.parametrize(
    "unit",
    [
        '"torchvision", ',
        "torchvision ",
        "a=torchvision ",
        "py.",
        "pip -",
        "[ ",
        " ",
        "import torchvision;",
        "-m a ",
    ],
)
@pytest.mark.parametrize("read", [read_config, read_commands, read_requirements_lines, read_foreign])
def test_a_long_line_takes_linear_time(read: Reader, unit: str) -> None:
    """In quadratic time the shortest takes half a minute."""
    begun = time.process_time()
    read(unit * (240_000 // len(unit)) + " torchvision", NAMES, FileUsage(file="pyproject.toml"))
    assert time.process_time() - begun < 15
