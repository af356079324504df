from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.host.current import folders_before_packages
from tests.systems import posix_only


@posix_only("paths without a drive")
def test_the_project_comes_first(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"/a:{project}::/b")
    assert folders_before_packages() == (str(project), "/a", "/b")


@posix_only("paths without a drive")
def test_no_folder_comes_by_itself_where_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/a")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    assert folders_before_packages() == ("/a",)
