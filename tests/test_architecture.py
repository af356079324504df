"""Rules of structure that a machine can check: layers, budgets, names, codes, sources, imports at start-up."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from copy import deepcopy
from pathlib import Path

import pytest
from grimp import ImportGraph, build_graph
from importlinter import configuration
from importlinter.application import use_cases
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import Contract

from tools import check_structure
from tools.check_structure import Module, figures, problems, read_modules

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "envsmith"
MODULES = sorted(PACKAGE.rglob("*.py"))
STRUCTURE = read_modules(PACKAGE)
CODE = re.compile(r"(?:PRF|RES|LCK|CAT|TOL|ENV|HST|USE)\d{3}")
NOT_FOR_GENERATIONS = (
    "requests",
    "tomlkit",
    "tomllib",
    "rich",
    "packaging",
    "subprocess",
    "hashlib",
    "email",
)
NOT_FOR_HELP = ("requests", "tomlkit", "rich", "packaging.pylock")
CONTRACTS = ("layers", "pure", "world", "one-process", "click", "runtime-apart", "no-cycles")

# contract, file that gets the line, line: each breaks that very contract
BREACHES = (
    ("layers", "errors.py", "import envsmith.model.backend"),
    ("layers", "model/finding.py", "import envsmith.catalog"),
    ("layers", "process/runner.py", "import envsmith.files.atomic"),
    ("layers", "files/atomic.py", "import envsmith.net.client"),
    ("layers", "net/client.py", "import envsmith.host.model"),
    ("layers", "host/model.py", "import envsmith.config.profile"),
    ("layers", "config/profile.py", "import envsmith.catalog"),
    ("layers", "catalog/table_reader.py", "import envsmith.lockfile.pins"),
    ("layers", "lockfile/pins.py", "import envsmith.index.reader"),
    ("layers", "index/reader.py", "import envsmith.plan.model"),
    ("layers", "plan/planner.py", "import envsmith.uv.resolver"),
    ("layers", "uv/resolver.py", "import envsmith.environment.model"),
    ("layers", "environment/model.py", "import envsmith.usage.tree"),
    ("layers", "usage/tree.py", "import envsmith.console.printer"),
    ("layers", "console/printer.py", "import envsmith.wiring"),
    ("layers", "wiring.py", "import envsmith.activate.model"),
    ("layers", "activate/model.py", "import envsmith.lock.lock"),
    ("layers", "lock/lock.py", "import envsmith.install.install"),
    ("layers", "select/verdicts.py", "import envsmith.download.record"),
    ("layers", "download/record.py", "import envsmith.install.install"),
    ("layers", "install/install.py", "import envsmith.project.init"),
    ("layers", "project/init.py", "import envsmith.verify.verify"),
    ("layers", "verify/verify.py", "import envsmith.scan.fix"),
    ("layers", "scan/fix.py", "import envsmith.diff.diff"),
    ("layers", "export/formats.py", "import envsmith.doctor.checks"),
    ("layers", "doctor/repair.py", "import envsmith.report.model"),
    ("layers", "report/model.py", "import envsmith.cli.main"),
    ("layers", "cli/parent_folder.py", "import envsmith.__main__"),
    ("layers", "runtime/inspect_environment.py", "import envsmith.errors"),
    ("layers", "attic.py", "NEW_PACKAGE = True"),
    ("pure", "model/finding.py", "import time"),
    ("pure", "catalog/facts.py", "import os"),
    ("pure", "plan/backend_lifecycle.py", "from datetime import datetime"),
    ("pure", "lockfile/pins.py", "import io"),
    ("pure", "doctor/rules/gpu.py", "import threading"),
    ("pure", "select/verdicts.py", "import random"),
    ("pure", "diff/output.py", "import sys"),
    ("pure", "host/model.py", "import platform"),
    ("pure", "lock/admission.py", "import logging"),
    ("world", "cli/parent_folder.py", "import shutil"),
    ("world", "lock/cli.py", "import os.path"),
    ("world", "lock/lock.py", "import tempfile"),
    ("world", "activate/fast_run.py", "import os"),
    ("world", "catalog/table_reader.py", "import requests"),
    ("world", "model/target.py", "import platform"),
    ("world", "errors.py", "import socket"),
    ("world", "install/rollback.py", "import shutil"),
    ("one-process", "uv/resolver.py", "import subprocess"),
    ("one-process", "lock/lock.py", "import subprocess"),
    ("click", "lock/lock.py", "import click"),
    ("click", "net/client.py", "import click"),
    ("click", "activate/fast_run.py", "import click"),
    ("runtime-apart", "environment/interpreter.py", "import envsmith.runtime.inspect_environment"),
    ("no-cycles", "plan/model.py", "import envsmith.plan.target_plan"),
    ("no-cycles", "lockfile/pins.py", "import envsmith.lockfile.store"),
)


def lint_imports(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    options = [word for contract in contracts for word in ("--contract", contract)]
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    """Return id → options and contract, as `lint-imports` reads them from pyproject.toml."""
    configuration.configure()
    read = use_cases.read_user_options(str(ROOT / "pyproject.toml"))
    classes: dict[str, type[Contract]] = {
        "layers": LayersContract,
        "forbidden": ForbiddenContract,
        "protected": ProtectedContract,
        "acyclic_siblings": AcyclicSiblingsContract,
    }
    return {
        options["id"]: classes[options["type"]](options["name"], read.session_options, options)
        for options in read.contracts_options
    }


@pytest.fixture(scope="module")
def graph() -> ImportGraph:
    return build_graph("envsmith", include_external_packages=True, cache_dir=None)


def test_all_contracts_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES)
def test_contract_breaks_when_an_import_breaks_its_rule(
    contract: str, file: str, line: str, contracts: dict[str, Contract], graph: ImportGraph
) -> None:
    broken = deepcopy(graph)
    module = f"envsmith.{file.removesuffix('.py').replace('/', '.')}"
    if module not in broken.modules:
        broken.add_module(module)
    if found := re.fullmatch(r"(?:from|import) ([\w.]+)(?: import \w+)?", line):
        imported = found[1] if found[1].startswith("envsmith") else found[1].split(".")[0]
        if imported not in broken.modules:
            broken.add_module(imported, is_squashed=not imported.startswith("envsmith"))
        broken.add_import(importer=module, imported=imported, line_number=1, line_contents=line)
    assert contracts[contract].check(deepcopy(graph), verbose=False).kept
    assert not contracts[contract].check(broken, verbose=False).kept


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_linter_names_the_module_that_breaks_a_contract(tmp_path: Path, contract: str) -> None:
    """One breach of each contract is written into a copy of the package, and seen by the command."""
    copy = tmp_path / "envsmith"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "snapshot"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file, line = next((file, line) for name, file, line in BREACHES if name == contract)
    with (copy / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")
    done = lint_imports(tmp_path, contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout
    module = file.removesuffix(".py").replace("/", ".")
    package, _, name = module.rpartition(".")
    named = rf"envsmith\.{re.escape(module)}|envsmith\.{package}\.\n(?s:.*)\.{name}\b"
    assert re.search(named, done.stdout), done.stdout


def test_every_contract_is_seen_to_hold_and_to_break() -> None:
    written = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert {item["id"] for item in written} == set(CONTRACTS) == {contract for contract, _, _ in BREACHES}


def test_the_structure_keeps_its_budgets() -> None:
    assert problems(STRUCTURE) == []


def test_the_figures_name_the_fullest_folder_and_the_largest_file() -> None:
    shown = "\n".join(figures([module("a/x.py", 70), module("a/y.py", 90), module("b/z.py", 80)]))
    assert "modules           3 in 2 folders" in shown
    assert "fullest folder    a (2 modules)" in shown
    assert "largest file      a/y.py (90 lines)" in shown


def module(place: str, lines: int = 60, code: str = "X = 1") -> Module:
    return Module(place, "\n".join([code, *["# text"] * (lines - len(code.splitlines()))]))


def function(lines: int) -> str:
    return "\n".join(
        ["def f() -> int:", '    """Documented."""', *["    print()"] * (lines - 2), "    return 1"]
    )


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ([module(f"a/m{number}.py") for number in range(17)], "a: 17 modules, at most 16"),
        ([module(f"runtime/m{number}.py") for number in range(21)], "runtime: 21 modules, at most 20"),
        ([module(f"a/m{number}.py", 590) for number in range(6)], "a: 3,540 lines, at most 3,500"),
        ([module(f"p{number}/m{number}.py") for number in range(36)], "36 names at the top level"),
        ([module("a/x.py", 601)], "a/x.py: 601 lines, at most 600"),
        ([module("a/x.py", 59)], "a/x.py: 59 lines: merge it, or give a reason"),
        (
            [module("a/x.py", 90, "\n".join([function(51), function(3), function(3)]))],
            "a/x.py: f has 51 lines",
        ),
        ([module("a/x.py", 90, function(11))], "functions have 11 lines in the median"),
        ([module("a/utils.py")], "a/utils.py: the name says nothing"),
        (
            [module("a/x.py", 60, "class C: ..."), module("b/y.py", 60, "class C: ...")],
            "class C is defined 2 times",
        ),
        ([module("a/x.py"), module("b/x.py")], "module name x is used 2 times: a/x.py, b/x.py"),
    ],
)
def test_a_budget_that_is_exceeded_is_reported(
    modules: list[Module], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_structure, "SMALL", {})
    (found,) = problems(modules)
    assert found.startswith(problem)


def test_budgets_that_are_met_are_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_structure, "SMALL", {"a/small.py": "start-up path"})
    modules = [
        *(module(f"a/m{number}.py", 200) for number in range(15)),
        module("a/small.py", 20),
        module("a/__init__.py", 1, '"""Package."""'),
        module("b/cli.py", 600),
        module("c/cli.py", 60, function(10)),
    ]
    assert problems([one for one in modules if one.place != "a/m14.py"]) == []


def test_a_reason_for_a_small_module_that_is_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_structure, "SMALL", {"a/gone.py": "start-up path"})
    assert problems([module("a/x.py")]) == [
        "a/gone.py: has a reason to be small in SMALL, and is not a small module"
    ]


def test_every_package_has_its_tests() -> None:
    packages = {one.place.split("/")[0] for one in STRUCTURE if "/" in one.place}
    missing = [name for name in sorted(packages) if not list((ROOT / "tests" / name).rglob("test_*.py"))]
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
    "TOL020",  # a uv that answers in a way that cannot be used, whatever was asked
    "LCK036",  # a changed file of a lock, of its pins or of its scripts
    "LCK037",  # a missing one
    "PRF040",  # a time that is malformed, or in the future
    "PRF042",  # no profile given, to lock or to sync
    "PRF028",  # extras or groups that the project does not have, to lock or to edit
    "PRF022",  # several backends, named by labels or by indexes
    "PRF024",  # an option that a line of requirements may not have, alone or after a requirement
    "PRF026",  # an index or page that cannot be used, in a line or in a tool's table
    "PRF027",  # an extra or group that is not there, in the tables of each tool
    "PRF052",  # a package from elsewhere, or from an index for some targets
    "USE016",  # builds that are not trusted, with the command line of whoever asked
    "PRF060",  # a place without a package, found while packages are provided, files opened or metadata read
    "PRF048",  # a profile that exists already, for init and for adopt
    "RES061",  # packages without a wheel, for a target or for a platform
    "ENV080",  # no environment to adopt: none there, or none that a lock can describe
    "PRF101",  # an index of PyTorch that the profile's replaces, in a line or in a table
    "PRF017",  # a profile that cannot be edited
    "TOL012",  # a file that cannot be read
    "LCK038",  # an activation script other than the lock's, when checked and when used
    "LCK060",  # files of a lock that disagree, among each other and with the plan
    "PRF025",  # a file of requirements outside the project, named by a file or by a lock
    "TOL033",  # an answer too large, of a page or of a part
}
# These act on what others found: they read codes, and give none.
READERS = {
    "lock/explain/explain.py",
    "doctor/repair_plan.py",
    "doctor/repair.py",
    "doctor/fix_cli.py",
    "project/adopt/drafted_lock.py",
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
        "import sys; from envsmith.cli.main import main; status = main(['--help']); "
        f"found = [name for name in {NOT_FOR_HELP!r} if name in sys.modules]; "
        "ours = [name for name in sys.modules if name.startswith('envsmith.')]; "
        "print(status, found, sorted(ours))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    )
    ours = (
        "'envsmith.cli', 'envsmith.cli.main', 'envsmith.console', 'envsmith.console.streams', 'envsmith.errors', "
        "'envsmith.host', 'envsmith.host.project_folder', 'envsmith.process', 'envsmith.process.signals'"
    )
    assert done.stdout.splitlines()[-1] == f"0 [] [{ours}]"


@pytest.mark.parametrize("command", ["rollback", "generations"])
def test_switching_generations_imports_little(command: str, tmp_path: Path) -> None:
    script = (
        f"import sys; from envsmith.cli.main import main; main([{command!r}]); "
        f"found = [name for name in {NOT_FOR_GENERATIONS!r} if name in sys.modules]; "
        "print(found, len([name for name in sys.modules if name.startswith('envsmith.')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True, cwd=tmp_path
    )
    found, _, count = done.stdout.splitlines()[-1].rpartition(" ")
    assert (found, int(count) <= 36) == ("[]", True), f"{done.stdout}{done.stderr}"


def test_names_that_benchmarks_import_exist() -> None:
    for path in (ROOT / "bench").glob("*.py"):
        # Programs in strings as well, which no other check reads.
        for line in re.findall(r"from envsmith[\w.]* import [\w, ]+", path.read_text("utf-8")):
            exec(line, {})  # noqa: S102 - an import statement of this repository
