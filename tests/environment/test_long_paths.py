from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PureWindowsPath

import pytest

from envsmith.catalog import Catalog
from envsmith.environment.long_paths import check_lengths, longest_installed
from envsmith.errors import InstallError
from envsmith.lockfile.pins import Pin
from envsmith.model.wheel import WheelContents
from tests.site_packages import write_distribution

TORCH = Pin(name="torch", version="2.13.0+cpu", sha256=())
KNOWN = Catalog.embedded().bad_releases()
# Of an environment, below the project, to site-packages.
BELOW = len("\\.envsmith\\g\\000000\\Lib\\site-packages\\")


def prefix(length: int, name: str = "") -> PureWindowsPath:
    """Return the prefix in a project folder of this length."""
    project = "C:\\" + "p" * (length - 3 - len(name)) + name
    return PureWindowsPath(project, ".envsmith", "g", "000000")


def test_the_longest_file_of_a_torch_that_nobody_has_read_is_known_by_the_catalog() -> None:
    most = 259 - BELOW - 171  # 167 characters, and those of `+cpu`
    check_lengths(prefix(most), [TORCH], {}, KNOWN, has_store=False)
    with pytest.raises(
        InstallError, match=r"ENV036: .*torch would have 262 characters.* allows 259"
    ) as caught:
        check_lengths(prefix(most + 3), [TORCH], {}, KNOWN, has_store=True)
    details = dict(caught.value.details)
    assert details["file"].startswith("Lib\\site-packages\\torch-2.13.0+cpu.dist-info\\licenses\\third_party")
    assert "3 characters shorter, or enable long paths, in PowerShell" in caught.value.hint
    assert "LongPathsEnabled 1" in caught.value.hint


def test_the_files_of_a_wheel_that_was_read_count_and_no_others() -> None:
    wheel = WheelContents(size_bytes=1, members={"a/" + "x" * 100: 1, "<headers>/" + "x" * 300: 1})
    a = Pin(name="a", version="1", sha256=())
    check_lengths(prefix(259 - BELOW - 102), [a, TORCH], {"a": wheel, "torch": wheel}, KNOWN, has_store=False)
    with pytest.raises(InstallError, match="ENV036"):
        check_lengths(prefix(259 - BELOW - 101), [a], {"a": wheel}, KNOWN, has_store=False)
    check_lengths(prefix(259 - BELOW), [a], {}, KNOWN, has_store=False)
    folder = replace(TORCH, version="", sha256=(), source="./torch")  # a build decides its version
    check_lengths(prefix(259 - BELOW), [folder], {}, KNOWN, has_store=False)


def test_a_store_is_named_where_it_helps() -> None:
    for name, is_named in (("\\app", True), ("", False)):
        with pytest.raises(InstallError, match="ENV036") as caught:
            check_lengths(prefix(60, name), [TORCH], {}, KNOWN, has_store=False)
        assert ("`--store C:\\e`" in caught.value.hint) is is_named


def test_the_longest_installed_file_is_that_of_the_records(tmp_path: Path) -> None:
    assert longest_installed(tmp_path) == ""
    site = tmp_path / "Lib" / "site-packages"
    site.mkdir(parents=True)
    write_distribution(site, "a", {"a/__init__.py": b"", f"a/{'x' * 60}.py": b""})
    assert longest_installed(tmp_path).endswith(f"\\a\\{'x' * 60}.py")
