from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from envsmith.errors import InstallError
from envsmith.model.report import Finding
from envsmith.workflows.diagnosing import CHECKS, Check, Facts, diagnose

FACTS = cast("Facts", SimpleNamespace())


def finding(code: str) -> Finding:
    return Finding(code=code, severity="error", subject="a", message="b")


def fails(_: Facts) -> Iterator[Finding]:
    yield finding("ENV011")
    raise InstallError("ENV023", "the interpreter gives no answer")


def test_one_check_that_cannot_be_made_keeps_no_other_from_being_made() -> None:
    done = diagnose(
        FACTS,
        [
            Check(name="one", summary="", run=lambda _: [finding("ENV061")]),
            Check(name="two", summary="", run=fails),
            Check(name="three", summary="", run=lambda _: [finding("ENV061"), finding("ENV067")]),
        ],
    )
    assert [item.code for item in done.report.findings] == ["ENV061", "ENV067"]
    assert done.made == ("one", "three")
    assert done.unmade == (("two", "the interpreter gives no answer"),)


def test_without_an_environment_its_checks_find_nothing() -> None:
    facts = cast("Facts", SimpleNamespace(environment=None, torch=None, stale=()))
    of_environment = [
        check for check in CHECKS if check.name not in ("path", "libraries", "devices", "disk", "network")
    ]
    done = diagnose(facts, of_environment)
    assert (done.report.findings, len(done.made)) == ((), len(of_environment))


def test_names_are_plain_and_differ() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() and name.islower() for name in names)
    assert all(check.summary for check in CHECKS)
