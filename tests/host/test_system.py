from __future__ import annotations

from envsmith.host.system import Connectivity, DiskSpace


def test_values_compare_by_what_they_say() -> None:
    assert Connectivity(url="https://a") == Connectivity(
        url="https://a", proxies=(), error="", clock_ahead_s=None
    )
    assert DiskSpace(folder="/a", free_bytes=1) != DiskSpace(folder="/a", free_bytes=2)
