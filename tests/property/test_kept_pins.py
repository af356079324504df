"""Pins over sequences of changes, beside `uv pip compile -o FILE` with the same sequence and real uv.

The index is made up: projects with extras, markers, upper bounds and a cycle, whose releases come one by one, and a
torch that each machine's catalog knows other versions of. 4 sequences; ENVSMITH_TEST_SEQUENCES=200 runs 200 of them,
with ENVSMITH_TEST_RANDOM=1 others each time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from envsmith.errors import NoSolutionError, ResolveError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.staleness import CheckTools, check_profile
from envsmith.lockfile.pins import Pins
from envsmith.model.listing import IndexListing, group_releases
from envsmith.plan.model import LockRequest
from envsmith.process.runner import Processes
from envsmith.templates import read_template
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from tests.fakes import FakeFiles, FakeListings
from tests.index_recording import Recording
from tests.index_server import INDEX_HOST, IndexReplay, Reply
from tests.lock_tools import KNOWN, fake_tools, lock_profile
from tests.values import asked, profile, torch

SEQUENCES = int(os.environ.get("ENVSMITH_TEST_SEQUENCES", "4"))
DAYS = 10
FOLDER = Path("lockfiles/mine")
SLUG = "cp312-manylinux_2_28_x86_64"
# Project → version → the day of its release, and what it requires.
RELEASES: Mapping[str, Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "alpha": {
        "1.0": (0, ("beta>=1",)),
        "2.0": (3, ("beta>=2", "gamma")),
        "3.0": (6, ("beta>=2,<4", "delta>=2")),
    },
    "beta": {
        "1.0": (0, ()),
        "2.0": (2, ("epsilon",)),
        "3.0": (5, ("epsilon>=1",)),
        "4.0": (7, ("epsilon>=2",)),
    },
    "gamma": {
        "1.0": (0, ("zeta; extra == 'fast'",)),
        "2.0": (4, ("zeta>=2; extra == 'fast'", "eta; extra == 'all'", "gamma[fast]; extra == 'all'")),
    },
    # Each of the two requires the other.
    "delta": {"1.0": (0, ("eta",)), "2.0": (1, ("eta",)), "3.0": (8, ("eta>=2", "epsilon<2"))},
    "eta": {"1.0": (0, ("delta",)), "2.0": (6, ("delta>=2",))},
    "epsilon": {"1.0": (0, ()), "1.1": (3, ()), "2.0": (6, ("winonly; sys_platform == 'win32'",))},
    "zeta": {"1.0": (0, ()), "2.0": (4, ()), "3.0": (9, ("epsilon",))},
    "theta": {"1.0": (0, ("gamma[fast]", "alpha<3")), "2.0": (5, ("gamma[fast]>=2", "torch>=2.11"))},
    "iota": {"1.0": (0, ("beta<3",)), "2.0": (9, ("beta<5", "torch<2.12"))},
    "winonly": {"1.0": (0, ())},
}
TORCHES = tuple(torch(f"{version}+cu128", sha256=digit * 64) for version, digit in
                (("2.9.0", "1"), ("2.10.0", "2"), ("2.11.0", "3"), ("2.12.0", "4")))  # fmt: skip
# Torch requires one of the others, so that both parts of an answer depend on each other.
NEEDS = {"2.9.0+cu128": ("epsilon",), "2.10.0+cu128": ("epsilon",), "2.11.0+cu128": ("epsilon<2",)}
REQUIRED = (
    *(f"{name}{bound}" for name in ("alpha", "beta", "epsilon") for bound in ("", "<2", ">=2", "<3")),
    *("gamma", "gamma[fast]", "gamma[all]", "gamma<2", "delta", "delta<2", "eta", "zeta<3"),
    *("theta", "theta>=2", "iota", "iota<2", "winonly; sys_platform == 'win32'"),
    *("alpha==1.0", "alpha==2.*", "beta!=3.0"),
    *("torch", "torch<2.11", "torch>=2.11", "torch==2.10.0"),
)
NEUTRAL = st.one_of(
    st.tuples(st.just("day"), st.integers(1, 4)),
    st.tuples(st.just("yank"), st.integers(0, 30)),
    st.tuples(st.just("env"), st.integers(0, 2)),
    st.tuples(st.just("line ends"), st.just(0)),
    st.tuples(st.just("catalog"), st.integers(0, 2 ** len(TORCHES) - 1)),
    st.tuples(st.just("tool"), st.integers(0, 2)),
    st.tuples(st.just("clone"), st.just(0)),
    st.tuples(st.just("loosen"), st.integers(0, 5)),
)
CHANGE = st.one_of(
    st.tuples(st.just("require"), st.sampled_from(REQUIRED)),
    st.tuples(st.just("remove"), st.integers(0, 3)),
)
STEPS = st.lists(st.tuples(st.lists(NEUTRAL, max_size=1), CHANGE), min_size=1, max_size=6).map(
    lambda pairs: [step for neutral, change in pairs for step in (*neutral, change)]
)


class DatedIndex(IndexReplay):
    """The package index as it was on a day, with the releases yanked by then."""

    def __init__(self) -> None:
        recording = Recording(recorded="made up")
        for name, releases in RELEASES.items():
            for version, (day, requires) in releases.items():
                recording.add(name, version, requires, uploaded=f"2026-01-{day + 1:02}T00:00:00Z")
        super().__init__(recording, adds_sidecars=True)
        self._all = dict(recording.projects)
        self.state: tuple[int, frozenset[str]] = (0, frozenset())
        """The day, and the files yanked by then."""

    def answer(self, method: str, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Answer for the day; no client may keep a page."""
        reply = super().answer(method, host, path, headers)
        if host == INDEX_HOST:
            reply.headers["Cache-Control"] = "no-cache"
        return reply

    def go_to(self, day: int, yanked: frozenset[str] = frozenset()) -> None:
        """Answer as of a day, with some files yanked."""
        self.state = (day, yanked)
        until = f"2026-01-{day + 1:02}T00:00:00Z"
        for name, rows in self._all.items():
            self._recording.projects[name] = [
                {**row, "yanked": row["filename"] in yanked and "bad"}
                for row in rows
                if row["upload-time"] <= until
            ]


def with_torches(chosen: int) -> FakeListings:
    """Return the listing of a machine that knows some of the torches, at least the oldest."""
    rows = [row for number, row in enumerate(TORCHES) if number == 0 or chosen >> number & 1]
    metadata = {
        (str(row.name), str(row.version)): replace(KNOWN, requires_dist=NEEDS.get(str(row.version), ()))
        for row in rows
    }
    listing = IndexListing(
        channel="stable",
        backend=profile().backend,
        retrieved="2026-01-20",
        source="made up",
        projects=group_releases(rows, metadata),
    )
    return FakeListings((listing,))


@dataclass
class ByUv:
    """`uv pip compile -o FILE`, with the flags of envsmith and an index of torch of its own."""

    folder: Path
    last: tuple[object, dict[str, str] | None] = (None, None)
    """Everything asked the last time, and the answer."""

    def compile(self, locking: Locking) -> dict[str, str] | None:
        """Return project → version, or None without a solution; the file keeps the pins for the next time."""
        asked = (sorted(locking.requirements.values()), locking.torches, locking.index.state)
        if self.last[0] != asked:
            self.last = asked, self._compile(asked[0], locking.torches)
        return self.last[1]

    def _compile(self, requirements: list[str], chosen: int) -> dict[str, str] | None:
        self.folder.mkdir(exist_ok=True)
        out = self.folder / "out.txt"
        before = self._pins(out)
        known = [row for number, row in enumerate(TORCHES) if number == 0 or chosen >> number & 1]
        # The file that is locked can be had, whatever the listing of this machine says.
        known += [row for row in TORCHES if row not in known and str(row.version) == before.get("torch")]
        page = "".join(f'<a href="{row.url}#sha256={row.sha256}">{row.filename}</a><br/>' for row in known)
        index = self.folder / f"index-{sum(1 << TORCHES.index(row) for row in known)}"
        (index / "torch").mkdir(parents=True, exist_ok=True)
        (index / "torch" / "index.html").write_text(page)
        described = (
            f'[[dependency-metadata]]\nname = "torch"\nversion = "{row.version}"\n'
            f"requires-dist = {list(NEEDS.get(str(row.version), ()))}\n"
            for row in TORCHES
        )
        first = f'[[index]]\nname = "first"\nurl = "{index.as_uri()}"\n'
        (self.folder / "uv.toml").write_text(first + "".join(described))
        (self.folder / "in.txt").write_text("".join(f"{text}\n" for text in requirements))
        done = subprocess.run(
            [find_uv(), "pip", "compile", "in.txt", "-o", "out.txt", "--config-file", "uv.toml", "--no-build",
             "--quiet", "--python", sys.executable, "--python-version", "3.12",
             "--python-platform", "x86_64-manylinux_2_28", "--index-strategy", "first-index", "--no-header"],
            cwd=self.folder, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0 or "No solution found" in done.stderr, done.stderr
        return self._pins(out) if done.returncode == 0 else None

    def _pins(self, out: Path) -> dict[str, str]:
        lines = out.read_text().splitlines() if out.exists() else []
        return dict(line.split("==") for line in lines if "==" in line and not line.startswith(" "))


@dataclass
class Locking:
    """A project that is locked by envsmith, step by step."""

    index: DatedIndex
    tools: ResolveTools
    pool: ThreadPoolExecutor
    requirements: dict[str, str] = field(default_factory=lambda: {"alpha": "alpha", "torch": "torch"})
    """Project → its requirement."""
    torches: int = 2
    env: int = 0

    def request(self) -> LockRequest:
        """Return what is asked."""
        of = replace(profile(on_retired="stable"), env={"A": str(self.env)} if self.env else {})
        return LockRequest(profile=of, requirements=asked(*sorted(self.requirements.values())))

    def is_stale(self) -> bool:
        """Say whether `lock --check` refuses the lock."""
        tools = CheckTools(catalog=self.tools.catalog, listings=self.tools.listings, hasher=self.tools.hasher,
                           files=self.tools.files, templates=self.tools.templates)  # fmt: skip
        try:
            return check_profile(self.request(), FOLDER, tools).has_errors
        except ResolveError:  # no such torch is known
            return True

    def lock(self) -> LockedProfile:
        """Run `lock`."""
        at = LockOptions(now_utc="2026-11-20T00:00:00Z")
        return lock_profile(self.request(), at, FOLDER, self.tools, pool=self.pool)

    def files(self) -> dict[str, bytes]:
        """Return the committed files."""
        found = self.tools.files.read_files(FOLDER)
        return {name: data for name, data in found.items() if not name.startswith("pylock.")}

    def pins(self) -> dict[str, str]:
        """Return project → version, as pylock and requirements agree on."""
        found = self.tools.files.read_files(FOLDER)
        pins = Pins.from_pylock(found[f"pylock.{SLUG}.toml"].decode(), "pylock").packages
        text = found[f"requirements.{SLUG}.txt"].decode()
        assert {(pin.name, pin.version, pin.sha256) for pin in pins} == {
            (pin.name, pin.version, pin.sha256) for pin in Pins.from_requirements(text, "lock").packages
        }
        return {pin.name: pin.version for pin in pins}

    def change(self, kind: str, value: int | str) -> None:
        """Make one change."""
        names = [*self.requirements][::-1]
        if kind == "require":
            self.requirements[Requirement(str(value)).name] = str(value)
        elif kind == "remove" and len(names) > 1:
            del self.requirements[names[int(value) % len(names)]]
        elif kind == "loosen":
            name = names[int(value) % len(names)]
            wider = Requirement(self.requirements[name])
            wider.specifier = SpecifierSet()
            self.requirements[name] = str(wider)
        elif kind == "day":
            day, yanked = self.index.state
            self.index.go_to(min(DAYS, day + int(value)), yanked)
        elif kind == "yank":
            day, yanked = self.index.state
            files = [f"{name}-{version}-py3-none-any.whl" for name in RELEASES for version in RELEASES[name]]
            self.index.go_to(day, yanked | {files[int(value) % len(files)]})
        elif kind == "env":
            self.env = int(value)
        elif kind == "catalog":
            self.torches = int(value)
            self.tools = replace(self.tools, listings=with_torches(self.torches))
        elif kind == "tool":
            self.tools = replace(
                self.tools, templates=lambda name: f"{read_template(name)}# version {value}\n"
            )
        else:
            self._checkout(has_pylocks=kind == "line ends")

    def _checkout(self, *, has_pylocks: bool) -> None:
        """Change the line ends of all files, or drop the pylocks, as git does."""
        found = self.tools.files.read_files(FOLDER)
        if has_pylocks:
            changed = {
                name: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for name, data in found.items()
            }
        else:
            changed = self.files()
        self.tools = replace(self.tools, files=FakeFiles(folders={FOLDER: changed}))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatedIndex]:
    with DatedIndex() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environ(cache=tmp_path_factory.mktemp("uv")).items():
            patch.setenv(name, value)
        yield running
    assert not running.missed


@pytest.fixture(scope="module")
def started(
    index: DatedIndex, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], tuple[Locking, ByUv]]]:
    scratch = tmp_path_factory.mktemp("sequences")
    resolver = UvResolver(Processes(), executable=find_uv(), slices=scratch / "slices")
    numbers = iter(range(10**6))
    with ThreadPoolExecutor(1) as pool:

        def start() -> tuple[Locking, ByUv]:
            index.go_to(0)
            tools = fake_tools(resolver=resolver, listings=with_torches(2))
            return Locking(index=index, tools=tools, pool=pool), ByUv(folder=scratch / str(next(numbers)))

        yield start


# Sequences are short, and shrinking one takes minutes.
@settings(max_examples=SEQUENCES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(steps=STEPS)
# The rest of a cycle, a lock without packages, and what an extra of a project brought that another one requires.
@example(steps=[("require", "delta"), ("remove", 0)])
@example(steps=[("require", "winonly; sys_platform == 'win32'"), ("remove", 1), ("remove", 1), ("clone", 0)])
@example(steps=[("day", 3), ("require", "alpha>=2"), ("require", "gamma[fast]"), ("remove", 0)])
def test_pins_move_as_those_of_uv_and_only_where_a_change_forces_them(
    started: Callable[[], tuple[Locking, ByUv]], steps: list[tuple[str, int | str]]
) -> None:
    locking, uv = started()
    locking.lock()
    assert locking.pins() == uv.compile(locking)
    for kind, value in steps:
        before, files, requirements = locking.pins(), locking.files(), dict(locking.requirements)
        locking.change(kind, value)
        is_stale = locking.is_stale()
        try:
            locking.lock()
        except (NoSolutionError, ResolveError):
            assert is_stale, (kind, value)
            assert uv.compile(locking) is None, (kind, value)
            assert locking.files() == files
            locking.requirements = requirements
            continue
        after = locking.pins()
        assert after == uv.compile(locking), (kind, value)
        assert is_stale or after == before, (kind, value)
        assert kind in ("require", "remove") or not is_stale, (kind, value)
        assert not locking.is_stale(), (kind, value)
        assert locking.lock().written == (), (kind, value)
