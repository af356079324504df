"""What a lock shows: a table of targets, each decision once, and what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from envsmith.config.profile import Profile
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import ResolveError
from envsmith.lock import output
from envsmith.lock.lock import LockedProfile, LockedTarget
from envsmith.lock.savings import BuildSize, DownloadSavings
from envsmith.lockfile.manifest import FamilyPin, Manifest, TargetRecord
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.target import Platform, Python
from envsmith.plan.model import LockRequest

SLUGS = ("cp311-win_amd64", "cp312-manylinux_2_28_x86_64", "cp312-win_amd64")
END = Decision(subject="cu128", kind="noted", code="RES104", message="CUDA 12.8 · torch 2.11.0 is its last")
EVERYWHERE = Decision(subject="a", kind="noted", code="RES112", message="everywhere")
WINDOWS = Decision(subject="b", kind="capped", code="RES108", message="on Windows")
ONE = Decision(subject="c", kind="capped", code="RES110", message="on one")


def wanted(summary: str = "for a test", **family: str) -> LockRequest:
    profile = Profile(
        name="app",
        summary=summary,
        backend=Backend.parse("cu128"),
        python=(Python.parse("3.12"),),
        platforms=(Platform.parse("linux"),),
        family=family,
    )
    return LockRequest(
        profile=profile, requirements=(SourcedRequirement(requirement=Requirement("torch"), origin="x:1"),)
    )


def target(slug: str, *decisions: Decision, audio: str = "") -> LockedTarget:
    family = {"torch": FamilyPin(version="2.11.0+cu128", filename="torch.whl", sha256="00")}
    if audio:
        family["torchaudio"] = FamilyPin(version=audio, filename="torchaudio.whl", sha256="00")
    entry = TargetRecord(
        plan="0",
        inputs={},
        catalog="embedded",
        family=family,
        packages=33,
        files={},
        decisions=tuple(item.to_json() for item in decisions),
    )
    return LockedTarget(slug=slug, entry=entry, lock=None, seconds=0.0)


def locked(
    *targets: LockedTarget, shared: tuple[Decision, ...] = (), written: tuple[str, ...] = ()
) -> LockedProfile:
    return LockedProfile(
        profile="app",
        manifest=Manifest(profile="app", cutoff_utc="2026-11-20T23:59:59Z"),
        catalog_name="embedded 2026-11-20",
        decisions=shared,
        targets=targets,
        written=written,
        folder=Path("lockfiles/app"),
    )


def shown(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


def test_a_decision_is_shown_once_with_the_targets_it_is_for(capfd: pytest.CaptureFixture[str]) -> None:
    targets = (
        target(SLUGS[0], EVERYWHERE, WINDOWS),
        target(SLUGS[1], EVERYWHERE, ONE),
        target(SLUGS[2], EVERYWHERE, WINDOWS),
    )
    output.outcome(wanted(), locked(*targets, shared=(END, EVERYWHERE, WINDOWS, ONE)))
    lines = shown(capfd)
    assert lines[0] == "app       CUDA 12.8 · torch 2.11.0 is its last  note RES104"
    assert lines[-3:] == [
        "decisions everywhere  RES112",
        "          on Windows (win_amd64)  RES108",
        "          on one (cp312-manylinux_2_28_x86_64)  RES110",
    ]


def test_similar_names_are_warnings_below_the_decisions(capfd: pytest.CaptureFixture[str]) -> None:
    similar = Decision(
        subject="torch-vision", kind="noted", code="RES118", message="did you mean `torchvision`?"
    )
    output.outcome(wanted(), locked(target(SLUGS[0], similar, EVERYWHERE), shared=(similar, EVERYWHERE)))
    assert shown(capfd)[-2:] == [
        "decisions everywhere  RES112",
        "warning   did you mean `torchvision`?  RES118",
    ]


def test_columns_with_nothing_in_them_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    output.outcome(wanted(), locked(target(SLUGS[0]), target(SLUGS[2])))
    assert shown(capfd)[1].split() == ["target", "torch", "packages", "took"]
    output.outcome(wanted(), locked(target(SLUGS[0]), target(SLUGS[2], audio="2.11.0+cu128")))
    assert shown(capfd)[1].split() == ["target", "torch", "torchaudio", "packages", "took"]


def test_what_the_profile_drops_is_said_in_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    output.outcome(wanted(torchvision="drop"), locked(target(SLUGS[0])))
    assert shown(capfd)[2].split() == [SLUGS[0], "2.11.0+cu128", "dropped", "33", "unchanged"]


def test_what_the_sources_let_go_is_said_in_the_table(capfd: pytest.CaptureFixture[str]) -> None:
    gone = Decision(subject="torchaudio", kind="dropped", code="RES114", message="torchaudio dropped: no use")
    output.outcome(wanted(torchaudio="auto"), locked(target(SLUGS[0], gone)))
    assert shown(capfd)[2].split() == [SLUGS[0], "2.11.0+cu128", "dropped", "33", "unchanged"]


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        ("for a test", "app       CUDA 12.8 · for a test"),
        ("CUDA 12.8: to its end", "app       CUDA 12.8: to its end"),
        ("", "app       CUDA 12.8"),
    ],
)
def test_the_head_says_what_the_profile_is_for(
    summary: str, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    output.outcome(wanted(summary), locked(target(SLUGS[0])))
    assert shown(capfd)[0] == line


@pytest.mark.parametrize(
    ("targets", "written", "dry_run", "text"),
    [
        (1, ("a",), False, "lockfiles/app: 1 lock, 1 requirements file, 0 activation scripts"),
        (2, ("a",), False, "lockfiles/app: 2 locks, 2 requirements files, 0 activation scripts"),
        (2, (), False, "nothing: lockfiles/app is current"),
        (1, (), True, "nothing (dry run); would write lockfiles/app: 1 lock"),
    ],
)
def test_what_was_written(
    targets: int, written: tuple[str, ...], dry_run: bool, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = locked(*(target(slug) for slug in SLUGS[:targets]), written=written)
    output.written([found], dry_run=dry_run)
    assert shown(capfd)[0].startswith(f"wrote     {text}")


def test_json_holds_results_and_errors(capfd: pytest.CaptureFixture[str]) -> None:
    output.envelope([locked(target(SLUGS[0]), shared=(END,))], [ResolveError("RES050", "no")])
    document = json.loads(capfd.readouterr().out)
    assert (document["status"], document["errors"][0]["code"]) == ("no", "RES050")
    (found,) = document["data"]
    assert found["targets"][0]["target"] == SLUGS[0]
    assert found["decisions"][0]["code"] == "RES104"


def weight(project: str, size: int | None, *, is_near: bool = False) -> BuildSize:
    return BuildSize(project=project, filename=f"{project}.whl", size_bytes=size, is_near=is_near)


@pytest.mark.parametrize(
    ("saving", "expected"),
    [
        (
            DownloadSavings(choice="dropping b", spared=(weight("a", 7_000_000), weight("b", 1_100_000))),
            "saves     8.1 MB by dropping b: a 7.0 MB, b 1.1 MB",
        ),
        (
            DownloadSavings(choice="dropping b", spared=(weight("b", 1_137_940, is_near=True),)),
            "saves     about 1.1 MB by dropping b: b 1.1 MB (estimated from PyPI's wheel of the same build)",
        ),
        (
            DownloadSavings(choice="dropping b", spared=(weight("a", 900), weight("b", None))),
            "saves     at least 900 bytes by dropping b: a 900 bytes; size unknown: b",
        ),
        (
            DownloadSavings(choice="dropping b", spared=(weight("b", None),)),
            "saves     unknown by dropping b (no size published)",
        ),
        (
            DownloadSavings(
                choice="the cpu build instead of PyPI's",
                spared=tuple(weight(name, 10**9) for name in "abcde"),
                instead=(weight("torch", 200_000_000),),
            ),
            (
                "saves     4.8 GB by the cpu build instead of PyPI's: "
                "a 1.0 GB, b 1.0 GB, c 1.0 GB, 2 more 2.0 GB, less torch 200 MB"
            ),
        ),
        (
            DownloadSavings(
                choice="the cpu build", spared=(weight("a", 10**9),), instead=(weight("torch", None),)
            ),
            "saves     less than 1.0 GB by the cpu build: a 1.0 GB; size unknown: torch",
        ),
    ],
)
def test_savings_are_told_as_far_as_they_are_known(
    capfd: pytest.CaptureFixture[str], saving: DownloadSavings, expected: str
) -> None:
    told = [replace(target(slug), savings=(saving,)) for slug in SLUGS]
    output.outcome(wanted(), locked(*told))
    assert " ".join(expected.split()) in " ".join(" ".join(shown(capfd)).split())


def test_savings_of_one_target_name_it(capfd: pytest.CaptureFixture[str]) -> None:
    saving = DownloadSavings(choice="dropping b", spared=(weight("b", 5),))
    output.outcome(wanted(), locked(replace(target(SLUGS[0]), savings=(saving,)), target(SLUGS[1])))
    assert f"b 5 bytes ({SLUGS[0]})" in " ".join(shown(capfd))


def test_it_says_whose_files_were_not_compared(capfd: pytest.CaptureFixture[str]) -> None:
    names = ("a", "b", "c", "d", "e")
    one = replace(
        target(SLUGS[0]),
        unchecked=names,
        possible_conflicts=("a and b may share the folder x",),
    )
    output.outcome(wanted(), locked(one, replace(target(SLUGS[1]), unchecked=("a",))))
    text = " ".join(" ".join(shown(capfd)).split())
    assert "file conflicts not checked for a, b, c, d and 1 more (no wheel could be read)" in text
    assert text.endswith("a and b may share the folder x")


def test_it_says_nothing_of_files_where_all_were_compared(capfd: pytest.CaptureFixture[str]) -> None:
    output.outcome(wanted(), locked(target(SLUGS[0])))
    assert "not checked" not in " ".join(shown(capfd))
