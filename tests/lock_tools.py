from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envsmith.catalog import Catalog
from envsmith.errors import EnvsmithError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile, lock_profiles
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.staleness import CheckTools
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, group_releases
from envsmith.plan.model import LockRequest
from envsmith.templates import read_template
from envsmith.usage.python import at_import_time
from tests.fakes import (
    FakeContents,
    FakeFiles,
    FakeHasher,
    FakeListings,
    FakeRequires,
    FakeResolver,
    FakeSdists,
    RecordedProgress,
)
from tests.values import torch, wheel

KNOWN = Metadata(requires_dist=(), requires_python=None, confidence="exact", basis="made up")
LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"
ROWS = [
    torch(f"{version}+cu128", python, platform)
    for version in ("2.10.0", "2.11.0")
    for python in ("cp311", "cp312")
    for platform in (LINUX, WINDOWS)
]
AUDIO = [
    wheel(f"torchaudio-{version}+cu128-{python}-{python}-{platform}.whl")
    for version in ("2.10.0", "2.11.0")
    for python in ("cp311", "cp312")
    for platform in (LINUX, WINDOWS)
]


@pytest.fixture
def listing() -> IndexListing:
    rows = [*ROWS, *AUDIO]
    return IndexListing(
        channel="stable",
        backend=Backend.parse("cu128"),
        retrieved="2026-11-20",
        source="made up",
        projects=group_releases(rows, {(row.name, str(row.version)): KNOWN for row in rows}),
    )


def fake_tools(**parts: Any) -> ResolveTools:
    """Return tools of fakes, but for the parts given."""
    values: dict[str, Any] = {
        "catalog": Catalog.embedded(),
        "listings": FakeListings(()),
        "resolver": FakeResolver(extra={"torch": ("filelock",)}),
        "sdists": FakeSdists(),
        "hasher": FakeHasher(),
        "contents": FakeContents(),
        "requires": FakeRequires(),
        "imports": at_import_time,
        "files": FakeFiles(),
        "templates": read_template,
        "progress": RecordedProgress(),
    }
    return ResolveTools(**{**values, **parts})


@pytest.fixture
def tools(listing: IndexListing) -> ResolveTools:
    return fake_tools(listings=FakeListings((listing,)))


@pytest.fixture
def check_tools(tools: ResolveTools) -> CheckTools:
    return CheckTools(
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=tools.hasher,
        files=tools.files,
        templates=tools.templates,
    )


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as running:
        yield running


def lock_profile(
    request: LockRequest, options: LockOptions, folder: Path, tools: ResolveTools, *, pool: ThreadPoolExecutor
) -> LockedProfile:
    """Lock one profile into its folder, and raise its error."""
    assert folder.name == request.profile.name
    options = replace(options, folder=folder.parent)
    ((_, result),) = lock_profiles([request], options, tools, pool=pool)
    if isinstance(result, EnvsmithError):
        raise result
    return result
