from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from envsmith.lock.request import LockOptions, prune
from envsmith.lock.resolve import ResolveTools
from envsmith.model.usage import SearchedModule, Usage, Use
from envsmith.plan.model import LockRequest
from tests.fakes import FakeResolver
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, asked, profile

AUTO = profile(on_retired="stable", family={"torchvision": "keep", "torchaudio": "auto"})


class Files:
    def __init__(self, *uses: Use) -> None:
        self.uses = uses
        self.asked = 0

    def read_usage(
        self,
        root: Path,
        sought: Iterable[SearchedModule],
        sources: Sequence[str] | None = None,
        *,
        enough: int | None = None,
    ) -> Usage:
        assert (root, [item.module for item in sought], sources) == (Path("p"), ["torchaudio"], ["src"])
        assert enough == 3
        self.asked += 1
        return Usage(uses=self.uses, files_read=7)

    def installed_modules(self, root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
        assert root == Path("p")
        assert set(projects) == {"torchaudio"}
        return {}


def pruned(wanted: LockRequest, *uses: Use) -> LockRequest:
    files = Files(*uses)
    done = prune(wanted, Path("p"), sources=files, installed=files, folders=["src"])
    assert files.asked == 1
    return done


def names(wanted: LockRequest) -> list[str]:
    return [str(item.requirement) for item in wanted.requirements]


def test_what_no_file_uses_is_no_longer_asked_for() -> None:
    done = pruned(LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio==2.11.0")))
    assert names(done) == ["torch"]
    assert [str(item.requirement) for item in done.constraints] == ["torchaudio==2.11.0"]
    assert [item.code for item in done.decisions] == ["RES114"]


def test_what_a_file_uses_stays() -> None:
    use = Use(file="a.py", line=1, module="torchaudio", kind="import", certainty="conditional")
    wanted = LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio"))
    done = pruned(wanted, use)
    assert done == replace(wanted, decisions=done.decisions)
    assert [item.code for item in done.decisions] == ["RES115"]


def test_no_file_is_read_where_nothing_is_to_be_decided() -> None:
    files = Files()
    for wanted in (
        LockRequest(profile=AUTO, requirements=asked("torch")),
        LockRequest(profile=profile(), requirements=asked("torch", "torchaudio")),
    ):
        assert prune(wanted, Path("p"), sources=files, installed=files) is wanted
    assert files.asked == 0


def test_a_lock_holds_what_was_decided(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    wanted = pruned(LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio")))
    done = lock_profile(wanted, LockOptions(now_utc=CUTOFF), Path("mine"), tools, pool=pool)
    (decision,) = [item for item in done.decisions if item.subject == "torchaudio"]
    assert decision.message == "torchaudio dropped: not used (7 files scanned), and no package requires it"
    assert all("torchaudio" not in target.entry.family for target in done.targets)


def test_a_lock_keeps_what_a_package_requires(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    wanted = pruned(LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio", "speechbrain")))
    own = replace(tools, resolver=FakeResolver(extra={"speechbrain": ("torchaudio",)}))
    done = lock_profile(wanted, LockOptions(now_utc=CUTOFF), Path("mine"), own, pool=pool)
    (decision,) = [item for item in done.decisions if item.subject == "torchaudio"]
    assert (decision.code, decision.message) == ("RES115", "torchaudio stays: required by speechbrain")
    assert decision.evidence[-1] == "speechbrain, required at requirements.in:1"
    assert all("torchaudio" in target.entry.family for target in done.targets)
