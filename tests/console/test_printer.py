"""What people see: lines that fit, errors whose parts say each thing once, colour that only repeats words."""

from __future__ import annotations

import re

import pytest

from envsmith.console import printer, terminal
from envsmith.errors import ResolveError
from envsmith.model.finding import Finding

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "width", lambda: 50)


def refused(place: str, *details: tuple[str, str], hint: str = "do this") -> ResolveError:
    return ResolveError("RES021", "no such build", where=place, details=details, hint=hint)


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert printer.plain("a\x1b[31mb\x07") == "a?[31mb?"


def test_colour_is_whole_and_adds_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "has_colour", lambda: True)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    printer.error(refused("here"), command="lock", as_json=False)
    coloured = capfd.readouterr().err
    monkeypatch.setattr(terminal, "has_colour", lambda: False)
    printer.error(refused("here"), command="lock", as_json=False)
    bare = capfd.readouterr().err
    assert coloured.startswith("\x1b[31m")
    assert _STYLE.sub("", coloured) == bare
    assert bare.startswith("error RES021: no such build\n")


def test_the_words_of_an_error_cannot_colour_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    printer.error(ResolveError("RES021", "no \x1b[2J build", where="\x1b[31m"), command="lock", as_json=False)
    assert "\x1b" not in capfd.readouterr().err


def test_parts_that_differ_in_their_place_alone_are_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    parts = (refused("first", ("exists", "cu130")), refused("second", ("exists", "cu130")))
    printer.error(ResolveError("RES001", "two", parts=parts), command="lock", as_json=False)
    assert capfd.readouterr().err.splitlines() == [
        "error RES001: two",
        "  error RES021: no such build",
        "    where     first",
        "    where     second",
        "    exists    cu130",
        "  hint: do this",
    ]


def test_a_later_part_leaves_out_what_an_earlier_one_said(capfd: pytest.CaptureFixture[str]) -> None:
    parts = (
        refused("first", ("exists", "a"), ("exists", "b")),
        refused("second", ("exists", "b"), ("exists", "c")),
    )
    printer.error(ResolveError("RES001", "two", parts=parts), command="lock", as_json=False)
    shown = capfd.readouterr().err
    assert [shown.count(text) for text in ("exists    a", "exists    b", "exists    c", "hint")] == [
        1,
        1,
        1,
        1,
    ]


@pytest.mark.usefixtures("narrow")
def test_errors_fit_a_narrow_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    long = "a sentence that goes on and on " * 5
    error = ResolveError("RES001", long, where=long, details=(("because", long),), hint=long)
    printer.error(ResolveError("RES002", long, parts=(error, refused("x"))), command="lock", as_json=False)
    lines = capfd.readouterr().err.splitlines()
    assert max(len(line) for line in lines) <= 50
    assert " ".join(" ".join(lines).split()).count("a sentence that goes on and on") == 25


@pytest.mark.usefixtures("narrow")
def test_a_table_wraps_its_last_column_where_there_is_room(capfd: pytest.CaptureFixture[str]) -> None:
    printer.table(("name", "for"), [("cpu", "words " * 12)], indent=0)
    lines = capfd.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= 50
    assert lines[1].startswith("cpu   words")
    assert lines[2].startswith("      words")


@pytest.mark.usefixtures("narrow")
def test_a_table_becomes_a_list_where_there_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    row = ("cp312-manylinux_2_28_x86_64", "2.11.0+cu128", "0.26.0+cu128")
    printer.table(("target", "torch", "torchvision"), [row])
    assert capfd.readouterr().out.splitlines() == [
        "cp312-manylinux_2_28_x86_64",
        "    torch 2.11.0+cu128 · torchvision 0.26.0+cu128",
    ]


def test_a_pipe_gets_one_line_however_long(capfd: pytest.CaptureFixture[str]) -> None:
    printer.labelled("wrote", "word " * 100)
    assert len(capfd.readouterr().out.splitlines()) == 1


def test_subjects_with_the_same_findings_are_told_together(capfd: pytest.CaptureFixture[str]) -> None:
    def finding(subject: str, message: str) -> Finding:
        return Finding(
            code="LCK033", severity="error", subject=subject, message=message, hint="envsmith lock app"
        )

    printer.stale_targets([finding("app/a", "one"), finding("app/b", "one"), finding("app/c", "two")])
    assert capfd.readouterr().out.splitlines() == [
        "app: a, b are stale",
        "  one   LCK033",
        "app/c is stale",
        "  two   LCK033",
        "hint: envsmith lock app",
    ]


def test_notes_are_told_once_with_all_that_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    made = [
        Finding(code="TOL055", severity="note", subject=f"n/{slug}", message="ages", hint="keep it")
        for slug in "ab"
    ]
    stale = Finding(code="LCK032", severity="error", subject="n/c", message="is not locked", hint="lock it")
    printer.notes([*made, stale])
    assert capsys.readouterr().out == "note      n: a, b: ages   TOL055\nhint: keep it\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_500, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (2.5e9, "2.5 GB"),
        (3e12, "3000 GB"),
        (-2000, "-2.0 kB"),
    ],
)
def test_bytes_as_people_read_them(count: float, text: str) -> None:
    assert printer.size(count) == text
