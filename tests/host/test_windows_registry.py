from __future__ import annotations

import sys

import pytest

from envsmith.host.windows import ask

KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a registry")
def test_other_systems_have_none() -> None:
    assert ask("HKLM", KEY, "ProductName") is None


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has a registry")
def test_windows_answers() -> None:
    assert ask("HKLM", KEY, "ProductName")
    assert ask("HKLM", KEY, "NoSuchValue") is None
    assert ask("HKCU", r"No\Such\Key", "Path") is None
