from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from envsmith.catalog import Catalog
from envsmith.lock.check import CheckTools
from envsmith.lock.resolve import ResolveTools
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, group
from envsmith.templates import read_template
from envsmith.usage import python as import_time
from tests.fakes import (
    FakeContents,
    FakeFiles,
    FakeHasher,
    FakeListings,
    FakeRequires,
    FakeResolver,
    FakeSdists,
    Heard,
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
        projects=group(rows, {(row.name, str(row.version)): KNOWN for row in rows}),
    )


@pytest.fixture
def tools(listing: IndexListing) -> ResolveTools:
    return ResolveTools(
        catalog=Catalog.embedded(),
        listings=FakeListings((listing,)),
        resolver=FakeResolver(extra={"torch": ("filelock",)}),
        sdists=FakeSdists(),
        hasher=FakeHasher(),
        contents=FakeContents(),
        requires=FakeRequires(),
        imports=import_time,
        files=FakeFiles(),
        templates=read_template,
        progress=Heard(),
    )


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
