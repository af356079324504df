from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.plan.model import LockRequest
from tests.fakes import FakeContents, FakeRequires, FakeResolver
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, asked, package, profile

FOLDER = Path("lockfiles/mine")
DROP = profile(on_retired="stable", family={"torchvision": "drop", "torchaudio": "keep"}).with_overrides(
    python=("3.12",), platforms=("linux",)
)
TIMM = "timm-1.0-py3-none-any.whl"
SOURCES = {
    "timm/__init__.py": b"from .models import x\n",
    "timm/data.py": b"import torchvision\n",
    "timm/tests/test_data.py": b"import torchvision.ops\n",
    "<scripts>/timm.py": b"import torchvision.ops\n",
    "timm/data.txt": b"import torchvision\n",
}


def locked(
    tools: ResolveTools, pool: ThreadPoolExecutor, sources: dict[str, bytes], *texts: str
) -> LockedProfile:
    own = replace(
        tools,
        resolver=FakeResolver(
            extra={"timm": ("torch", "torchvision")}, answers={"timm": package(TIMM, sha256="c" * 64)}
        ),
        requires=FakeRequires({TIMM: ("torch", "torchvision>=0.16")}),
        contents=FakeContents({TIMM: sources}),
    )
    wanted = LockRequest(profile=DROP, requirements=asked("torch", *texts))
    return lock_profile(wanted, LockOptions(now_utc=CUTOFF), FOLDER, own, pool=pool)


def test_a_requirer_that_breaks_is_an_error_and_recorded(
    tools: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    done = locked(tools, pool, SOURCES, "timm")
    (breakage,) = done.breakages
    assert breakage.evidence[1:] == ("timm/data.py:1 (import: torchvision)",)
    lock = done.targets[0].lock
    assert lock
    assert [str(item) for item in lock.unsatisfied] == ["timm: torchvision>=0.16"]
    assert 'unsatisfied = ["timm: torchvision>=0.16"]' in lock.to_toml()
    assert lock.package("torchvision") is None
    manifest = Manifest.from_toml(tools.files.read_files(FOLDER)[FILENAME].decode(), FILENAME)
    assert manifest.targets[lock.target.slug].unsatisfied == ("timm: torchvision>=0.16",)


def test_the_error_stands_while_the_lock_does(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    first = locked(tools, pool, SOURCES, "timm")
    again = locked(tools, pool, SOURCES, "timm")
    assert again.targets[0].lock is None
    assert again.breakages == first.breakages


def test_a_requirer_that_imports_it_nowhere_is_noted(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    done = locked(tools, pool, {"timm/__init__.py": b"def f():\n    import torchvision\n"}, "timm")
    assert done.breakages == ()
    assert "RES131" in {decision.code for decision in done.decisions}


def test_where_nothing_requires_it_nothing_is_recorded(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    done = locked(tools, pool, SOURCES)
    lock = done.targets[0].lock
    assert lock
    assert lock.unsatisfied == ()
    assert "unsatisfied" not in lock.to_toml()
