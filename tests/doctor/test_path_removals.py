from __future__ import annotations

import pytest

from envsmith.activate.model import RemovedVariable
from envsmith.doctor.path_repair import removals
from envsmith.doctor.windows_path import SearchPath
from envsmith.host.system_probes import MACHINE, USER

INNER = r"D:\app\.venv\Lib\site-packages\torch\lib"


def gone(text: str, *taken: RemovedVariable, scope: str = USER) -> list[tuple[str, ...]]:
    path = SearchPath(scope=scope, text=text, kind=2)
    found = removals([path], {USER: taken}, lambda entry: entry.replace("%APP%", r"D:\app"), lambda _: True)
    return [cut.removed for cut in found]


def taken(
    entry: str | None, reason: str = "belongs to another environment", variable: str = "PATH"
) -> RemovedVariable:
    return RemovedVariable(variable=variable, entry=entry, reason=reason)


def test_entries_go_as_they_are_written() -> None:
    text = rf"%SystemRoot%\system32;%APP%\.venv\Lib\site-packages\torch\lib;{INNER};C:\bin"
    assert gone(text, taken(INNER)) == [(r"%APP%\.venv\Lib\site-packages\torch\lib", INNER)]


@pytest.mark.parametrize(
    "item",
    [
        taken(""),
        taken(None),
        taken(r"%NOBODY%\bin", "is relative to the current folder"),
        taken("bin", "is relative to the current folder"),
        taken(r"C:\bin", "is a duplicate"),
        taken(r"C:\bin", variable="LIB"),
    ],
)
def test_what_is_no_environments_folder_stays(item: RemovedVariable) -> None:
    assert gone(r"C:\bin;;%NOBODY%\bin;bin;C:\bin", item) == []


def test_each_scope_has_its_own() -> None:
    assert gone(INNER, taken(INNER), scope=MACHINE) == []


def test_a_scope_that_may_not_be_written_is_told_as_such() -> None:
    path = SearchPath(scope=USER, text=INNER, kind=2)
    (found,) = removals([path], {USER: [taken(INNER)]}, str, lambda _: False)
    assert not found.may_write
