from __future__ import annotations

from envsmith.lockfile.pins import InstallSource


def test_files_come_from_where_the_text_says_unless_a_wheelhouse_is_named() -> None:
    supply = InstallSource(text="torch==2.13.0", is_pylock=False)
    assert supply.wheelhouse == ""
    assert supply.sources == ()
