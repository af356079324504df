from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.config.profile import SmokeTest
from envsmith.errors import EnvsmithError
from envsmith.install import trust
from envsmith.install.smoke_tests import SmokeTests
from envsmith.install.trust import check_trust


def smoke_tests(*commands: str, **env: str) -> SmokeTests:
    return SmokeTests(
        tests=(SmokeTest("import", "torch"), *(SmokeTest("run", text) for text in commands)), env=env
    )


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def is_refused(tests: SmokeTests) -> bool:
    try:
        check_trust(tests, "voice", "envsmith install voice", is_trusted=False)
    except EnvsmithError as error:
        found = (error.code, error.exit_code, error.hint.endswith("envsmith install voice --trust"))
        return found == ("USE015", 2, True)
    return False


def test_imports_need_no_trust(places: Path) -> None:
    assert not is_refused(smoke_tests())
    assert not (places / "cache").exists()


def test_commands_are_shown_and_refused_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert is_refused(smoke_tests("python -m voice --check"))
    shown = capsys.readouterr()
    assert "voice" in shown.err
    assert "    python -m voice --check\n" in shown.err
    assert shown.out == ""


def test_control_characters_of_a_command_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert is_refused(smoke_tests("rm -r x\x1b[1A\x1b[2Kecho harmless"))
    assert is_refused(smoke_tests("python -m voice \u202e ;\u2028x"))
    assert not set("\x1b\u202e\u2028") & set(capsys.readouterr().err)


def test_trust_is_remembered_outside_the_project_for_these_commands(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_trust(smoke_tests("a", "b"), "voice", "x", is_trusted=True)
    assert not is_refused(smoke_tests("a", "b"))
    assert not is_refused(smoke_tests("b", "a")), "their order does not matter"
    assert list(Path().iterdir()) == []
    for changed in (
        smoke_tests("a", "b", "c"),
        smoke_tests("a"),
        smoke_tests("a", "b "),
        smoke_tests("a", "b", PYTHONPATH="/x"),
    ):
        assert is_refused(changed)
    (places / "other").mkdir()
    monkeypatch.chdir(places / "other")
    assert is_refused(smoke_tests("a", "b")), "another project"


@pytest.mark.parametrize("answer", [True, False])
def test_a_user_at_a_terminal_is_asked_once(answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(question: str, **_: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(trust, "is_interactive", lambda: True)
    monkeypatch.setattr(trust, "confirm", ask)
    assert [is_refused(smoke_tests("a")), is_refused(smoke_tests("a"))] == [not answer] * 2
    assert len(asked) == (1 if answer else 2)


def test_a_cache_that_cannot_be_written_asks_again(places: Path) -> None:
    (places / "cache").touch()
    check_trust(smoke_tests("a"), "voice", "x", is_trusted=True)
    assert is_refused(smoke_tests("a"))
