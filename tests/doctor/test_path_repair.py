from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.activate.model import RemovedVariable
from envsmith.doctor.path_repair import plan, remove_entries
from envsmith.doctor.windows_path import RegistryPaths
from envsmith.errors import HostError
from tests.host.fake_winreg import FakeWinreg, text_of, with_paths

INNER, OTHER = r"D:\app\.venv\Lib\site-packages\torch\lib", r"D:\other\.venv\Scripts"
TAKEN = {
    scope: tuple(
        RemovedVariable(variable="PATH", entry=entry, reason="belongs to another environment")
        for entry in (INNER, OTHER)
    )
    for scope in ("user", "machine")
}


class Told(RegistryPaths):
    """Counts how often the running programs were told."""

    def __init__(self, winreg: FakeWinreg, folder: Path) -> None:
        self.told = 0
        super().__init__(winreg, folder, self._tell)

    def _tell(self) -> None:
        self.told += 1


def test_each_scope_is_kept_changed_and_announced_once(tmp_path: Path) -> None:
    winreg = with_paths(rf"C:\a;{OTHER}", rf"%SystemRoot%;{INNER};C:\b")
    paths = Told(winreg, tmp_path)
    done = remove_entries(plan(paths, TAKEN, str), paths)
    assert [(item.removal.before.scope, item.removal.removed) for item in done] == [
        ("user", (OTHER,)),
        ("machine", (INNER,)),
    ]
    assert (text_of(winreg, "user"), text_of(winreg, "machine")) == ((r"C:\a", 2), (r"%SystemRoot%;C:\b", 2))
    assert sorted(path.name[:9] for path in tmp_path.iterdir()) == ["machine-p", "user-path"]
    assert paths.told == 1
    assert plan(paths, TAKEN, str) == ()


def test_a_scope_that_may_not_be_written_is_left(tmp_path: Path) -> None:
    winreg = with_paths(OTHER, INNER, protected=frozenset({"HKLM"}))
    paths = Told(winreg, tmp_path)
    done = remove_entries(plan(paths, TAKEN, str), paths)
    assert [item.removal.before.scope for item in done] == ["user"]
    assert text_of(winreg, "machine") == (INNER, 2)
    (left,) = plan(paths, TAKEN, str)
    assert (left.before.scope, left.may_write) == ("machine", False)


def test_what_was_changed_meanwhile_is_left(tmp_path: Path) -> None:
    winreg = with_paths(OTHER)
    paths = Told(winreg, tmp_path)
    removals = plan(paths, TAKEN, str)
    paths.write("user", rf"C:\new;{OTHER}", 2)
    with pytest.raises(HostError, match="HST029"):
        remove_entries(removals, paths)
    assert text_of(winreg, "user") == (rf"C:\new;{OTHER}", 2)
    assert (list(tmp_path.iterdir()), paths.told) == ([], 0)
