from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.catalog import Catalog
from envsmith.doctor.rules.system_checks import runtime
from envsmith.host.system_probes import Library, VisualCpp, find_visual_cpp
from tests.environment.test_lock_comparison import distribution, environment
from tests.host.recorded import nothing, registry

CATALOG = Catalog.embedded()
TORCH = environment(distribution("torch", "2.9.0+cpu"))


@pytest.mark.parametrize(
    ("name", "torch", "codes"),
    [
        ("library too old", "2.9.0+cpu", ["HST017"]),
        ("library too old", "2.15.0+cu130", ["HST017"]),
        ("library too old", "2.8.0+cpu", []),
        ("library too old", "no version", []),
        ("library new enough", "2.9.0+cpu", []),
    ],
)
def test_the_library_against_torch(tmp_path: Path, name: str, torch: str, codes: list[str]) -> None:
    found = find_visual_cpp(registry(name), {"SYSTEMROOT": str(tmp_path)}, "amd64", ())
    findings = list(runtime(found, environment(distribution("torch", torch)), "amd64", CATALOG))
    assert [item.code for item in findings] == codes
    assert all("14.36.32532" in item.message and "14.40 or later" in item.message for item in findings)


def test_no_library_at_all(tmp_path: Path) -> None:
    found = find_visual_cpp(nothing, {"SYSTEMROOT": str(tmp_path)}, "amd64", ())
    (finding,) = runtime(found, None, "amd64", CATALOG)
    assert (finding.code, finding.severity) == ("HST016", "error")
    assert finding.hint == "winget install --id Microsoft.VCRedist.2015+.x64"
    (finding,) = runtime(found, TORCH, "arm64", CATALOG)
    assert finding.hint.endswith(".arm64")


def test_an_old_copy_that_a_package_brought() -> None:
    old = Library(path=r"D:\app\.venv\Lib\site-packages\thing\msvcp140.dll", version=(14, 29, 30133))
    new = Library(path=r"C:\Python312\msvcp140.dll", version=(14, 44, 35211))
    system = Library(path=r"C:\Windows\System32\msvcp140.dll", version=(14, 44, 35211))
    (finding,) = runtime(VisualCpp(system=system, copies=(new, old)), TORCH, "amd64", CATALOG)
    assert (finding.code, finding.severity, finding.subject) == ("HST018", "warning", old.path)
    assert list(runtime(VisualCpp(system=system, copies=(new,)), TORCH, "amd64", CATALOG)) == []


def test_a_file_that_does_not_tell_its_version_is_no_finding() -> None:
    found = VisualCpp(system=Library(path=r"C:\Windows\System32\msvcp140.dll"))
    assert list(runtime(found, TORCH, "amd64", CATALOG)) == []
