"""The house rules that a machine can hold: layering, limits, names, codes, sources, and what start-up imports."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "envsmith"
MODULES = sorted(PACKAGE.rglob("*.py"))
CODE = re.compile(r"(?:PRF|RES|LCK|CAT|TOL|ENV|HST|USE)\d{3}")
MOST_LINES = 300
MOST_FUNCTION_LINES = 40
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "misc"}
NOT_FOR_HELP = ("requests", "tomlkit", "rich", "packaging.pylock")
# Where a package's own code is tested; those with nothing but a docstring need no test.
INITS = {"cli/__init__.py": "cli/test_main.py", "catalog/__init__.py": "catalog/test_catalog.py"}
CONTRACTS = (
    "layers",
    "rules-apart",
    "adapters-carry",
    "world",
    "runtime-apart",
    "one-process",
    "pure",
    "click",
)

# contract, file that gets the line, line: each breaks that very contract
BREACHES = (
    ("layers", "errors.py", "import envsmith.model.backend"),
    ("layers", "model/report.py", "import envsmith.catalog"),
    ("layers", "catalog/tables.py", "import envsmith.plan.ports"),
    ("layers", "rules/capping.py", "import envsmith.files.atomic"),
    ("layers", "rules/capping.py", "import envsmith.plan.ports"),
    ("layers", "ports.py", "import envsmith.plan.pairings"),
    ("layers", "workflows/checking.py", "import envsmith.files.atomic"),
    ("layers", "adapters/files.py", "import envsmith.lock.check"),
    ("layers", "workflows/checking.py", "import envsmith.console.printer"),
    ("layers", "cli/render.py", "import envsmith.__main__"),
    ("layers", "entering.py", "import envsmith.console.printer"),
    ("layers", "attic.py", "NEW_ROOM = True"),
    ("rules-apart", "rules/capping.py", "import envsmith.plan.conflicts"),
    ("adapters-carry", "adapters/uv.py", "import envsmith.catalog"),
    ("adapters-carry", "adapters/uv.py", "from envsmith.plan import pairings as capping"),
    ("world", "cli/render.py", "import shutil"),
    ("world", "cli/lock.py", "import os.path"),
    ("world", "entering.py", "import os"),
    ("world", "workflows/locking.py", "import subprocess"),
    ("world", "workflows/locking.py", "import tempfile"),
    ("world", "rules/locking.py", "import os"),
    ("world", "catalog/tables.py", "import requests"),
    ("world", "model/target.py", "import platform"),
    ("world", "errors.py", "import socket"),
    ("world", "ports.py", "import os"),
    ("layers", "runtime/probe.py", "import envsmith.errors"),
    ("runtime-apart", "adapters/interpreter.py", "import envsmith.runtime.probe"),
    ("one-process", "adapters/uv.py", "import subprocess"),
    ("pure", "model/report.py", "import time"),
    ("pure", "rules/lifecycle.py", "from datetime import datetime"),
    ("click", "workflows/locking.py", "import click"),
    ("click", "adapters/terminal.py", "import click"),
    ("click", "entering.py", "import click"),
)


def lint_imports(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--contract", contract],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package, to break rules in."""
    shutil.copytree(PACKAGE, tmp_path / "envsmith", ignore=shutil.ignore_patterns("__pycache__", "snapshot"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract_holds(contract: str) -> None:
    done = lint_imports(ROOT, contract)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES)
def test_contract_breaks_when_its_rule_is_broken(house: Path, contract: str, file: str, line: str) -> None:
    path = house / "envsmith" / file
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", "utf-8")
    done = lint_imports(house, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout
    module = f"envsmith.{file.removesuffix('.py').replace('/', '.')}"
    assert module in done.stdout.replace("\n", "")


def test_every_contract_is_seen_to_hold_and_to_break() -> None:
    written = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert {item["id"] for item in written} == set(CONTRACTS) == {contract for contract, _, _ in BREACHES}


def test_composition_root_alone_of_the_command_line_may_touch_the_world(house: Path) -> None:
    path = house / "envsmith/cli/__init__.py"
    path.write_text(f"{path.read_text('utf-8')}\nimport os\n", "utf-8")
    assert lint_imports(house, "world").returncode == 0


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_keeps_its_limits(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    long = {
        function.name: size for function in functions(text) if (size := lines(function)) > MOST_FUNCTION_LINES
    }
    assert not long, "split these functions"
    assert path.stem not in FORBIDDEN_NAMES


def test_functions_are_short_as_a_rule() -> None:
    sizes = [lines(function) for path in MODULES for function in functions(path.read_text("utf-8"))]
    assert median(sizes) <= 10


def functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None and first.end_lineno is not None
    text = first.end_lineno - first.lineno + 1 if documented and first.end_lineno else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - text


def test_every_module_has_its_test_file() -> None:
    missing = []
    for path in MODULES:
        place = path.relative_to(PACKAGE)
        body = ast.parse(path.read_text("utf-8")).body
        if path.name == "__init__.py" and str(place) not in INITS and len(body) <= 2:
            continue
        expected = INITS.get(place.as_posix(), str(place.parent / f"test_{path.stem.strip('_')}.py"))
        if not (ROOT / "tests" / expected).exists():
            missing.append(f"tests/{expected}")
    assert not missing


def test_every_catalog_row_has_source_and_date() -> None:
    tables = sorted((PACKAGE / "catalog").glob("*.toml"))
    assert len(tables) >= 9
    for table in tables:
        for name, rows in tomllib.loads(table.read_text("utf-8")).items():
            for row in rows if isinstance(rows, list) else ():
                place = f"{table.name}: {name}: {row}"
                assert row["source"].strip(), place
                assert re.fullmatch(r"202\d-\d\d-\d\d", row["retrieved"]), place


def codes_in_source() -> dict[str, set[str]]:
    """Return code → the modules that name it in a literal of its own."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(node.value, set()).add(path.relative_to(PACKAGE).as_posix())
    return found


def documented_codes() -> list[str]:
    page = (ROOT / "docs/reference/findings.md").read_text("utf-8")
    return re.findall(rf"^\| ({CODE.pattern}) \|", page, re.MULTILINE)


# One code, one meaning: these are named by several modules, each for the same reason.
SHARED = {
    "CAT011",  # the form of a listing is known to the model, its place to the catalog
    "PRF004",  # a value of the wrong kind, wherever it stands
    "PRF005",  # a value not admitted, wherever it stands
    "PRF014",  # a key that is needed, of a profile or of one of its models
    "PRF013",  # a name without a profile, asked for on the command line or by `extends`
    "PRF030",  # a file that was named and is not there, whoever looks for it
    "PRF020",  # a malformed requirement, as a text or as a line
    "HST010",  # no lock fits: told by the choice; where one alone is locked it is taken all the same
    "PRF021",  # a requirement outside every index, as a text or as an option
    "RES021",  # raised by planning, completed with what exists elsewhere by the workflow
    "RES050",  # no solution: told by uv's adapter, answered by the workflow where a rule went too far
    "RES103",  # headlines of a profile: made by a rule, placed by the command line
    "RES104",
    "RES105",
    "RES106",  # two hashes on record: told by slicing, kept by locking for the files it takes
    "TOL011",  # a full disk, whatever is written
    "TOL013",  # a system that refuses, whatever is written
    "ENV021",  # a full disk, as uv tells it and as we meet it
    "LCK040",  # a profile that was never locked, or, before anything is read, a slip of the pen
    "LCK005",  # nothing is locked, or a lock's file is missing
    "TOL002",  # a program that runs past its time: of an import, the answer
    "TOL022",  # what uv cannot reach, for a lock or for an install
    "TOL030",  # a server that cannot be reached, now or before
    "TOL031",  # no complete answer in time, of one request or of a whole index
    "TOL033",  # an answer too large, of a page or of a part
}
# These act on what others found: they read codes, and give none.
READERS = {
    "rules/changing.py",
    "rules/curing.py",
    "workflows/repairing.py",
    "cli/doctor_fix.py",
    "cli/parent_folder.py",
}
FAMILIES = {
    "ProfileError": "PRF",
    "ResolveError": "RES",
    "LockError": "LCK",
    "CatalogError": "CAT",
    "HostError": "HST",
    "ToolError": "TOL",
    "InstallError": "ENV",
}


def test_one_code_means_one_thing() -> None:
    several = {code for code, modules in codes_in_source().items() if len(modules - READERS) > 1}
    assert several <= SHARED


def test_code_and_kind_of_error_agree() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            first, family = node.args[0], FAMILIES.get(node.func.id)
            if family and isinstance(first, ast.Constant):
                assert str(first.value).startswith(family), f"{path}:{node.lineno}"


def test_every_code_has_one_row_in_the_reference() -> None:
    rows = documented_codes()
    assert [code for code, count in Counter(rows).items() if count > 1] == []
    assert set(codes_in_source()) - set(rows) == set(), "codes without a row"
    assert set(rows) - set(codes_in_source()) == set(), "rows without a code"


def test_rows_of_the_reference_are_in_order_and_full() -> None:
    rows = documented_codes()
    families = list(dict.fromkeys(code[:3] for code in rows))
    assert rows == sorted(rows, key=lambda code: (families.index(code[:3]), code))
    page = (ROOT / "docs/reference/findings.md").read_text("utf-8")
    for line in page.splitlines():
        if line.startswith("| ") and CODE.match(line[2:]):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            assert len(cells) == 3, line
            assert all(cells), line


def test_help_imports_nothing_but_click() -> None:
    script = (
        "import sys; from envsmith.cli import main; status = main(['--help']); "
        f"found = [name for name in {NOT_FOR_HELP!r} if name in sys.modules]; "
        "ours = [name for name in sys.modules if name.startswith('envsmith.')]; "
        "print(status, found, sorted(ours))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "0 [] ['envsmith.cli', 'envsmith.errors']"
