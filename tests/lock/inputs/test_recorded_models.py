from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from envsmith.config.model_files import ModelCheckResult
from envsmith.config.profile import Profile
from envsmith.config.profile_reader import parse
from envsmith.environment.interpreter import ModelProbe
from envsmith.errors import InstallError, LockError, ToolError
from envsmith.lock.inputs import recorded_models
from envsmith.lockfile.manifest import Manifest
from envsmith.verify.model_findings import check
from tests.values import CUTOFF, HEX, OTHER_HEX

GOOD = 'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\n'
ONNX = '[[models]]\npath = "a.onnx"\nformat = "onnx"\n'
SCRIPT = '[[models]]\npath = "a.pt"\nformat = "torchscript"\n'
COMPARED = f'{ONNX}reference = "a.pt"\ninputs = [{{ name = "x", shape = [1], dtype = "int64" }}]\n'


def profile(text: str) -> Profile:
    return parse(GOOD + text, "profiles/own.toml", "own")


def manifest(**models: str) -> Manifest:
    found = {name.replace("_", "."): sha256 for name, sha256 in models.items()}
    return Manifest(profile="own", cutoff_utc=CUTOFF, models=found)


def hashes(**known: str) -> recorded_models.HashModel:
    return lambda path: known.get(path.replace(".", "_"), "")


@dataclass
class FakeAsker:
    """Says what it is told to say."""

    told: ModelCheckResult = field(default_factory=lambda: ModelCheckResult(load_s=0.5))
    fails: InstallError | ToolError | None = None
    specs: list[dict[str, Any]] = field(default_factory=list)

    def model(self, prefix: Path, spec: Mapping[str, Any], timeout_s: float) -> ModelCheckResult:
        assert (prefix, timeout_s) == (Path("env"), 600.0)
        self.specs.append(dict(spec))
        if self.fails:
            raise self.fails
        return self.told


def checked(
    text: str, known: recorded_models.HashModel, locked: Manifest, asker: FakeAsker | None = None
) -> list[str]:
    found = check(profile(text), locked, Path("env"), cast("ModelProbe", asker or FakeAsker()), known)
    return [finding.code for item in found for finding in item.findings]


def test_a_lock_records_what_is_there_and_keeps_what_it_knew() -> None:
    both = profile(ONNX + SCRIPT)
    assert recorded_models.record_models(both, None, hashes(a_onnx=HEX)) == {"a.onnx": HEX}
    before = manifest(a_onnx=HEX, a_pt=HEX, gone=HEX)
    assert recorded_models.record_models(both, before, hashes(a_onnx=OTHER_HEX)) == {
        "a.onnx": OTHER_HEX,
        "a.pt": HEX,
    }
    assert recorded_models.record_models(both, before, None) == {"a.onnx": HEX, "a.pt": HEX}
    assert recorded_models.record_models(profile(""), before, hashes()) == {}


def test_a_file_that_is_not_the_one_stated_is_not_recorded() -> None:
    stated = profile(f'{ONNX}sha256 = "{HEX}"\n')
    assert recorded_models.record_models(stated, None, hashes()) == {"a.onnx": HEX}
    with pytest.raises(LockError) as caught:
        recorded_models.record_models(stated, None, hashes(a_onnx=OTHER_HEX))
    assert (caught.value.code, caught.value.where) == ("LCK039", "profiles/own.toml:4: models")


def test_drift() -> None:
    one = profile(ONNX)
    assert list(recorded_models.changed_models(one, manifest(a_onnx=HEX), hashes(a_onnx=HEX))) == []
    assert list(recorded_models.changed_models(one, manifest(a_onnx=HEX), hashes())) == [], (
        "a file that is not here"
    )
    assert list(recorded_models.changed_models(one, manifest(), None)) == []
    ((path, why),) = recorded_models.changed_models(one, manifest(a_onnx=HEX), hashes(a_onnx=OTHER_HEX))
    assert (path, why) == ("a.onnx", f"a.onnx has sha256 {OTHER_HEX}, but the lock has {HEX}")
    ((_, why),) = recorded_models.changed_models(one, manifest(), hashes(a_onnx=HEX))
    assert why.endswith("but the lock has none")
    stated = profile(f'{ONNX}sha256 = "{OTHER_HEX}"\n')
    assert len(list(recorded_models.changed_models(stated, manifest(a_onnx=HEX), None))) == 1


def test_a_file_is_looked_at_before_it_is_loaded() -> None:
    asker = FakeAsker()
    assert checked(ONNX, hashes(), manifest(a_onnx=HEX), asker) == ["ENV100"]
    assert checked(ONNX, hashes(a_onnx=OTHER_HEX), manifest(a_onnx=HEX), asker) == ["ENV101"]
    both = hashes(a_onnx=HEX, a_pt=OTHER_HEX)
    assert checked(COMPARED + SCRIPT, both, manifest(a_onnx=HEX, a_pt=HEX), asker) == ["ENV101", "ENV101"]
    missing = COMPARED.replace("a.pt", "a.npz")
    assert checked(missing, hashes(a_onnx=HEX), manifest(a_onnx=HEX), asker) == ["ENV100"]
    assert asker.specs == []
    assert checked(ONNX, hashes(a_onnx=HEX), manifest(), asker) == ["ENV112"]
    assert len(asker.specs) == 1


def test_what_is_asked_and_said() -> None:
    asker = FakeAsker(
        told=ModelCheckResult(problems=({"kind": "differs", "text": "much", "names": []},), run_s=0.1)
    )
    text = f'shims = ["torch-safe-globals"]\nsafe-globals = ["a.B"]\n{COMPARED}{SCRIPT}'
    known, locked = hashes(a_onnx=HEX, a_pt=HEX), manifest(a_onnx=HEX, a_pt=HEX)
    found = check(profile(text), locked, Path("env"), cast("ModelProbe", asker), known)
    spec = asker.specs[0]
    assert spec["path"] == str(Path("a.onnx").absolute())
    assert (spec["reference"], spec["reference_format"]) == (str(Path("a.pt").absolute()), "torchscript")
    assert spec["safe_globals"] == ["a.B"]
    assert asker.specs[1]["reference"] == ""
    plain: Any = found[0].to_json()
    assert (plain["path"], plain["run_s"], plain["findings"][0]["code"]) == ("a.onnx", 0.1, "ENV109")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            InstallError("ENV023", "no answer", details=(("it says", "Segmentation fault\n"),)),
            "Segmentation fault",
        ),
        (ToolError("TOL002", "ran past 600 s"), "ran past 600 s"),
    ],
)
def test_a_check_that_dies_is_a_finding(error: InstallError | ToolError, said: str) -> None:
    (item,) = check(
        profile(ONNX),
        manifest(a_onnx=HEX),
        Path("env"),
        cast("ModelProbe", FakeAsker(fails=error)),
        hashes(a_onnx=HEX),
    )
    assert [finding.code for finding in item.findings] == ["ENV113"]
    assert item.findings[0].message == f"a.onnx: its check crashed or timed out: {said}"
