import pytest

from envsmith.model.finding import SEVERITIES, Finding, Report, Severity


def finding(severity: Severity) -> Finding:
    return Finding(code="LCK033", severity=severity, subject="cu128", message="it changed", hint="lock")


@pytest.mark.parametrize("severity", SEVERITIES)
def test_only_errors_make_the_answer_no(severity: Severity) -> None:
    assert Report(findings=(finding(severity),)).has_errors == (severity == "error")


def test_nothing_found_is_no_error() -> None:
    assert not Report().has_errors


def test_finding_as_json() -> None:
    assert finding("note").to_json() == {
        "code": "LCK033",
        "severity": "note",
        "subject": "cu128",
        "message": "it changed",
        "hint": "lock",
    }
