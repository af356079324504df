from __future__ import annotations

from envsmith.host.system import Reach, Room


def test_values_compare_by_what_they_say() -> None:
    assert Reach(url="https://a") == Reach(url="https://a", proxies=(), error="", ahead_s=None)
    assert Room(folder="/a", free_bytes=1) != Room(folder="/a", free_bytes=2)
