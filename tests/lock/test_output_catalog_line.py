"""The line of a lock that names the source of listings, and why it is not a better one."""

from __future__ import annotations

import pytest

from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.lock.output import CatalogLine

NAME = "embedded 2026-11-20"


def line(*errors: EnvsmithError, quiet: bool = False) -> CatalogLine:
    made = CatalogLine(quiet=quiet)
    for error in errors:
        made.warn(error)
    return made


def test_a_source_is_announced_once(capfd: pytest.CaptureFixture[str]) -> None:
    made = line()
    made.announce(NAME)
    made.announce(NAME)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "catalog   embedded 2026-11-20\n")


def test_a_later_reason_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    made = line()
    made.announce(NAME)
    made.warn(CatalogError("CAT031", "two hashes for one file"))
    made.announce(NAME)
    assert "CAT031" in capfd.readouterr().err.splitlines()[1]


def test_a_server_without_an_answer_is_named_with_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    line(ToolError("TOL030", "NameResolutionError: Failed to resolve")).announce(NAME)
    assert capfd.readouterr().err == (
        "catalog   embedded 2026-11-20 (PyTorch's index did not answer; `envsmith catalog refresh` when it does)\n"
    )


def test_a_malformed_page_is_named_with_its_code(capfd: pytest.CaptureFixture[str]) -> None:
    line(CatalogError("CAT031", "two hashes for one file")).announce(NAME)
    shown = capfd.readouterr().err
    assert "is malformed: two hashes for one file, CAT031" in shown


def test_quiet_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    line(ToolError("TOL030", "x"), quiet=True).announce(NAME)
    assert capfd.readouterr().err == ""
