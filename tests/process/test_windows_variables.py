from __future__ import annotations

import os
import sys

import pytest

from envsmith.process.runner import inherited_environ

SYSTEM = {
    "SYSTEMROOT": r"C:\\WINDOWS",
    "PROCESSOR_ARCHITECTURE": "AMD64",
    "PROCESSOR_IDENTIFIER": "x",
    "PROGRAMFILES(X86)": "y",
    "PATHEXT": ".EXE",
}


@pytest.mark.parametrize(("system", "expected"), [("win32", {*SYSTEM, "PATH"}), ("linux", {"PATH"})])
def test_programs_get_the_variables_of_the_system(
    system: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 and older know their machine by PROCESSOR_ARCHITECTURE."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "environ", {**SYSTEM, "PATH": "p", "SECRET_TOKEN": "z"})
    assert set(inherited_environ(("PATH",))) == expected
