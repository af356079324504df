from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.environment.lock_comparison import verify
from envsmith.environment.model import Distribution, Environment, Import, TorchBuild
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.backend import Backend
from tests.environment.test_model_interpreter import interpreter
from tests.values import HEX


def pins(**versions: str) -> Pins:
    return Pins(
        packages=tuple(Pin(name=name, version=text, sha256=(HEX,)) for name, text in versions.items())
    )


def distribution(name: str, version: str) -> Distribution:
    folder = f"{name}-{version}.dist-info"
    return Distribution(name=name, version=version, folder=folder, has_record=True, files=5, size_bytes=9)


def environment(*found: Distribution, torch: TorchBuild | None = None) -> Environment:
    return Environment(prefix="/env", site="lib", interpreter=interpreter(), distributions=found, torch=torch)


def said(pins: Pins, backend: str, found: Environment, *imports: Import) -> list[tuple[str, str]]:
    report = verify(pins, Backend.parse(backend), found, imports)
    return [(finding.code, finding.message) for finding in report.findings]


def test_nothing_is_said_where_all_is_right() -> None:
    found = environment(
        distribution("a", "1.0.0"),
        distribution("torch", "2.11.0+cu128"),
        torch=TorchBuild(version="2.11.0+cu128", cuda="12.8"),
    )
    assert said(pins(a="1.0", torch="2.11.0+cu128"), "cu128", found, Import(name="a", seconds=1.0)) == []


def test_what_is_missing_too_much_or_of_another_version() -> None:
    found = environment(distribution("b", "2"), distribution("c", "1"))
    assert said(pins(a="1", b="1"), "cpu", found) == [
        ("ENV010", "a 1 is not installed"),
        ("ENV012", "b 2 is installed; 1 is locked"),
        ("ENV011", "c 1 is installed, but not locked"),
    ]


def test_a_label_that_names_a_torch_may_be_in_the_file_s_name_alone() -> None:
    locked = pins(**{"flash-attn": "2.8.3+cu12torch2.8cxx11abitrue"})
    assert said(locked, "cu128", environment(distribution("flash-attn", "2.8.3"))) == []
    assert said(locked, "cu128", environment(distribution("flash-attn", "2.8.2"))) != []
    assert said(pins(a="1+cu128"), "cu128", environment(distribution("a", "1"))) != []


def test_one_project_installed_twice() -> None:
    found = environment(distribution("a", "1"), distribution("a", "2"))
    assert said(pins(a="1"), "cpu", found) == [("ENV012", "a is installed more than once: 1 and 2")]


def test_files_are_told_with_number_and_names() -> None:
    whole = distribution("a", "1")
    broken = replace(
        whole, has_record=False, missing=("a.py",), missing_count=1, changed=tuple("bcdef"), changed_count=5
    )
    assert said(pins(a="1"), "cpu", environment(broken)) == [
        ("ENV013", "a 1 has no complete RECORD: its files cannot be compared"),
        ("ENV014", "a 1: 1 of 5 files is missing: a.py"),
        ("ENV015", "a 1: 5 of 5 files are changed: b, c, d and 2 more"),
    ]


@pytest.mark.parametrize(
    ("pin", "backend", "torch", "codes"),
    [
        ("2.11.0+cu128", "cu128", TorchBuild(version="2.11.0+cu128", cuda="12.8"), []),
        ("2.11.0+cu128", "cu128", TorchBuild(version="2.11.0+cu128", cuda="13.0"), ["ENV016"]),
        ("2.11.0+cu128", "cu128", TorchBuild(version="2.11.0+cu128"), ["ENV016"]),
        ("2.11.0+cu128", "cu128", TorchBuild(version="2.11.0+cpu"), ["ENV016", "ENV016"]),
        ("2.11.0+cu128", "cu130", TorchBuild(version="2.11.0+cu128", cuda="12.8"), ["ENV016"] * 3),
        ("2.13.0+cpu", "cpu", TorchBuild(version="2.13.0+cpu"), []),
        ("2.13.0", "cpu", TorchBuild(version="2.13.0"), []),
        ("2.13.0+cpu", "cpu", TorchBuild(version="2.13.0+cpu", cuda="13.0"), ["ENV016"]),
        ("2.13.0+cpu", "cpu", TorchBuild(version="2.12.0+cpu"), ["ENV016"]),
        ("2.15.0", "cu132", TorchBuild(version="2.15.0+cu132", cuda="13.2"), []),
        ("2.15.0", "cu132", TorchBuild(version="2.15.0+cu130", cuda="13.0"), ["ENV016", "ENV016"]),
        ("2.9.0+rocm6.4", "rocm6.4", TorchBuild(version="2.9.0+rocm6.4", hip="6.4.43482-0f2d60242"), []),
        ("2.9.0+rocm6.4", "rocm6.4", TorchBuild(version="2.9.0+rocm6.4", hip="6.45.1"), ["ENV016"]),
        ("2.9.0+xpu", "xpu", TorchBuild(version="2.9.0+xpu", xpu="20250201"), []),
        ("2.9.0+xpu", "xpu", TorchBuild(version="2.9.0+xpu"), []),
        ("2.9.0+xpu", "xpu", None, ["ENV016"]),
    ],
)
def test_torch_says_the_build_of_the_plan(
    pin: str, backend: str, torch: TorchBuild | None, codes: list[str]
) -> None:
    found = environment(distribution("torch", pin), torch=torch)
    assert [code for code, _ in said(pins(torch=pin), backend, found)] == codes


def test_an_import_that_fails_is_told() -> None:
    failed = Import(name="a.b", error="OSError: no", place="a/b.py:3")
    assert said(pins(), "cpu", environment(), failed) == [
        ("ENV017", "import a.b fails: OSError: no (a/b.py:3)")
    ]


def test_installers_that_the_lock_does_not_name_are_a_note() -> None:
    found = verify(
        pins(a="1"), Backend.parse("cpu"), environment(distribution("a", "1"), distribution("pip", "26"))
    )
    assert [(item.code, item.severity, item.subject) for item in found.findings] == [
        ("ENV011", "note", "pip")
    ]


def test_the_projects_own_package_is_no_error() -> None:
    there = environment(distribution("app", "1"), distribution("other", "1"))
    found = verify(pins(), Backend.parse("cpu"), there, own=("app",)).findings
    assert [(item.subject, item.severity) for item in found] == [("app", "note"), ("other", "error")]
    assert found[0].message == "app 1 is installed from the project's own folder, but not locked"
