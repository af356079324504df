import tomllib
from dataclasses import replace

import pytest

from envsmith.errors import LockError
from envsmith.lockfile.manifest import FamilyPin, Manifest, RememberedOptions, TargetRecord
from tests.values import CUTOFF, HEX

SLUG = "cp312-manylinux_2_28_x86_64"
PIN = f"2.11.0+cu128 torch-2.11.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl sha256:{HEX}"


def manifest() -> Manifest:
    entry = TargetRecord(
        plan=HEX,
        inputs={
            "backend": "cu128",
            "channel": "nightly",
            "requirement": ["torch", "Num.Py<2", "a b"],
            "constraint": [],
            "allow-sdist": ["docopt"],
            "env": ["A=b=c", "B="],
            "from-pypi": ["torch==2.11.0"],
        },
        catalog="embedded 2026-11-20",
        family={"torch": FamilyPin.parse(PIN)},
        packages=33,
        files={f"requirements.{SLUG}.txt": HEX},
        decisions=({"subject": "torch", "kind": "noted", "message": 'with "quotes"', "evidence": ["a, b"]},),
    )
    return Manifest(
        profile="cu128",
        cutoff_utc=CUTOFF,
        moved={"numpy": CUTOFF},
        remembered=RememberedOptions(requirements_files=("a.in", "b.in")),
        targets={SLUG: entry},
        scripts={"activate.sh": HEX},
        models={"models/net.onnx": HEX},
        metadata=({"name": "torch", "version": "2.11.0+cu128", "requires-dist": ["filelock", "sympy"]},),
    )


def test_written_and_read_again() -> None:
    text = manifest().to_toml()
    again = Manifest.from_toml(text, "manifest.toml")
    assert again == manifest()
    assert again.to_toml() == text


def test_form_1_is_still_read() -> None:
    """It has one digest per file, its options at the top, and pins as one text."""
    text = f"""form = 1
profile = "cu128"
cutoff-utc = "{CUTOFF}"
requirements-files = ["a.in"]
[moved]
[targets.{SLUG}]
plan = "{HEX}"
catalog = "embedded 2026-11-20"
packages = 1
[targets.{SLUG}.family]
torch = "{PIN}"
[targets.{SLUG}.files]
"pylock.{SLUG}.toml" = "{HEX}"
[targets.{SLUG}.inputs]
backend = "cu128"
"""
    found = Manifest.from_toml(text, "here")
    assert found.remembered == RememberedOptions(requirements_files=("a.in",))
    assert found.targets[SLUG].family == {"torch": FamilyPin.parse(PIN)}
    assert (found.cutoff_utc, found.remembered.as_of) == (CUTOFF, ""), "the cutoff is history, not asked for"


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", ">>>>>>> main"])
def test_conflict_marks_are_told_as_such(mark: str) -> None:
    with pytest.raises(LockError) as caught:
        Manifest.from_toml(manifest().to_toml() + mark + "\n", "lockfiles/cu128/manifest.toml")
    assert (caught.value.code, caught.value.where) == ("LCK007", "lockfiles/cu128/manifest.toml")
    assert "envsmith lock" in caught.value.hint


def test_inputs_have_types() -> None:
    entry = manifest().targets[SLUG]
    assert (str(entry.backend), entry.channel) == ("cu128", "nightly")
    assert entry.env == {"A": "b=c", "B": ""}
    assert (entry.allow_sdist, entry.from_pypi) == (("docopt",), ("torch",))
    assert entry.requested == ("torch", "num-py")
    bare = replace(entry, inputs={})
    assert (str(bare.backend), bare.channel, bare.env, bare.requested) == ("cpu", "stable", {}, ())


def test_a_given_option_comes_before_a_remembered_one() -> None:
    given, recorded = RememberedOptions(requirements_files=("a.in",)), manifest().remembered
    assert given.or_else(recorded) == given
    assert RememberedOptions().or_else(recorded) == recorded
    assert RememberedOptions().to_plain() == {}


def test_without_models_nothing_is_said_of_them() -> None:
    assert "models" not in replace(manifest(), models={}).to_toml()


def test_order_of_targets_does_not_show() -> None:
    entry = manifest().targets[SLUG]
    one = Manifest(profile="p", cutoff_utc=CUTOFF, targets={"cp311-win_amd64": entry, SLUG: entry})
    other = Manifest(profile="p", cutoff_utc=CUTOFF, targets={SLUG: entry, "cp311-win_amd64": entry})
    assert one.to_toml() == other.to_toml()


def test_it_is_toml_without_windows_line_ends() -> None:
    text = manifest().to_toml()
    assert tomllib.loads(text)["targets"][SLUG]["packages"] == 33
    assert "\r" not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("form = 2", "form = 3"),
        ("form = 2", ""),
        (f'cutoff-utc = "{CUTOFF}"', 'cutoff-utc = "today"'),
        (f'cutoff-utc = "{CUTOFF}"', "cutoff-utc = 2026-11-20"),
        (f"[targets.{SLUG}]", '[targets."../outside"]'),
        ("packages = 33", 'packages = "many"'),
        (f'sha256 = "{HEX}"', 'sha256 = "short"'),
        ('kind = "noted"', "kind = 3"),
        ('subject = "torch"\n', ""),
        ('backend = "cu128"', 'backend = "gpu"'),
        ("[moved]", "moved = 3\n[scripts]\n[other]"),
        ("profile", "[["),
    ],
)
def test_malformed_text_is_refused_with_its_place(old: str, new: str) -> None:
    text = manifest().to_toml()
    assert old in text
    with pytest.raises(LockError) as caught:
        Manifest.from_toml(text.replace(old, new), "lockfiles/cu128/manifest.toml")
    assert caught.value.code == "LCK002"
    assert caught.value.where == "lockfiles/cu128/manifest.toml"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"A=b=c"', '"B;touch${IFS}x;C=1"', "invalid variable name 'B;touch${IFS}x;C'"),
        ('"A=b=c"', '"A\\nB=1"', "invalid variable name 'A\\nB'"),
        ('"A=b=c"', '"PATH=/tmp"', "PATH cannot be set by a profile"),
        ('"A=b=c"', '"Path=/tmp"', "Path cannot be set by a profile"),
        ('"A=b=c"', '"LD_PRELOAD=/tmp/x.so"', "LD_PRELOAD cannot be set by a profile"),
        ('"A=b=c"', '"LD_LIBRARY_PATH=lib"', "LD_LIBRARY_PATH cannot be set by a profile"),
        ('"A=b=c"', '"PYTHONPATH=."', "PYTHONPATH cannot be set by a profile"),
        ('"A=b=c"', '"CUDA_INJECTION64_PATH=x.so"', "CUDA_INJECTION64_PATH cannot be set by a profile"),
        ('"A=b=c"', '"_ENVSMITH_CHANGED=x"', "_ENVSMITH_CHANGED cannot be set by a profile"),
        ('"A=b=c"', '"A=b\\u0000"', "A contains a NUL character"),
        ('"A=b=c"', '"=1"', "invalid variable name ''"),
        ('channel = "nightly"', 'channel = "../../x"', "invalid channel"),
        ('allow-sdist = ["docopt"]', 'allow-sdist = "docopt"', "inputs.allow-sdist must be a list"),
        (f'"requirements.{SLUG}.txt"', '"../../.bashrc"', "invalid file name '../../.bashrc'"),
        (f'"requirements.{SLUG}.txt"', '"README.md"', "invalid file name 'README.md'"),
        ('"activate.sh"', '"../activate.sh"', "invalid file name '../activate.sh'"),
        ('"activate.sh"', '"activate.s/h"', "invalid file name 'activate.s/h'"),
        (f"targets.{SLUG}", 'targets."../cp312-x"', "invalid target"),
    ],
)
def test_values_that_no_profile_could_have_are_refused(old: str, new: str, reason: str) -> None:
    text = manifest().to_toml()
    assert old in text
    with pytest.raises(LockError) as caught:
        Manifest.from_toml(text.replace(old, new), "manifest.toml")
    assert caught.value.code == "LCK002"
    assert reason in caught.value.message
