import pytest
from packaging.version import Version

from envsmith.host.model import Host
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python, Target
from envsmith.select.output import all_lines, lock_choice_lines, selection_lines, show_lock_choice
from envsmith.select.select import LockChoice, LockVerdict, Selection
from envsmith.select.verdicts import NO, UNKNOWN, WORKS, BackendVerdict, Cause, Status

HOST = Host.of_platform(Platform.parse("windows"))
PYTHON = Python.parse("3.12")


def works(backend: str, torch: str, *notes: str, index: str = "pytorch") -> BackendVerdict:
    return BackendVerdict(
        backend=Backend.parse(backend),
        status=WORKS,
        torch=Version(torch),
        index=index,
        reason="it runs",
        notes=notes,
    )


def no(backend: str, reason: str, cause: Cause = "driver", status: Status = NO) -> BackendVerdict:
    return BackendVerdict(
        backend=Backend.parse(backend), status=status, cause=cause, reason=reason, notes=("more",)
    )


def lines(*verdicts: BackendVerdict) -> list[tuple[str, str]]:
    return selection_lines(Selection(host=HOST, python=PYTHON, verdicts=verdicts))


def test_the_choice_and_its_runners_up_take_three_lines() -> None:
    assert lines(
        works("cu128", "2.11.0", "its last torch"),
        works("cu126", "2.9.0"),
        works("cu124", "2.6.0"),
        works("cu121", "2.5.1"),
        works("cpu", "2.15.0", index="pypi"),
        no("cu129", "not on record", "", UNKNOWN),
        no("cu132", "needs driver ≥ 580"),
        no("cu130", "needs driver ≥ 580"),
        no("cu118", "no kernels", "capability"),
        no("cu134", "no wheel", "wheels", UNKNOWN),
        no("xpu", "no Intel GPU", "device"),
    ) == [
        ("host", "no GPU · Windows amd64 · Python 3.12"),
        ("choice", "cu128 · torch 2.11.0: it runs; its last torch"),
        (
            "others",
            (
                "cu126 · torch 2.9.0; cu124 · torch 2.6.0; perhaps cu129: not on record; "
                "not cu132, cu130: needs driver ≥ 580; cpu · torch 2.15.0, from PyPI"
            ),
        ),
    ]


def test_a_long_row_of_old_backends_is_cut_short() -> None:
    refused = [no(name, "no kernels") for name in ("cu132", "cu130", "cu128", "cu126", "cu124", "cu121")]
    assert (
        lines(works("cpu", "2.15.0"), *refused)[2][1]
        == "not cu132, cu130, cu128, cu126 and 2 older: no kernels"
    )


def test_nothing_that_works_is_said_too() -> None:
    assert lines(no("cpu", "no wheel for cp314", "python"))[1:] == [
        ("choice", "no known build works here"),
        ("others", "not cpu: no wheel for cp314"),
    ]
    assert lines(works("cpu", "2.15.0"))[2] == ("others", "none")


def test_every_backend_has_a_row() -> None:
    rows = all_lines([works("cu132", "2.15.0", "a", index="pypi"), no("cu118", "no kernels")])
    assert rows == [
        ("cu132", "2.15.0 (PyPI)", "works", "it runs; a"),
        ("cu118", "-", "no", "no kernels; more"),
    ]


def locked(profile: str, verdict: BackendVerdict, platform: str = "windows") -> LockVerdict:
    target = Target(python=PYTHON, platform=Platform.parse(platform), backend=verdict.backend)
    return LockVerdict(profile=profile, target=target, verdict=verdict)


def test_a_lock_is_named_by_its_profile() -> None:
    choice = LockChoice(
        host=HOST,
        python=PYTHON,
        best=locked("cu128", works("cu128", "2.11.0")),
        others=(
            locked("cu128", works("cu128", "2.11.0")),
            locked("rtx50", works("cu128", "2.11.0")),
            locked("cu130", no("cu130", "needs driver ≥ 580")),
        ),
    )
    assert lock_choice_lines(choice) == [
        ("host", "no GPU · Windows amd64 · Python 3.12"),
        (
            "choice",
            "cu128 · torch 2.11.0: it runs; equally good: rtx50 (`default-profiles` sets the preference)",
        ),
        ("others", "rtx50 · cu128 · torch 2.11.0; not cu130: needs driver ≥ 580"),
    ]
    alone = LockChoice(host=HOST, python=PYTHON, best=choice.best, others=())
    assert lock_choice_lines(alone)[2] == ("others", "no other lock fits")


def test_every_lock_has_a_row_when_asked(capfd: pytest.CaptureFixture[str]) -> None:
    best = locked("cu128", works("cu128", "2.11.0"))
    others = (locked("cu130", no("cu130", "needs driver ≥ 580")),)
    choice = LockChoice(host=HOST, python=PYTHON, best=best, others=others)
    show_lock_choice(choice, explain=False)
    assert len(capfd.readouterr().out.splitlines()) == 3
    show_lock_choice(choice, explain=True)
    assert [line.split() for line in capfd.readouterr().out.splitlines()[3:]] == [
        ["profile", "target", "torch", "answer", "why"],
        ["cu128", "cp312-win_amd64", "2.11.0", "works", "it", "runs"],
        ["cu130", "cp312-win_amd64", "-", "no", "needs", "driver", "≥", "580;", "more"],
    ]
