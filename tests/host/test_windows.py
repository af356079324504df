import sys

import pytest

from envsmith.host import windows


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a registry")
def test_other_systems_have_no_registry() -> None:
    assert windows.adapters() == ()


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has a registry")
def test_windows_lists_its_adapters() -> None:
    assert all(found.devices for found in windows.adapters())
