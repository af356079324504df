"""Shims of a profile, put into an environment by the real command, and compared by `verify` and pip."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.install.made import PROFILE, Made, Shop, made, made_torch

TORCHAUDIO = b"def load(): raise ImportError\ndef load_with_torchcodec(): raise ImportError\n"
LEGACY = 'shims = ["torchaudio-legacy-api"]\n'


@pytest.fixture
def audio(tmp_path: Path) -> Shop:
    """A shop with a torchaudio that has lost its old names; its profile asks for the shim."""
    shop = Shop.opened(tmp_path)
    wheels = made_torch("2.19.0+cpu"), _torchaudio()
    shop.stock(*wheels)
    shop.lock(*wheels)
    asked(shop, LEGACY + 'checks = [{import = "torchaudio"}]\n')
    return shop


def _torchaudio() -> Made:
    return made("torchaudio", "2.11.0", {"torchaudio/__init__.py": TORCHAUDIO})


def asked(shop: Shop, text: str) -> None:
    """Write the profile."""
    folder = shop.project.root / "profiles"
    folder.mkdir(exist_ok=True)
    begin = 'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\n'
    (folder / f"{PROFILE}.toml").write_text(begin + text, "utf-8")


def added(shop: Shop) -> list[str]:
    code = (
        "import torchaudio, json, sys; shims = sys.modules.get('envsmith_shims')\n"
        "print(json.dumps(sorted(shims.added['torchaudio-legacy-api']) if shims else []))"
    )
    done = subprocess.run(
        [shop.python(), "-I", "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    return list(json.loads(done.stdout))


def test_an_install_puts_the_shims_in_and_verify_knows_them(audio: Shop) -> None:
    ran = audio.install("--deep")
    assert ran.status == 0, ran.said
    assert "torchaudio imports" in ran.said
    assert "info" in added(audio)
    verified = audio.project.run("verify", PROFILE, "--deep")
    assert (verified.status, "3 packages" in verified.said) == (0, True), verified.said
    assert audio.install().said.startswith("current"), "there is nothing to do"
    checked = subprocess.run(
        [
            audio.project.root / ".venv/bin/python",
            "-c",
            "import envsmith_shims; print(envsmith_shims.__file__)",
        ],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "site-packages" in checked.stdout


def test_a_changed_shim_is_found(audio: Shop) -> None:
    assert audio.install().status == 0
    (shim,) = audio.link.glob("lib/python*/site-packages/envsmith_shims/torchaudio_legacy_api.py")
    shim.write_text("pass\n", "utf-8")
    ran = audio.project.run("verify", PROFILE)
    assert ran.status == 1
    assert "envsmith-shims 1+" in ran.said
    assert "ENV015" in ran.said


def test_a_profile_that_asks_for_other_shims_gets_another_environment(audio: Shop) -> None:
    assert audio.install().status == 0
    first = audio.current()
    asked(audio, "")
    ran = audio.project.run("verify", PROFILE)
    assert (ran.status, "ENV011" in ran.said) == (1, True), ran.said
    assert audio.install().status == 0
    assert added(audio) == []
    second = audio.current()
    assert second != first
    asked(audio, LEGACY)
    ran = audio.install()
    assert (ran.status, audio.current()) == (0, first), "the one that was built before"
    assert "load" in added(audio)


def test_without_its_profile_an_environment_keeps_the_shims_it_has(audio: Shop) -> None:
    assert audio.install().status == 0
    first = audio.current()
    (audio.project.root / "profiles" / f"{PROFILE}.toml").unlink()
    assert audio.project.run("verify", PROFILE).status == 0
    assert audio.install("--deep").status == 0
    assert audio.current() == first
