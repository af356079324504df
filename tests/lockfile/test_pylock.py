import tomllib
from dataclasses import replace

import pytest
from packaging.pylock import Pylock

from envsmith.errors import LockError
from envsmith.lock.admission import admit
from envsmith.lockfile.pins import Pins, pins_digest
from envsmith.lockfile.pylock import Lock, read_pylock
from envsmith.model.finding import Decision
from tests.values import HEX, of_row, package, plan, resolution, slice_of, source, torch

TORCH = torch("2.11.0+cu128")


def lock() -> Lock:
    asked = plan(
        "torch",
        slice_=slice_of(TORCH),
        allow_sdist=("opuslib",),
        env={"PYTORCH_ALLOC_CONF": 'a "quoted" value'},
        decisions=(Decision(subject="torch", kind="noted", message="line\nbreak", code="RES104"),),
    )
    answer = resolution(
        of_row(TORCH),
        package("filelock-3.20.0-py3-none-any.whl"),
        source("opuslib", "3.0.1"),
        requirers={"filelock": ("torch",), "opuslib": ("torch",)},
    )
    return admit(asked, answer, "embedded 2026-11-20")


def test_text_is_a_pylock_that_others_read() -> None:
    text = lock().to_toml()
    read = Pylock.from_dict(tomllib.loads(text))
    read.validate()
    assert read == read_pylock(text, "here")
    assert [item.name for item in read.packages] == ["filelock", "opuslib", "torch"]
    assert read.to_dict() == lock().pylock.to_dict()


def test_without_environments_the_key_is_left_out() -> None:
    """With an empty list uv installs the lock nowhere."""
    any_ = replace(lock().pylock, environments=None)
    assert "environments" not in replace(lock(), pylock=any_).to_toml()


def test_a_lock_without_packages_is_a_pylock() -> None:
    """All requirements may have markers that do not hold for a target."""
    empty = replace(lock(), pylock=replace(lock().pylock, packages=[]))
    assert read_pylock(empty.to_toml(), "here").packages == []
    assert Pins.from_pylock(empty.to_toml(), "here").packages == ()


def test_text_says_where_it_comes_from() -> None:
    ours = tomllib.loads(lock().to_toml())["tool"]["envsmith"]
    assert ours["profile"] == "mine"
    assert ours["catalog"] == "embedded 2026-11-20"
    pins = [(item.name, str(item.version), [HEX]) for item in lock().pylock.packages]
    assert ours["pins-sha256"] == pins_digest(pins)
    assert ours["env"] == {"PYTORCH_ALLOC_CONF": 'a "quoted" value'}
    assert ours["decisions"][0]["code"] == "RES104"


def test_equal_locks_give_equal_bytes() -> None:
    assert lock().to_toml() == lock().to_toml()
    assert lock().to_requirements() == lock().to_requirements()


def test_requirements_pin_hash_and_name_who_asked() -> None:
    text = lock().to_requirements()
    assert f"torch==2.11.0+cu128 \\\n    --hash=sha256:{HEX}\n    # via requirements.in:1\n" in text
    assert f"filelock==3.20.0 \\\n    --hash=sha256:{HEX}\n    # via torch\n" in text
    assert "--extra-index-url https://download.pytorch.org/whl/cu128\n" in text
    assert "\r" not in text


def test_lookups() -> None:
    assert lock().version("torch") == "2.11.0+cu128"
    assert lock().version("numpy") == ""
    assert lock().package("numpy") is None


@pytest.mark.parametrize("text", ["", "[", 'lock-version = "1.0"', "a = " + "[" * 5000])
def test_no_pylock(text: str) -> None:
    with pytest.raises(LockError) as caught:
        read_pylock(text, "pylock.x.toml")
    assert (caught.value.code, caught.value.where) == ("LCK001", "pylock.x.toml")
