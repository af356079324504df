"""Paths beyond 260 characters, and file systems without junctions, as `tests/windows/junctions.py` simulates them.

Wine has neither limit: calls of the Python that runs envsmith refuse what Windows refuses; uv.exe and the environment's
own Python are not bound.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.install.made import Shop, made
from tests.windows.conftest import Drive

KEY = (r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem", "/v", "LongPathsEnabled", "/f")
FOLDERS = f"beside/{'deep' * 20}/{'deeper' * 20}"
FILES = dict.fromkeys(("beside/__init__.py", f"{FOLDERS}/a.py", f"{FOLDERS}/b.py"), b"x = 1\n")
LONG, OTHER = made("beside", files=FILES), made("other")


@pytest.fixture
def limit(drive: Drive, shop: Shop) -> Iterator[Callable[[bool], None]]:
    """A function that sets the limit of paths, or takes it away, in the registry and for envsmith's calls."""

    def limit(is_on: bool) -> None:
        change = ("delete", *KEY) if is_on else ("add", *KEY, "/t", "REG_DWORD", "/d", "1")
        drive.run("reg", *change, at=shop.project.root)
        shop.project.env["SIM_MAX_PATH"] = "1" if is_on else ""

    yield limit
    drive.run("reg", "delete", *KEY, at=shop.project.root)


def test_a_path_that_is_too_long_is_refused_before_the_build(
    shop: Shop, limit: Callable[[bool], None]
) -> None:
    shop.stock(LONG, OTHER)
    shop.lock(LONG, OTHER)
    limit(True)
    for words in ((), ("--dry-run",)):
        ran = shop.install(*words)
        assert (ran.status, "ENV036" in ran.err) == (2, True), ran.said
        assert "of beside would have" in ran.err
        assert "LongPathsEnabled 1" in ran.err
        assert shop.names() == []


@pytest.mark.weekly
def test_an_environment_with_long_paths_is_verified_measured_and_removed(
    shop: Shop, limit: Callable[[bool], None]
) -> None:
    shop.stock(LONG, OTHER)
    shop.lock(LONG, OTHER)
    limit(False)
    ran = shop.install()
    assert ran.status == 0, ran.said
    limit(True)
    ran = shop.project.run("verify", "small", "--deep")
    assert ran.status == 0, ran.said
    ran = shop.project.run("doctor", "lengths", "--json")
    (finding,) = json.loads(ran.out)["data"]["findings"]
    assert (finding["code"], finding["subject"].endswith("a.py")) == ("HST031", True), ran.said
    ran = shop.project.run("generations", "--json")
    (only,) = json.loads(ran.out)["data"]["generations"]
    assert only["own_bytes"] + only["shared_bytes"] > 12
    first = shop.current()
    (site,) = shop.generations.glob(f"{first}/Lib/site-packages")
    (site / FOLDERS / "a.py").unlink()
    (site / FOLDERS / "b.py").unlink()
    (site / FOLDERS / "b.py").write_bytes(b"x = 2\n")
    ran = shop.project.run("verify", "small", "--deep")
    assert "1 of 9 files is missing" in ran.said, ran.said
    assert "1 of 9 files is changed" in ran.said
    shop.lock(OTHER)
    ran = shop.install()
    assert ran.status == 0, ran.said
    ran = shop.project.run("generations", "--keep", "1")
    assert (ran.status, shop.names()) == (0, [shop.current()]), ran.said


@pytest.mark.weekly
def test_a_file_system_without_junctions_is_told_before_the_build(shop: Shop) -> None:
    shop.stock(OTHER)
    shop.lock(OTHER)
    shop.project.env["SIM_NO_JUNCTIONS"] = "87"
    ran = shop.install()
    assert (ran.status, "ENV024" in ran.err) == (2, True), ran.said
    assert "the file system has no junctions, like exFAT and network shares" in ran.err
    assert shop.names() == []
    assert not (shop.project.root / "uv-cache").exists()
    assert not shop.link.exists()
    assert sorted(path.name for path in shop.link.with_name(".envsmith").iterdir()) == [".gitignore", "g"]
