from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from envsmith.doctor.checks import DoctorCheck, by_reason, diagnose
from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.errors import InstallError
from envsmith.model.finding import Finding

FACTS = cast("DoctorFacts", SimpleNamespace())


def finding(code: str) -> Finding:
    return Finding(code=code, severity="error", subject="a", message="b")


def fails(_: DoctorFacts) -> Iterator[Finding]:
    yield finding("ENV011")
    raise InstallError("ENV023", "the interpreter gives no answer")


def test_one_check_that_cannot_be_made_keeps_no_other_from_being_made() -> None:
    done = diagnose(
        FACTS,
        [
            DoctorCheck(name="one", summary="", run=lambda _: [finding("ENV061")]),
            DoctorCheck(name="two", summary="", run=fails),
            DoctorCheck(name="three", summary="", run=lambda _: [finding("ENV061"), finding("ENV067")]),
        ],
    )
    assert [item.code for item in done.report.findings] == ["ENV061", "ENV067"]
    assert done.completed == ("one", "three")
    assert done.skipped == (("two", "the interpreter gives no answer"),)


def test_checks_that_cannot_be_made_for_one_reason_are_told_together() -> None:
    assert by_reason([("a", "x"), ("b", "y"), ("c", "x")]) == [("a, c", "x"), ("b", "y")]
