from __future__ import annotations

import sys

import pytest

from envsmith.host.windows import read_value

KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a registry")
def test_other_systems_have_none() -> None:
    assert read_value("HKLM", KEY, "ProductName") is None


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has a registry")
def test_windows_answers() -> None:
    assert read_value("HKLM", KEY, "ProductName")
    assert read_value("HKLM", KEY, "NoSuchValue") is None
    assert read_value("HKCU", r"No\Such\Key", "Path") is None
