from __future__ import annotations

import pytest

from envsmith.doctor.windows_path import PathRemoval, SearchPath
from envsmith.host.system_probes import MACHINE


@pytest.mark.parametrize(
    ("text", "gone", "after"),
    [
        (r"%SystemRoot%;D:\a;C:\b", (r"D:\a",), r"%SystemRoot%;C:\b"),
        (r"D:\a;C:\b;;D:\a;", (r"D:\a",), r"C:\b;;"),  # what is not an environment's stays as it is written
        (r"D:\a", (r"D:\a",), ""),
        (r"C:\ab;D:\A", (r"D:\a",), r"C:\ab;D:\A"),
    ],
)
def test_what_is_left(text: str, gone: tuple[str, ...], after: str) -> None:
    cut = PathRemoval(before=SearchPath(scope=MACHINE, text=text, kind=2), removed=gone)
    assert cut.after == after
    assert cut.to_json() == {"scope": "machine", "entries": list(gone), "may_write": True}
