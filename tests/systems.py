"""Marks of tests that need a system."""

from __future__ import annotations

import sys

import pytest


def posix_only(what: str) -> pytest.MarkDecorator:
    """Skip a test on Windows, which has no such thing."""
    return pytest.mark.skipif(sys.platform == "win32", reason=f"POSIX only: {what}")


def not_in_wine(what: str) -> pytest.MarkDecorator:
    """Skip a test under Wine, which differs from Windows there."""
    return pytest.mark.skipif(_is_wine(), reason=f"Wine's own: {what}")


def _is_wine() -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
