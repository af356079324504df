from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from envsmith.lock.inputs.request import LockOptions, prune
from envsmith.lock.resolve import ResolveTools
from envsmith.plan.model import LockRequest
from tests.fakes import FakeResolver
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, asked, profile

AUTO = profile(on_retired="stable", family={"torchvision": "keep", "torchaudio": "auto"})


def pruned(wanted: LockRequest, project: Path, uses: str = "") -> LockRequest:
    """Prune with the seven files of a project; one of them has the uses."""
    sources = project / "src"
    sources.mkdir()
    for number in range(7):
        (sources / f"a{number}.py").write_text("" if number else uses, "utf-8")
    return prune(wanted, project, ["src"])


def names(wanted: LockRequest) -> list[str]:
    return [str(item.requirement) for item in wanted.requirements]


def test_what_no_file_uses_is_no_longer_asked_for(tmp_path: Path) -> None:
    done = pruned(LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio==2.11.0")), tmp_path)
    assert names(done) == ["torch"]
    assert [str(item.requirement) for item in done.constraints] == ["torchaudio==2.11.0"]
    assert [item.code for item in done.decisions] == ["RES114"]


def test_what_a_file_uses_stays(tmp_path: Path) -> None:
    uses = "try:\n    import torchaudio\nexcept ImportError:\n    pass\n"
    wanted = LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio"))
    done = pruned(wanted, tmp_path, uses)
    assert done == replace(wanted, decisions=done.decisions)
    assert [item.code for item in done.decisions] == ["RES115"]


def test_three_uses_are_enough(tmp_path: Path) -> None:
    wanted = LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio"))
    (tmp_path / "src").mkdir()
    for number in range(5):
        (tmp_path / "src" / f"a{number}.py").write_text("import torchaudio\n", "utf-8")
    (decision,) = prune(wanted, tmp_path, ["src"]).decisions
    assert decision.evidence == tuple(f"src/a{number}.py:1 (import: torchaudio)" for number in range(3))


def test_no_file_is_read_where_nothing_is_to_be_decided(tmp_path: Path) -> None:
    for wanted in (
        LockRequest(profile=AUTO, requirements=asked("torch")),
        LockRequest(profile=profile(), requirements=asked("torch", "torchaudio")),
    ):
        assert prune(wanted, tmp_path / "gone") is wanted


def test_a_lock_holds_what_was_decided(tools: ResolveTools, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    wanted = pruned(LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio")), tmp_path)
    done = lock_profile(wanted, LockOptions(now_utc=CUTOFF), Path("mine"), tools, pool=pool)
    (decision,) = [item for item in done.decisions if item.subject == "torchaudio"]
    assert decision.message == "torchaudio dropped: not used (7 files scanned), and no package requires it"
    assert all("torchaudio" not in target.entry.family for target in done.targets)


def test_a_lock_keeps_what_a_package_requires(
    tools: ResolveTools, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    wanted = pruned(
        LockRequest(profile=AUTO, requirements=asked("torch", "torchaudio", "speechbrain")), tmp_path
    )
    own = replace(tools, resolver=FakeResolver(extra={"speechbrain": ("torchaudio",)}))
    done = lock_profile(wanted, LockOptions(now_utc=CUTOFF), Path("mine"), own, pool=pool)
    (decision,) = [item for item in done.decisions if item.subject == "torchaudio"]
    assert (decision.code, decision.message) == ("RES115", "torchaudio stays: required by speechbrain")
    assert decision.evidence[-1] == "speechbrain, required at requirements.in:1"
    assert all("torchaudio" in target.entry.family for target in done.targets)
