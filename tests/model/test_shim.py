from __future__ import annotations

import base64
import csv
import hashlib

import pytest

from envsmith.errors import ProfileError
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.shim import LEGACY_API, SAFE_GLOBALS, check_global, check_shim, is_shims, package
from envsmith.shims.environment import with_shims

SOURCES = {"__init__.py": b"1\n", "torchaudio_legacy_api.py": b"2\n"}


@pytest.mark.parametrize(
    "name",
    ["torch.torch_version.TorchVersion", "pyannote.audio.core.task.Specifications", "a.B.C", "_a._b1"],
)
def test_dotted_names(name: str) -> None:
    assert check_global(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "TorchVersion",
        "a.",
        ".a",
        "a..b",
        "a.b()",
        "a.b;import os",
        "a.b\nshim x",
        "a.b c",
        "a.class",
        "a.é",
        "1a.b",
        f"a.{'b' * 300}",
    ],
)
def test_what_is_no_dotted_name(name: str) -> None:
    with pytest.raises(ProfileError) as caught:
        check_global(name)
    assert caught.value.code == "PRF005"


@pytest.mark.parametrize(
    "name",
    ["os.system", "posix.system", "builtins.eval", "subprocess.Popen", "importlib.util.x", "torch.hub.load"],
)
def test_what_could_run_anything_is_never_allowed(name: str) -> None:
    with pytest.raises(ProfileError, match="run any code"):
        check_global(name)


def test_a_module_that_only_begins_alike_is_another_one() -> None:
    assert check_global("oslo.Thing") == "oslo.Thing"


def test_an_unknown_shim_is_refused_with_the_nearest() -> None:
    assert check_shim(SAFE_GLOBALS) == SAFE_GLOBALS
    with pytest.raises(ProfileError) as caught:
        check_shim("torch-safe-global")
    assert "did you mean torch-safe-globals?" in caught.value.hint


def test_the_package_records_every_file_with_its_hash() -> None:
    made = package((SAFE_GLOBALS, LEGACY_API), ("b.C", "a.B"), SOURCES)
    rows = list(csv.reader(made.files[f"{made.folder}/RECORD"].decode().splitlines()))
    assert sorted(row[0] for row in rows) == sorted(made.files)
    for path, told, size in rows[:-1]:
        digest = base64.urlsafe_b64encode(hashlib.sha256(made.files[path]).digest()).rstrip(b"=").decode()
        assert (told, size) == (f"sha256={digest}", str(len(made.files[path])))
    assert made.files["envsmith_shims.pth"] == b"import envsmith_shims; envsmith_shims.start()\n"
    assert made.files["envsmith_shims/active.txt"].decode().splitlines() == [
        "shim torch-safe-globals torch.serialization a b",
        "shim torchaudio-legacy-api torchaudio",
        "global a.B",
        "global b.C",
    ]
    assert is_shims(made.folder)


def test_equal_shims_have_one_version_and_others_another() -> None:
    one = package((LEGACY_API,), (), SOURCES)
    assert one == package((LEGACY_API,), ("a.B",), SOURCES), "names of a shim that is not active"
    assert one.version.startswith("1+")
    others = {
        package((LEGACY_API, SAFE_GLOBALS), ("a.B",), SOURCES).version,
        package((LEGACY_API, SAFE_GLOBALS), ("a.C",), SOURCES).version,
        package((LEGACY_API,), (), {**SOURCES, "__init__.py": b"3\n"}).version,
    }
    assert len(others) == 3
    assert one.version not in others


def test_shims_stand_beside_the_pins_of_a_lock() -> None:
    pins = Pins(packages=(Pin(name="torch", version="2.8.0", sha256=("0",)),))
    made = package((LEGACY_API,), (), SOURCES)
    assert with_shims(pins, None) is pins
    assert with_shims(pins, made).version("envsmith-shims") == made.version
    assert with_shims(pins, made).version("torch") == "2.8.0"
