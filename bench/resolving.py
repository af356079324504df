"""A lock of twelve targets, beside the same twelve calls of ``uv pip compile`` one after the other.

What is fair: both sides have the same warm uv cache, the same slices, requirements and flags (the calls are those
envsmith itself makes, recorded), the same cutoff and the same number of requests at once per uv. Ours is the whole
command in a fresh folder: interpreter, planning, a second uv call per target that asks who requires what, checks,
writing. Theirs is the time of the twelve calls that resolve, and nothing around them.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Comparison, alternate, seconds
from envsmith.catalog import Catalog
from envsmith.config.profiles import ProfileStore
from envsmith.errors import EnvsmithError
from envsmith.files import atomic
from envsmith.index.hashing import NoDownloads
from envsmith.index.sdist import SdistReader
from envsmith.lock.lock import lock_profiles
from envsmith.lock.request import LockOptions
from envsmith.lock.resolve import ResolveTools
from envsmith.plan.model import LockRequest
from envsmith.process.runner import CompletedProgram, Processes
from envsmith.templates import read_template
from envsmith.usage import python
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from envsmith.wiring import CatalogOptions, listing_sources, wheel_contents, wheel_requires
from tests.fakes import SilentProgress

PROFILES = ("cu128", "cu130")
TARGETS = 12
AS_OF = "2026-11-20T00:00:00Z"
# A burst of new connections loses answers of some name servers, 5 s each: envsmith holds each uv to this many
# requests, and the calls it is compared with get the same number.
REQUESTS = "4"


class Recorder(Processes):
    """Starts programs, and keeps what is needed to start the resolving ones again: command, environment, inputs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._recording = threading.Lock()
        self.calls: list[tuple[list[str], dict[str, str], Path]] = []

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,
        cwd: Path | None = None,
    ) -> CompletedProgram:
        """Run a program, as the base does."""
        if cwd and "--format" in command:  # not the runs that only annotate
            with self._recording:
                kept = self._folder / f"call-{len(self.calls)}"
                shutil.copytree(cwd, kept)
                words = [str(word).replace(str(cwd), str(kept)) for word in command]
                self.calls.append((words, dict(env), kept))
        return super().run(command, env=env, timeout_s=timeout_s, cwd=cwd)


def wanted() -> Iterator[LockRequest]:
    """Yield what is locked."""
    profiles = ProfileStore(folder=Path(__file__).parent / "nowhere")
    for name in PROFILES:
        profile = profiles.resolve(name)
        yield LockRequest(
            profile=profile,
            requirements=profile.sourced_requirements(),
            constraints=profile.sourced_requirements("constraints"),
        )


def record(folder: Path) -> list[tuple[list[str], dict[str, str], Path]]:
    """Lock once in this process, and return the calls of uv that resolved."""
    recorder = Recorder(folder)
    catalog = Catalog.embedded()
    choice = CatalogOptions(mode="embedded")
    tools = ResolveTools(
        catalog=catalog,
        listings=listing_sources(catalog, choice, lambda _: None, is_online=False),
        resolver=UvResolver(recorder, executable=find_uv(), slices=folder / "slices", requests=int(REQUESTS)),
        sdists=SdistReader(),
        hasher=NoDownloads(),
        contents=wheel_contents(CatalogOptions(is_offline=True)),
        requires=wheel_requires(CatalogOptions(is_offline=True)),
        imports=python.at_import_time,
        files=atomic,
        templates=read_template,
        progress=SilentProgress(),
    )
    options = LockOptions(now_utc=AS_OF, folder=folder / "locks")
    with ThreadPoolExecutor(1) as pool:
        for _, result in lock_profiles(tuple(wanted()), options, tools, pool=pool):
            if isinstance(result, EnvsmithError):
                raise result
    return recorder.calls


def compare(folder: Path, env: Mapping[str, str], times: int) -> Comparison:
    """Measure both sides in turns."""
    calls = record(folder)
    if len(calls) != TARGETS:
        raise RuntimeError(f"{len(calls)} calls were recorded, not {TARGETS}")
    command: list[str | Path] = [
        envsmith(),
        "-q",
        "lock",
        *PROFILES,
        "--catalog",
        "embedded",
        "--as-of",
        AS_OF,
    ]

    def ours() -> float:
        fresh = folder / "ours"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        return seconds(command, fresh, {**env, "UV_CONCURRENT_DOWNLOADS": REQUESTS})

    def theirs() -> float:
        begun = time.perf_counter()
        for words, environment, place in calls:
            seconds(words, place, {**environment, "UV_CONCURRENT_DOWNLOADS": REQUESTS})
        return time.perf_counter() - begun

    mine, their = alternate(ours, theirs, times)
    return Comparison(
        name="lock 12 targets : 12 x uv pip compile", ours=mine, theirs=their, unit="s", bound=0.6
    )


def envsmith() -> Path:
    """Return the installed command."""
    return Path(sys.executable).parent / "envsmith"
