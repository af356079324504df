from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from envsmith.catalog import Catalog
from envsmith.doctor.repair import MAX_ROUNDS, RepairResult, RepairTools, UvRepairer, plan, repair
from envsmith.doctor.repair_plan import RepairInput
from envsmith.errors import ToolError, VerificationError
from envsmith.lockfile.pins import InstallSource
from tests.doctor.test_repair_plan import damaged, finding
from tests.environment.test_lock_comparison import distribution, pins

ILL = damaged(locked=pins(a="1"), findings=(finding("ENV015", "a"),))
WELL = damaged(distribution("a", "1"), locked=pins(a="1"))


@dataclass
class FakeRepairer:
    """Keeps what it was told."""

    told: list[str] = field(default_factory=list)

    def move_aside(self, prefix: Path, site: str, folders: Sequence[str]) -> None:
        self.told.append(f"aside {prefix} {site} {' '.join(folders)}")

    def remove(self, prefix: Path, names: Sequence[str]) -> None:
        self.told.append(f"remove {prefix} {' '.join(names)}")

    def reinstall(self, prefix: Path, supply: InstallSource, *, is_hashed: bool) -> None:
        self.told.append(
            f"reinstall {prefix} {supply.text.strip()} from {supply.wheelhouse} of {supply.profile} {is_hashed}"
        )

    def clean_cache(self, names: Sequence[str]) -> None:
        self.told.append(f"clean_cache {' '.join(names)}")


@dataclass
class World:
    """What is found one look after the other, and what was done."""

    looks: list[RepairInput]
    fails: int = 0
    repairer: FakeRepairer = field(default_factory=FakeRepairer)

    def rebuild(self) -> None:
        self.repairer.told.append("rebuild")
        if self.fails:
            self.fails -= 1
            raise VerificationError("ENV001", "not what its lock says")

    def repair(self, first: RepairInput) -> RepairResult:
        tools = RepairTools(
            examine=lambda: self.looks.pop(0),
            repairer=cast("UvRepairer", self.repairer),
            rebuild=self.rebuild,
            catalog=Catalog.embedded(),
            supply=InstallSource(text="", is_pylock=False, wheelhouse="files", profile="any"),
        )
        return repair(first, plan(first, tools), Path("env"), tools)


def test_steps_are_taken_and_looked_at() -> None:
    more = damaged(locked=pins(a="1"), findings=(finding("ENV010", "a"), finding("ENV011", "extra")))
    world = World([WELL])
    done = world.repair(more)
    hashes = " ".join(f"--hash=sha256:{value}" for value in pins(a="1").packages[0].sha256)
    assert world.repairer.told == [
        "remove env extra",
        f"reinstall env a==1 {hashes} from files of any True",
    ]
    assert (done.after, [step.kind for step in done.steps], done.plan.steps) == (
        WELL,
        ["remove", "install"],
        (),
    )


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_nothing_is_changed_through_a_link_out_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = damaged(locked=pins(a="1"), findings=(finding("ENV010", "a"), finding("ENV011", "extra")))
    site = Path("env", missing.environment.site)
    site.parent.mkdir(parents=True)
    site.symlink_to(tmp_path)
    world = World([WELL])
    with pytest.raises(ToolError, match="TOL019"):
        world.repair(missing)
    assert world.repairer.told == []


def test_what_stays_wrong_is_fetched_anew_and_given_up_in_the_end() -> None:
    world = World([ILL] * MAX_ROUNDS)
    done = world.repair(ILL)
    assert [told.split()[0] for told in world.repairer.told] == [
        "reinstall",
        "clean_cache",
        "reinstall",
        "clean_cache",
        "reinstall",
    ]
    assert done.plan.steps != ()


def test_a_rebuild_whose_proof_fails_is_tried_once_more_with_fresh_files() -> None:
    ours = damaged(locked=pins(a="1"), findings=ILL.findings, is_managed=True)
    world = World([WELL], fails=1)
    assert world.repair(ours).after == WELL
    assert world.repairer.told == ["rebuild", "clean_cache a", "rebuild"]
    with pytest.raises(VerificationError, match="not what its lock says"):
        World([WELL], fails=2).repair(ours)


def test_without_a_lock_the_versions_that_are_there_come_again() -> None:
    world = World([damaged(distribution("a", "1"))])
    world.repair(damaged(distribution("a", "1"), findings=(finding("ENV067", "a"),)))
    assert world.repairer.told == ["reinstall env a==1 from files of any False"]


def test_nothing_to_do_looks_no_second_time() -> None:
    assert World([]).repair(WELL).after == WELL
