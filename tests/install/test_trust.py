from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from envsmith.config.profile import SmokeTest
from envsmith.config.profiles import ProfileStore
from envsmith.console import build_trust
from envsmith.errors import EnvsmithError
from envsmith.install.options import smoke_tests_of
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


SCRIPT = Path("tools/check.py")


@pytest.mark.parametrize(
    "command",
    [
        "python tools/check.py --fast",
        "tools/check.py",
        "sh ./tools/../tools/check.py",
        "pytest --config=tools/check.py",
        "python -m tools.check",
        "python 'tools/check.py'",
    ],
)
def test_a_change_of_a_file_that_a_command_names_asks_again(command: str) -> None:
    SCRIPT.parent.mkdir()
    SCRIPT.write_text("print(1)", "utf-8")
    check_trust(smoke_tests(command), "voice", "x", is_trusted=True)
    assert not is_refused(smoke_tests(command))
    SCRIPT.write_text("print(2)", "utf-8")
    assert is_refused(smoke_tests(command))
    SCRIPT.unlink()
    assert is_refused(smoke_tests(command)), "deleted"
    check_trust(smoke_tests(command), "voice", "x", is_trusted=True)
    SCRIPT.write_text("print(3)", "utf-8")
    assert is_refused(smoke_tests(command)), "added"


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links and pipes")
def test_a_link_in_the_place_of_a_named_file_asks_again(places: Path) -> None:
    tests = smoke_tests("python tools/check.py")
    SCRIPT.parent.mkdir()
    SCRIPT.write_text("print(1)", "utf-8")
    check_trust(tests, "voice", "x", is_trusted=True)
    SCRIPT.unlink()
    (places / "other.py").write_text("print(2)", "utf-8")
    SCRIPT.symlink_to(places / "other.py")
    assert is_refused(tests)
    SCRIPT.unlink()
    os.mkfifo(SCRIPT)
    assert is_refused(tests)


def test_files_outside_the_project_are_not_those_of_a_pull(places: Path) -> None:
    (places / "mine.py").write_text("print(1)", "utf-8")
    tests = smoke_tests(f"python ../mine.py {places / 'mine.py'} .", "python '", "\0")
    check_trust(tests, "voice", "x", is_trusted=True)
    (places / "mine.py").write_text("print(2)", "utf-8")
    assert not is_refused(tests)


def test_commands_of_a_parent_profile_are_asked_for_when_they_change() -> None:
    Path("profiles").mkdir()
    Path("profiles/voice.toml").write_text('extends = "base"\n', "utf-8")
    base = 'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\n'
    trusted = 'checks = [{ run = "python a.py" }]\n'

    def tests(text: str) -> SmokeTests:
        Path("profiles/base.toml").write_text(base + text, "utf-8")
        return smoke_tests_of(ProfileStore.of_project(Path()).resolve("voice"))

    check_trust(tests(trusted), "voice", "x", is_trusted=True)
    assert not is_refused(tests(trusted))
    assert is_refused(tests(trusted.replace("a.py", "b.py")))
    assert is_refused(tests(f'{trusted}env = {{ A = "1" }}\n'))


@pytest.mark.parametrize("answer", [True, False])
def test_a_user_at_a_terminal_is_asked_once(answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(question: str, **_: str) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(build_trust, "is_interactive", lambda: True)
    monkeypatch.setattr(build_trust, "confirm", ask)
    assert [is_refused(smoke_tests("a")), is_refused(smoke_tests("a"))] == [not answer] * 2
    assert len(asked) == (1 if answer else 2)


def test_a_cache_that_cannot_be_written_asks_again(places: Path) -> None:
    (places / "cache").touch()
    check_trust(smoke_tests("a"), "voice", "x", is_trusted=True)
    assert is_refused(smoke_tests("a"))


def test_builds_are_trusted_by_commit_and_by_the_files_that_decide_them(places: Path) -> None:
    folder = places / "project/libs/x"
    (folder / "backend").mkdir(parents=True)
    project = folder / "pyproject.toml"
    project.write_text('[build-system]\nbackend-path = ["backend"]\n', "utf-8")
    (folder / "backend/tiny.py").write_text("1\n", "utf-8")
    sources = {"x": "./libs/x#editable=true", "y": f"git+https://host.invalid/y@{'a' * 40}"}

    def is_asked(sources: dict[str, str]) -> bool:
        try:
            build_trust.check_builds(sources, "envsmith install p", is_trusted=False)
        except EnvsmithError as error:
            return (error.code, error.hint[-7:]) == ("USE016", "--trust")
        return False

    assert not is_asked({})
    assert is_asked(sources)
    build_trust.check_builds(sources, "envsmith install p", is_trusted=True)
    assert not is_asked(sources)
    (folder / "x.py").write_text("code = 1\n", "utf-8")
    assert not is_asked(sources)  # no build decides by it
    assert is_asked({**sources, "y": f"git+https://host.invalid/y@{'b' * 40}"})
    (folder / "backend/tiny.py").write_text("2\n", "utf-8")
    assert is_asked(sources)


def test_modules_of_a_build_backend_are_compared_too(places: Path) -> None:
    folder = places / "project/libs/x"
    hooks = folder / "backend/pkg/deep/hooks.py"
    hooks.parent.mkdir(parents=True)
    hooks.write_text("1\n", "utf-8")
    head = '[build-system]\nbuild-backend = "pkg.deep:hooks"\nbackend-path = ["backend"]\n'
    (folder / "pyproject.toml").write_text(head, "utf-8")
    check = partial(build_trust.check_builds, {"x": "./libs/x"}, "envsmith install p")
    check(is_trusted=True)
    check(is_trusted=False)
    hooks.write_text("2\n", "utf-8")
    with pytest.raises(EnvsmithError, match="not trusted yet"):
        check(is_trusted=False)


@pytest.mark.parametrize("line", ["= 3", ".backend-path = [5]", ".backend-path = 7", ".build-backend = 1"])
def test_a_malformed_build_system_is_asked_about_as_others(places: Path, line: str) -> None:
    folder = places / "project/libs/x"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f"build-system{line}\n", "utf-8")
    build_trust.check_builds({"x": "./libs/x"}, "envsmith install p", is_trusted=True)
    build_trust.check_builds({"x": "./libs/x"}, "envsmith install p", is_trusted=False)
