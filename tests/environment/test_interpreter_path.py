from __future__ import annotations

import os
from pathlib import Path

import pytest

from envsmith.environment.prefix import interpreter_path


def test_the_folder_depends_on_the_system(tmp_path: Path) -> None:
    assert interpreter_path(tmp_path).parent.name == ("Scripts" if os.name == "nt" else "bin")


@pytest.mark.skipif(os.name == "nt", reason="Windows names it otherwise")
def test_python3_is_used_if_python_is_missing(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert interpreter_path(tmp_path).name == "python"
    (tmp_path / "bin" / "python3").touch()
    assert interpreter_path(tmp_path).name == "python3"
    (tmp_path / "bin" / "python").symlink_to("/nowhere/python")  # removed since: the error must name it
    assert interpreter_path(tmp_path).name == "python"
