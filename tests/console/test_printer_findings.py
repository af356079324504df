from __future__ import annotations

import pytest

from envsmith.console import printer
from envsmith.model.finding import Finding, Severity


def finding(severity: Severity, message: str, hint: str = "") -> Finding:
    return Finding(code="ENV011", severity=severity, subject="a", message=message, hint=hint)


def test_errors_come_first_and_a_shared_fix_once(capsys: pytest.CaptureFixture[str]) -> None:
    printer.findings(
        [
            finding("note", "n"),
            finding("error", "e", "do it"),
            finding("error", "f", "do it"),
            finding("warning", "w"),
        ]
    )
    assert capsys.readouterr().out.splitlines() == [
        "error   ENV011    e",
        "error   ENV011    f",
        "        fix       do it",
        "warning ENV011    w",
        "note    ENV011    n",
    ]


def test_counting() -> None:
    assert [printer.counted(count, "check") for count in (0, 1, 2)] == [
        "0 checks",
        "1 check",
        "2 checks",
    ]
