from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.errors import LockError
from envsmith.lock.explain.explain import Explanation, _shortest_chains, explain
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.pins import requirements_lines
from envsmith.model.backend import Backend
from envsmith.plan.model import LockRequest
from tests.fakes import FakeFiles, FakeListings
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, HEX, asked, profile

FOLDER = Path("lockfiles/mine")
SLUG = "cp312-manylinux_2_28_x86_64"


@pytest.fixture(autouse=True)
def _locked(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    dropping = replace(profile(on_retired="stable"), family={"torchvision": "drop", "torchaudio": "keep"})
    wanted = LockRequest(profile=dropping, requirements=asked("torch", "torchaudio"))
    lock_profile(wanted, LockOptions(now_utc=CUTOFF), FOLDER, tools, pool=pool)


def told(tools: ResolveTools, package: str) -> tuple[Explanation, ...]:
    return explain(package, FOLDER, catalog=tools.catalog, files=tools.files)


def test_who_asked_and_where_from(tools: ResolveTools) -> None:
    (found,) = told(tools, "torch")
    assert (found.profile, found.slug, found.version) == ("mine", SLUG, "2.11.0+cu128")
    assert found.askers == ("requirements.in:1",)
    assert found.index == "https://download.pytorch.org/whl/cu128"
    assert found.wheel == f"torch-2.11.0+cu128-cp312-{SLUG}.whl"
    assert found.sha256 == HEX


def test_dragged_in_package_names_who_drags_it(tools: ResolveTools) -> None:
    (found,) = told(tools, "FileLock")
    assert (found.name, found.askers) == ("filelock", ("torch",))


def test_what_no_metadata_declares(tools: ResolveTools) -> None:
    (found,) = told(tools, "torchaudio")
    assert any("torchaudio" in bound and "catalog: pairings" in bound for bound in found.bounds)


def test_dropped_package_is_explained_by_its_decision(tools: ResolveTools) -> None:
    (found,) = told(tools, "torchvision")
    assert (found.version, found.bounds) == ("", ())
    assert [decision.code for decision in found.decisions] == ["RES101"]


def test_package_in_no_lock(tools: ResolveTools) -> None:
    assert told(tools, "numpy") == ()
    assert explain("torch", Path("elsewhere"), catalog=tools.catalog, files=tools.files) == ()


def test_without_pylock_the_pins_are_known_still(tools: ResolveTools) -> None:
    assert isinstance(tools.files, FakeFiles)
    del tools.files.folders[FOLDER][f"pylock.{SLUG}.toml"]
    (found,) = told(tools, "torch")
    assert (found.version, found.sha256, found.index, found.wheel) == ("2.11.0+cu128", HEX, "", "")


def test_damaged_pylock_is_an_error(tools: ResolveTools) -> None:
    assert isinstance(tools.files, FakeFiles)
    tools.files.folders[FOLDER][f"pylock.{SLUG}.toml"] = b"["
    with pytest.raises(LockError) as caught:
        told(tools, "torch")
    assert caught.value.code == "LCK001"


TEXT = """\
a==1 \\
    --hash=sha256:00
    # via requirements.in:1
b==1 \\
    --hash=sha256:00
    # via a
    # via c
c==1
    # via requirements.in:2
    # via d
d==1
    # via b
e==1
    # via d
"""


def test_the_ways_that_bring_a_package_in() -> None:
    askers = {line.name: line.requirers for line in requirements_lines(TEXT)}
    assert askers["b"] == ("a", "c")
    assert _shortest_chains("e", askers) == [
        ("d", "b", "a", "requirements.in:1"),
        ("d", "b", "c", "requirements.in:2"),
    ]
    assert _shortest_chains("a", askers) == []
    assert _shortest_chains("b", askers) == [("a", "requirements.in:1"), ("c", "requirements.in:2")]


def test_other_backends_are_told_of_the_torch_family(tools: ResolveTools) -> None:
    assert told(tools, "torch")[0].changes == ()

    newer = tools.catalog.listing("stable", Backend.parse("cu130"))
    assert newer
    embedded = FakeListings((newer,))
    (found,) = explain("torch", FOLDER, catalog=tools.catalog, files=tools.files, listings=embedded)
    assert any(way.startswith("--backend cu130: torch up to 2.") for way in found.changes)
    (found,) = explain("filelock", FOLDER, catalog=tools.catalog, files=tools.files, listings=embedded)
    assert found.changes == ()
    assert found.ways == ("torch ← requirements.in:1",)
    assert found.roots == ("torch",)
