from __future__ import annotations

import pytest

from envsmith.catalog import Catalog
from envsmith.doctor.rules import system_checks
from envsmith.host.system_probes import Connectivity, DiskSpace
from tests.environment.test_lock_comparison import distribution, environment

URL = "https://download.pytorch.org/whl/"
KNOWN = "2026-11-20"
BEFORE, SINCE = "2020-01-01", "2026-11-21"


@pytest.mark.parametrize(
    ("free", "severities"), [(50 * 10**9, []), (4 * 10**9, ["warning"]), (10**8, ["error"])]
)
def test_room(free: int, severities: list[str]) -> None:
    found = list(system_checks.disk(DiskSpace(folder="/cache/uv", free_bytes=free)))
    assert [item.severity for item in found] == severities
    assert all("/cache/uv" in item.message for item in found)


@pytest.mark.parametrize(
    ("longest", "project", "severities"),
    [
        ("C:\\a\\x.py", "C:\\" + "a" * 200, []),
        ("C:\\" + "x" * 240, "C:\\a", ["note"]),
        ("C:\\" + "x" * 257, "C:\\a", ["warning"]),
        ("", "C:\\a", []),
        ("", "C:\\" + "a" * 49, ["note"]),
    ],
)
def test_lengths_of_paths_on_windows(longest: str, project: str, severities: list[str]) -> None:
    found = list(system_checks.long_paths(longest, project, Catalog.embedded()))
    assert [item.severity for item in found] == severities
    assert all("LongPathsEnabled 1" in item.hint for item in found)


@pytest.mark.parametrize(
    ("reach", "codes"),
    [
        (Connectivity(url=URL, clock_ahead_s=2.0), []),
        (Connectivity(url=URL), []),
        (Connectivity(url=URL, proxies=(("HTTPS_PROXY", "http://proxy:3128"),), clock_ahead_s=0.0), []),
        (Connectivity(url=URL, proxies=(("HTTPS_PROXY", "proxy:3128"),), clock_ahead_s=0.0), ["HST040"]),
        (Connectivity(url=URL, error="no answer"), ["HST041"]),
        (Connectivity(url=URL, clock_ahead_s=-86_400.0, date=SINCE), ["HST042"]),
        (Connectivity(url=URL, error="no answer", date=BEFORE), ["HST041", "HST042"]),
        (
            Connectivity(url=URL, error="not trusted", has_date_error=True, clock_ahead_s=-9e7),
            ["HST041", "HST042"],
        ),
        (Connectivity(url=URL, error="no answer", date=SINCE), ["HST041"]),
    ],
)
def test_the_way_to_the_index(reach: Connectivity, codes: list[str]) -> None:
    assert [item.code for item in system_checks.network(reach, KNOWN)] == codes


def test_the_clock_s_direction_and_the_proxy_are_told() -> None:
    (slow,) = system_checks.network(Connectivity(url=URL, clock_ahead_s=-3600.0), KNOWN)
    assert "60 minutes slow" in slow.message
    (_, past) = system_checks.network(Connectivity(url=URL, error="refused", date=BEFORE), KNOWN)
    assert "clock is set to 2020-01-01, before 2026-11-20" in past.message
    (_, proved) = system_checks.network(
        Connectivity(url=URL, error="a", has_date_error=True, clock_ahead_s=-9e7), KNOWN
    )
    assert (proved.severity, "certificates are rejected" in proved.message) == ("error", True)
    (dead,) = system_checks.network(
        Connectivity(url=URL, error="refused", proxies=(("ALL_PROXY", "http://proxy:3128"),)), KNOWN
    )
    assert f"cannot connect to {URL} through the proxy of ALL_PROXY: refused" in dead.message
    (left_out,) = system_checks.network(
        Connectivity(
            url=URL, error="refused", bypasses_proxy=True, proxies=(("ALL_PROXY", "http://proxy:3128"),)
        ),
        KNOWN,
    )
    assert f"cannot connect to {URL}: refused" in left_out.message


@pytest.mark.parametrize(
    ("name", "version", "os", "count"),
    [
        ("torch", "2.9.0+cpu", "windows", 1),
        ("torch", "2.9.0+cpu", "linux", 0),
        ("torch", "2.3.0+cpu", "windows", 1),
        ("torch", "2.4.0+cpu", "windows", 1),
        ("torch", "2.4.1+cpu", "windows", 0),
        ("torch", "2.8.0+cpu", "windows", 0),
        ("onnxruntime-gpu", "1.27.0", "linux", 1),
        ("onnxruntime-gpu", "1.28.0", "linux", 0),
        ("torch", "no version", "windows", 0),
    ],
)
def test_releases_known_to_be_bad(name: str, version: str, os: str, count: int) -> None:
    found = environment(distribution(name, version))
    assert len(list(system_checks.known_bad(found, os, Catalog.embedded()))) == count


@pytest.mark.parametrize(("visual_cpp", "count"), [(None, 1), ((14, 36, 32532), 0), ((14, 44, 35211), 0)])
def test_what_an_old_library_causes_is_another_check_s(
    visual_cpp: tuple[int, ...] | None, count: int
) -> None:
    found = environment(distribution("torch", "2.9.0+cpu"))
    assert len(list(system_checks.known_bad(found, "windows", Catalog.embedded(), visual_cpp))) == count
