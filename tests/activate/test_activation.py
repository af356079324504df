from __future__ import annotations

from envsmith.activate.model import Activation
from envsmith.activate.scripts import activation_files, activation_of, environment_files
from envsmith.config.profile import Profile
from envsmith.config.profile_reader import parse
from envsmith.errors import ProfileError
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.model.shell import SHELLS

WRITTEN = 'backend = "cu130"\npython = ["3.12"]\nplatforms = ["linux"]\n[env]\nA = "written"\n'


def written(name: str) -> Profile:
    return parse(WRITTEN, "profiles/app.toml", name)


def unreadable(name: str) -> Profile:
    raise ProfileError("PRF013", f"there is no profile {name!r}")


def manifest(env: list[str]) -> Manifest:
    inputs: dict[str, str | list[str]] = {"backend": "cu128", "env": env}
    entry = TargetRecord(plan="", inputs=inputs, catalog="", family={}, packages=0, files={})
    return Manifest(profile="app", cutoff_utc="2026-11-20T09:00:00Z", targets={"cp311-win_amd64": entry})


def test_the_lock_says_what_a_session_has() -> None:
    found = activation_of("app", manifest(["A=locked=twice", "B="]), unreadable)
    assert found == Activation(profile="app", env={"A": "locked=twice", "B": ""}, cuda_major=12)


def test_a_profile_that_was_never_locked_speaks_for_itself() -> None:
    assert activation_of("app", None, written) == Activation(
        profile="app", env={"A": "written"}, cuda_major=13
    )


def test_there_is_a_script_for_every_shell() -> None:
    files = activation_files(Activation(profile="app", env={"A": "x"}), lambda name: f"{name} @NAME@")
    assert set(files) == {shell.file for shell in SHELLS}
    assert files["activate.sh"] == b"activate.sh app"


def test_an_environment_has_one_for_leaving_cmd_too() -> None:
    files = environment_files(Activation(profile="app"), lambda name: f"{name}\n")
    assert set(files) == {shell.file for shell in SHELLS} | {"activate", "deactivate.bat"}
    assert files["activate"] == files["activate.sh"]
    assert files["deactivate.bat"] == b"deactivate.bat\r\n"
