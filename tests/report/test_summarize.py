from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from envsmith.doctor.checks import CHECKS
from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.errors import EnvsmithError, InstallError
from envsmith.lockfile.manifest import Manifest
from envsmith.report.summarize import summarize
from tests import machines


def changed(facts: DoctorFacts, **values: object) -> DoctorFacts:
    return cast("DoctorFacts", SimpleNamespace(**{**vars(facts), **values}))


def test_the_lock_is_that_of_the_environment_s_interpreter() -> None:
    found = summarize(machines.windows(), CHECKS, "0.1.0")
    assert found.lock
    assert (found.lock.profile, found.lock.target, found.lock.backend) == (
        "cu128",
        "cp312-win_amd64",
        "cu128",
    )
    assert found.lock.drift
    assert found.checks == len(CHECKS)


def test_decisions_are_read_back() -> None:
    found = summarize(machines.linux(), CHECKS, "0.1.0")
    assert found.lock
    assert [item.subject for item in found.lock.decisions] == ["torchvision"]
    assert found.findings == ()


def test_without_an_environment_the_only_target_is_told() -> None:
    facts = changed(machines.linux(), environment=None, torch=None)
    found = summarize(facts, CHECKS, "0.1.0")
    assert found.lock
    assert found.lock.target == "cp311-manylinux_2_28_x86_64"
    two = changed(machines.windows(), environment=None, torch=None)
    lock = summarize(two, (), "0.1.0").lock
    assert lock
    assert (lock.target, lock.plan) == ("", "")


def test_a_lock_for_another_interpreter_is_named_without_its_target() -> None:
    manifest = machines.linux().manifest
    assert manifest
    other = Manifest(
        profile="cpu",
        cutoff_utc=manifest.cutoff_utc,
        targets={"cp313-win_amd64": next(iter(manifest.targets.values()))},
    )
    lock = summarize(changed(machines.linux(), manifest=other), (), "0.1.0").lock
    assert lock
    assert (lock.target, lock.targets) == ("", ("cp313-win_amd64",))


class Broken:
    """Facts of which much cannot be found out."""

    def __getattr__(self, name: str) -> object:
        if name in ("environment", "installed_state", "drift"):
            raise InstallError("ENV023", "the interpreter gives no answer")
        if name == "manifest":
            raise EnvsmithError("LCK002", "not a lock manifest")
        return getattr(machines.linux(), name)


def test_what_cannot_be_found_out_is_left_out() -> None:
    found = summarize(cast("DoctorFacts", Broken()), CHECKS, "0.1.0")
    assert (found.environment, found.lock) == (None, None)
    assert ("family", "the interpreter gives no answer") in found.skipped
