from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from envsmith.files.edits import Edit, RequirementLine, RequirementSource
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.resolve import ResolveTools
from envsmith.model.finding import Decision
from envsmith.model.usage import Leftover
from envsmith.plan.model import LockRequest
from envsmith.plan.pruning import PruneVerdict
from envsmith.project import requirement_edits
from envsmith.scan.fix import propose, requirers
from envsmith.usage.scan import PackageUsage
from tests.fakes import FakeResolver
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, asked, profile

ROOT = Path("project")
FILTER = Leftover(file="a.py", line=1, module="torchvision", kind="warning filter", text="filter")
ASKED = Leftover(file="r.txt", line=2, module="torchvision", kind="requirement", text="torchvision")


@dataclass
class Edits:
    """Knows one file, whose second line asks for torchvision and whose third line stays."""

    named: tuple[str, ...] = ()
    unrequired: set[str] = field(default_factory=set)

    def requirement_places(self, root: Path, named: Iterable[str] = ()) -> tuple[RequirementSource, ...]:
        assert root == ROOT
        self.named = tuple(named)
        return (RequirementSource(file="r.txt", data=b"torch\ntorchvision\ntorchvision\n"),)

    def cut(self, place: RequirementSource, projects: Collection[str], unrequired: Collection[str]) -> Edit:
        self.unrequired = set(unrequired)
        line = RequirementLine(file=place.file, line=2, project="torchvision", text="torchvision")
        if "torchvision" not in projects:
            return Edit(file=place.file, before=place.data, after=place.data)
        return Edit(
            file=place.file,
            before=place.data,
            after=b"torch\ntorchvision\n",
            removed=(line,),
            kept=(replace(line, line=3, reason="so"),),
        )


@pytest.fixture
def edits(monkeypatch: pytest.MonkeyPatch) -> Edits:
    made = Edits()
    monkeypatch.setattr(requirement_edits, "requirement_places", made.requirement_places)
    monkeypatch.setattr(requirement_edits, "cut", made.cut)
    return made


def answer(project: str, said: str, *leftovers: Leftover) -> PackageUsage:
    verdict = PruneVerdict(project=project, answer=said, reason="", evidence=())
    return PackageUsage(
        project=project, modules=(project,), verdict=verdict, uses=(), leftovers=leftovers, unread=()
    )


def test_only_what_is_ruled_out_goes_and_the_rest_is_pointed_at(edits: Edits) -> None:
    answers = [answer("torchvision", "unused", FILTER, ASKED), answer("torchaudio", "string", FILTER)]
    fix = propose(ROOT, answers, {"torchvision": ("timm (cpu)",)}, ["r.txt"])
    assert (fix.projects, edits.named, edits.unrequired) == (("torchvision",), ("r.txt",), set())
    assert [line.place for line in fix.gone] == ["r.txt:2"]
    assert [line.place for line in fix.stays] == ["r.txt:3"]
    assert fix.by_hand == (FILTER,)
    values = fix.to_json()
    assert values["required_by"] == {"torchvision": ["timm (cpu)"]}


def test_what_no_lock_requires_is_told_to_the_editor(edits: Edits) -> None:
    propose(ROOT, [answer("torchvision", "unused")], {"torchvision": ()})
    assert edits.unrequired == {"torchvision"}


def test_no_file_is_looked_for_where_all_is_needed(edits: Edits) -> None:
    edits.named = ("never",)
    said = ("used", "conditional", "beside", "tests", "string", "own", "unproven")
    fix = propose(ROOT, [answer(f"p{number}", word, FILTER) for number, word in enumerate(said)], {})
    assert (fix.edits, fix.by_hand, edits.named) == ((), (), ("never",))


def test_locks_say_who_requires(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    own = replace(tools, resolver=FakeResolver(extra={"torch": ("torchaudio",)}))
    wanted = LockRequest(profile=profile(on_retired="stable"), requirements=asked("torch"))
    folder = Path("lockfiles/mine")
    lock_profile(wanted, LockOptions(now_utc=CUTOFF), folder, own, pool=pool)
    names = ("torchaudio", "torch", "numpy")
    found = requirers(names, [folder, Path("none")], catalog=own.catalog, files=own.files)
    assert found == {"torchaudio": ("torch (mine)",), "torch": ()}


def test_a_package_left_out_proves_something_only_where_nothing_required_it(
    tools: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    folder = Path("lockfiles/mine")
    excluded = profile(on_retired="stable", family={"torchvision": "keep", "torchaudio": "drop"})
    dropped = Decision(subject="torchvision", kind="dropped", code="RES114", message="torchvision dropped: x")
    wanted = LockRequest(profile=excluded, requirements=asked("torch", "torchaudio"), decisions=(dropped,))
    lock_profile(wanted, LockOptions(now_utc=CUTOFF), folder, tools, pool=pool)
    names = ("torchaudio", "torchvision")
    assert requirers(names, [folder], catalog=tools.catalog, files=tools.files) == {"torchvision": ()}
