from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from envsmith.environment.prefix import interpreter_path
from envsmith.errors import EnvsmithError
from envsmith.lockfile.pins import InstallSource
from envsmith.process.runner import CompletedProgram, Processes
from envsmith.uv import command as uv_command
from envsmith.uv.command import find_uv
from envsmith.uv.installer import UvInstaller
from tests.install.made import made, made_torch


class Replies(Processes):
    """Fake uv that records its calls."""

    def __init__(self, status: int = 0, stderr: str = "") -> None:
        super().__init__()
        self.status = status
        self.stderr = stderr
        self.calls: list[list[str]] = []
        self.texts: list[str] = []
        self.env: Mapping[str, str] = {}

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,  # noqa: ARG002 - the signature of the base
        cwd: Path | None = None,  # noqa: ARG002
    ) -> CompletedProgram:
        self.calls.append([str(word) for word in command])
        self.env = env
        last = Path(command[-1])
        self.texts.append(last.read_text("utf-8") if last.is_file() else "")
        return CompletedProgram(status=self.status, stdout="", stderr=self.stderr)


def filled(supply: InstallSource, **ways: bool) -> Replies:
    replies = Replies()
    UvInstaller(processes=replies, executable=Path("uv"), **ways).fill(Path("/env"), supply)
    return replies


def test_a_pylock_is_handed_over_as_it_is() -> None:
    replies = filled(InstallSource(text="lock-version = '1.0'", is_pylock=True))
    (call,) = replies.calls
    assert call[:5] == ["uv", "--no-config", "pip", "sync", "--python"]
    assert call[-1].endswith("pylock.toml")
    assert replies.texts == ["lock-version = '1.0'"]
    assert {"--require-hashes", "--no-build"} <= set(call)
    assert "--index-strategy" not in call


def test_requirements_may_come_from_every_index_they_name() -> None:
    (call,) = filled(InstallSource(text="a==1", is_pylock=False), compile_bytecode=True).calls
    assert call[call.index("--index-strategy") + 1] == "unsafe-best-match"
    assert "--compile-bytecode" in call


def test_a_wheelhouse_is_the_only_place_asked() -> None:
    (call,) = filled(InstallSource(text="a==1", is_pylock=False, wheelhouse="/wheels"), offline=True).calls
    assert call[2] == "--offline"
    assert call[call.index("--find-links") + 1] == "/wheels"
    assert "--no-index" in call


def test_only_what_was_locked_as_source_is_built() -> None:
    (call,) = filled(InstallSource(text="a==1", is_pylock=False, sources=("webrtcvad",))).calls
    assert call[call.index("--no-binary") + 1] == "webrtcvad"
    assert "--no-build" not in call


def test_the_users_own_settings_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "https://elsewhere.example/simple")
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    monkeypatch.setenv("UV_CACHE_DIR", "/cache")
    env = filled(InstallSource(text="a==1", is_pylock=False)).env
    assert env["UV_CACHE_DIR"] == "/cache"
    assert not {"UV_INDEX_URL", "VIRTUAL_ENV"} & set(env)


def test_the_python_that_runs_this_is_there_whatever_uv_finds() -> None:
    installer = UvInstaller(processes=Replies(2, "error: No interpreter found"), executable=Path("uv"))
    assert installer.find_python(f"{sys.version_info.major}.{sys.version_info.minor}") == Path(sys.executable)
    assert installer.find_python("3.99") is None


def test_copying_is_what_the_user_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    installer = UvInstaller(processes=Replies(0, ""), executable=Path("uv"))
    for mode, is_copying in (("copy", True), ("hardlink", False), ("clone", False)):
        monkeypatch.setenv("UV_LINK_MODE", mode)
        assert installer.is_copying() == is_copying
    monkeypatch.delenv("UV_LINK_MODE")
    assert not installer.is_copying()


# What uv 0.13.8 says, recorded 2026-11-21.
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("error: Failed to extract archive\n  Caused by: No space left on device (os error 28)", "ENV021"),
        ("  × Failed to read `torch==2.13.0`\n  ╰─▶ Hash mismatch for `torch==2.13.0`\n", "ENV022"),
        ("error: Failed to fetch: `http://127.0.0.1:9/a.whl`\n  Caused by: error sending request", "TOL022"),
        ("error: something else", "ENV020"),
        ("", "ENV020"),
    ],
)
def test_failures_are_told_apart(said: str, code: str) -> None:
    installer = UvInstaller(processes=Replies(2, said), executable=Path("uv"))
    with pytest.raises(EnvsmithError) as caught:
        installer.fill(Path("/env"), InstallSource(text="a==1", is_pylock=False))
    assert caught.value.code == code
    with pytest.raises(EnvsmithError, match=code):
        installer.make(Path("/env"), Path("python"), "any")


@pytest.mark.parametrize(
    ("number", "code", "why"),
    [(112, "ENV021", "the disk is full"), (32, "ENV020", "another program"), (206, "ENV020", "too long")],
)
def test_errors_of_windows_are_known_by_their_number(
    monkeypatch: pytest.MonkeyPatch, number: int, code: str, why: str
) -> None:
    said = f"error: failed to write `x`\n  cause: 디스크 (os error {number})"
    uv = UvInstaller(processes=Replies(2, said), executable=Path("uv"))
    with pytest.raises(EnvsmithError, match=r"ENV020.*uv failed with status 2"):
        uv.make(Path("/env"), Path("python"), "any")  # elsewhere the numbers have other meanings
    monkeypatch.setattr(uv_command, "_IS_WINDOWS", True)
    with pytest.raises(EnvsmithError, match=f"{code}.*{why}"):
        uv.make(Path("/env"), Path("python"), "any")


@pytest.mark.parametrize(
    "said",
    [
        "error: Failed to extract archive: a.whl\n  cause: failed to create file (os error 206)",
        f"error: Failed to extract archive: a.whl\n  cause: failed to open file `C:\\{'x' * 256}` (os error 3)",
    ],
)
def test_a_path_that_is_too_long_is_not_a_damaged_file(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(uv_command, "_IS_WINDOWS", True)
    uv = UvInstaller(processes=Replies(2, said), executable=Path("uv"))
    supply = InstallSource(text="a==1", is_pylock=False, wheelhouse="C:\\wheels", profile="cu128")
    with pytest.raises(EnvsmithError, match=r"ENV020: .*the path is too long for Windows") as caught:
        uv.fill(Path("/env"), supply)
    assert "`envsmith doctor lengths`" in caught.value.hint


# What uv 0.13.8 says, recorded 2026-11-21.
@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        (
            "error: No solution found when resolving dependencies\n  cause: Because six was not found",
            "ENV025",
            "lacks files of the lock",
        ),
        (
            "error: Failed to read `--find-links` directory: /wheels\n  cause: No such file or directory (os error 2)",
            "ENV025",
            "the wheelhouse does not exist",
        ),
        (
            "error: Failed to download `six==1.17.0`\n  cause: Failed to extract archive: six-1.17.0-py3-none-any.whl",
            "ENV025",
            "damaged",
        ),
        (
            "error: Failed to read `six==1.17.0`\n  cause: Hash mismatch for `six==1.17.0`",
            "ENV022",
            "hash of a file differs",
        ),
    ],
)
def test_a_wheelhouse_that_does_not_hold_what_it_should(said: str, code: str, why: str) -> None:
    installer = UvInstaller(processes=Replies(1, said), executable=Path("uv"))
    supply = InstallSource(text="six==1.17.0", is_pylock=False, wheelhouse="/my wheels", profile="cu128")
    with pytest.raises(EnvsmithError) as caught:
        installer.fill(Path("/env"), supply)
    assert caught.value.code == code
    assert why in caught.value.message
    assert "envsmith download cu128 -d '/my wheels'" in caught.value.hint
    assert caught.value.details[0][1] == said


def test_real_uv_finds_makes_and_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    wheels = (made_torch("2.19.0+cpu"), made("beside"))
    for wheel in wheels:
        (tmp_path / wheel.filename).write_bytes(wheel.body)
    lines = [f"{item.name}=={item.version} --hash=sha256:{item.sha256}\n" for item in wheels]
    installer = UvInstaller(processes=Processes(), executable=find_uv(), offline=True)
    python = installer.find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert python is not None
    assert installer.find_python("3.99") is None
    assert installer.find_python("--help") is None
    installer.make(tmp_path / "env", python, "any")
    assert interpreter_path(tmp_path / "env").exists()
    supply = InstallSource(text="".join(lines), is_pylock=False, wheelhouse=str(tmp_path))
    installer.fill(tmp_path / "env", supply)
    assert len(list((tmp_path / "env").rglob("*.dist-info"))) == 2
    installer.make(tmp_path / "second", python, "any")
    wrong = supply.text.replace(wheels[0].sha256, wheels[1].sha256)
    with pytest.raises(EnvsmithError, match="ENV022"):
        installer.fill(
            tmp_path / "second", InstallSource(text=wrong, is_pylock=False, wheelhouse=str(tmp_path))
        )
    house = tmp_path / "house"
    away = InstallSource(text="".join(lines), is_pylock=False, wheelhouse=str(house))
    uncached = UvInstaller(processes=Processes(), executable=find_uv(), offline=True)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "second-cache"))
    with pytest.raises(EnvsmithError, match="ENV025"):
        uncached.fill(tmp_path / "second", away)  # no such folder
    house.mkdir()
    with pytest.raises(EnvsmithError, match="ENV025"):
        uncached.fill(tmp_path / "second", away)  # nothing in it
    for wheel in wheels:
        (house / wheel.filename).write_bytes(wheel.body[:-40])
    with pytest.raises(EnvsmithError, match=r"ENV02[25]"):
        uncached.fill(tmp_path / "second", away)  # cut off
    (house / wheels[0].filename).write_bytes(b"no wheel at all")
    with pytest.raises(EnvsmithError, match=r"ENV02[25]"):
        uncached.fill(tmp_path / "second", away)
