"""Malformed input through the whole command line: exit code, place and hint; no traceback, no file touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envsmith.cli.main import main
from tests.config.requirements.test_requirements_parser import MALFORMED as LINES
from tests.config.test_profile_reader import GOOD
from tests.config.test_profile_reader import MALFORMED as PROFILES
from tests.index.pages import page
from tests.index.test_simple_api_malformed import BAD_ROWS
from tests.replay import ReplayIndex
from tests.replay_faults import Fault

KEPT = {"manifest.toml": b"of another day\n", "requirements.cp312-win_amd64.txt": b"torch==1\n"}


@pytest.fixture
def locks(project: Path) -> Path:
    """A folder of locks that nothing may touch."""
    folder = project / "lockfiles" / "bad"
    folder.mkdir(parents=True)
    for name, content in KEPT.items():
        (folder / name).write_bytes(content)
    return folder


def _is_refused(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    status = main(arguments)
    shown = capfd.readouterr()
    assert status in (1, 2), shown
    assert "Traceback" not in shown.err + shown.out
    assert "hint:" in shown.err, shown.err
    assert "where" in shown.err, shown.err
    return shown.err


def _is_untouched(folder: Path) -> None:
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == KEPT


@pytest.mark.parametrize("text", [text for text, *_ in PROFILES])
def test_a_malformed_profile(
    text: str, project: Path, locks: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "profiles").mkdir()
    (project / "profiles" / "bad.toml").write_text(GOOD + text, "utf-8")
    assert "profiles/bad.toml" in _is_refused(["lock", "bad", "--catalog", "embedded"], capfd)
    _is_untouched(locks)


@pytest.mark.parametrize("line", [line for line, *_ in LINES])
def test_a_malformed_requirements_file(
    line: str, project: Path, locks: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "profiles").mkdir()
    (project / "profiles" / "bad.toml").write_text(GOOD, "utf-8")
    (project / "requirements.in").write_text(line + "\n", "utf-8")
    shown = _is_refused(["lock", "bad", "-r", "requirements.in", "--catalog", "embedded"], capfd)
    assert "requirements.in:1" in shown
    _is_untouched(locks)


@pytest.mark.parametrize("row", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_malformed_index_page(
    row: str, project: Path, locks: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The page is replayed over loopback; `--catalog live` must not take it."""
    (project / "profiles").mkdir()
    (project / "profiles" / "bad.toml").write_text(GOOD, "utf-8")
    (locks / "manifest.toml").unlink()
    with ReplayIndex() as replay:
        replay.fail("/whl/cpu/torch/", Fault.body(page(row).decode()))
        arguments = ["lock", "bad", "--catalog", "live", "--index-base", f"{replay.origin}/whl"]
        _is_refused(arguments, capfd)
    assert (locks / "requirements.cp312-win_amd64.txt").read_bytes() == b"torch==1\n"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60) | st.from_regex(r"[a-z-]{1,12} = [\[\]\"'{}0-9a-z, ]{0,20}", fullmatch=True))
def test_any_profile_at_all(text: str, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "profiles").mkdir(exist_ok=True)
    (project / "profiles" / "bad.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert main(["profiles", "show", "bad"]) in (0, 1, 2)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["lock", "no-such-profile"],
        ["lock", "../etc"],
        ["lock", "cu128", "--python", "3"],
        ["lock", "cu128", "--platform", "plan9"],
        ["lock", "cu128", "--backend", "cuda"],
        ["lock", "cu128", "--backend", "cu999"],
        ["lock", "cu128", "--as-of", "yesterday"],
        ["lock", "cu128", "--as-of", "2026-11-01T09:00:00"],
        ["lock", "cu128", "-r", "missing.txt"],
        ["lock", "cu128", "-r", "."],
        ["lock", "cu128", "-j", "0"],
        ["lock", "--no-such-option"],
        ["lock", "cu130", "--python", "3.9", "--catalog", "embedded"],
        ["lock", "cu128", "--index-base", "file:///etc", "--catalog", "live"],
        ["lock"],
        ["catalog", "show", "cu12"],
        ["catalog", "show", "cu199"],
        ["profiles", "show", "nope"],
        ["no-such-command"],
    ],
    ids=" ".join,
)
def test_wrong_words(arguments: list[str], project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _is_refused(arguments, capfd)
    assert not (project / "lockfiles").exists()
