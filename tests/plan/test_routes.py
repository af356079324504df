"""Which wheels of a routed project a plan takes, and what is told of those it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.errors import LockError, ResolveError
from envsmith.index.hashing import NoDownloads
from envsmith.model.route import RouteEntry, RoutePage
from envsmith.model.wheel import Wheel
from envsmith.plan.model import ResolutionPlan
from envsmith.plan.routes import add, check, choose, is_wanted, recorded, route
from tests.values import HEX, OTHER_HEX, asked, package, plan, resolution, slice_of, target, torch, wheel

CATALOG = Catalog.embedded()
URL = "https://wheels.example/links.html"
TAGS = "cp312-cp312-linux_x86_64"


def row(version: str, tags: str = TAGS, sha256: str | None = HEX, **more: str) -> RouteEntry:
    name = f"flash_attn-{version}-{tags}.whl"
    url = f"https://wheels.example/{name.replace('+', '%2B')}"
    return RouteEntry(wheel=wheel(name, index=URL, url=url, sha256=sha256, **more), requires_dist=("einops",))


def yanked(version: str, reason: str) -> RouteEntry:
    entry = row(version)
    return replace(entry, wheel=replace(entry.wheel, yanked=reason))


def page(*rows: RouteEntry, others: tuple[str, ...] = ()) -> RoutePage:
    return RoutePage(
        project="flash-attn",
        url=URL,
        is_flat=True,
        read_at="2026-11-20T00:00:00Z",
        entries=rows,
        others=others,
    )


def of(*requirements: str, torches: tuple[str, ...] = ("2.8.0+cu128",), **more: object) -> ResolutionPlan:
    return plan(*requirements, slice_=slice_of(*map(torch, torches)), **more)


def versions(rows: tuple[RouteEntry, ...]) -> list[str]:
    return [str(row.wheel.version) for row in rows]


@pytest.mark.parametrize(
    ("version", "is_taken"),
    [
        ("2.8.3+cu12torch2.8cxx11abiTRUE", True),
        ("2.8.3+cu12torch2.8cxx11abiFALSE", False),
        ("2.8.3+cu128torch2.8", True),
        ("2.8.3+cu126torch2.8", False),
        ("2.8.3+cu11torch2.8", False),
        ("2.8.3+cu12torch2.7cxx11abiTRUE", False),
        ("2.8.3+cpu", False),
        ("2.8.3+pt28cu128", True),
        ("2.8.3", True),
    ],
)
def test_labels_are_held_against_the_plan(version: str, is_taken: bool) -> None:
    found = choose(page(row(version), row("2.0+cu128torch2.8")), of("torch", "flash-attn"), CATALOG)
    assert (versions(found)[0] != "2.0+cu128torch2.8") is is_taken


@pytest.mark.parametrize(
    ("torch_version", "backend", "abi", "is_taken"),
    [
        ("2.5.1", "cu124", "FALSE", True),
        ("2.5.1", "cu124", "TRUE", False),
        ("2.6.0", "cu124", "FALSE", True),
        ("2.6.0", "cu126", "TRUE", True),
        ("2.6.0", "cu126", "FALSE", False),
        ("2.6.0", "rocm6.1", "TRUE", True),
    ],
)
def test_the_abi_is_that_of_the_torch(torch_version: str, backend: str, abi: str, is_taken: bool) -> None:
    rows = slice_of(torch(f"{torch_version}+{backend}"), index=backend)
    given = plan("torch", slice_=rows, target=target(backend=backend))
    label = f"torch{torch_version.rpartition('.')[0]}cxx11abi{abi}"
    assert bool(choose(page(row(f"2.8.3+{label}")), given, CATALOG)) is is_taken


def test_tags_and_cutoff_and_pins_are_held_against_it_too() -> None:
    rows = (
        row("2.8.3", "cp311-cp311-linux_x86_64"),
        row("2.8.3", "cp312-cp312-win_amd64"),
        row("2.8.2", upload_time="2026-11-21T00:00:00Z"),
        row("2.8.1", upload_time="2026-11-19T00:00:00Z"),
    )
    assert versions(choose(page(*rows), of("flash-attn"), CATALOG)) == ["2.8.1"]
    moved = of("flash-attn", moved={"flash-attn": "2026-11-22T00:00:00Z"})
    assert versions(choose(page(*rows), moved, CATALOG)) == ["2.8.2", "2.8.1"]


def test_a_published_hash_comes_before_one_of_our_own() -> None:
    rows = (row("2.8.3+pt28cu128", sha256=None), row("2.8.2+pt28cu128"))
    assert choose(page(*rows), of("flash-attn"), CATALOG) == rows[1:]
    assert choose(page(*rows), of("flash-attn==2.8.3"), CATALOG) == (rows[1], rows[0])


def test_of_wheels_without_hashes_the_newest_is_taken_for_the_newest_torch() -> None:
    rows = tuple(row(f"2.8.{n}+pt2{m}cu128", sha256=None) for n, m in [(3, 9), (3, 10), (2, 11)])
    given = of("flash-attn", torches=("2.9.0+cu128", "2.10.0+cu128", "2.11.0+cu128"))
    assert versions(choose(page(*rows), given, CATALOG)) == ["2.8.3+pt210cu128"]


def test_nothing_that_fits_is_refused_only_where_it_is_asked_for() -> None:
    rows = page(
        row("2.8.3+pt29cu128"), row("2.8.3+cu13torch2.8"), others=("flash_attn-1-cp39-cp39-win32.whl",)
    )
    assert choose(rows, of("torch"), CATALOG) == ()
    with pytest.raises(ResolveError) as caught:
        choose(rows, of("torch", "flash-attn"), CATALOG)
    error = caught.value
    assert error.code == "RES025"
    assert URL in error.message
    told = " ".join(text for _, text in error.details)
    assert "is for torch ==2.9.*" in told
    assert "is for cu13" in told
    assert "win32.whl is for another backend, Python or platform" in told
    with pytest.raises(ResolveError, match="flash-attn==9"):
        choose(page(row("2.8.3")), of("flash-attn==9"), CATALOG)


def test_yanked_wheels_are_taken_by_exact_pins_only() -> None:
    rows = page(row("2.8.2"), yanked("2.8.3+pt28cu128", "bad kernels"), yanked("2.8.1", ""))
    assert versions(choose(rows, of("flash-attn"), CATALOG)) == ["2.8.2"]
    assert versions(choose(rows, of("flash-attn==2.8.3"), CATALOG)) == ["2.8.2", "2.8.3+pt28cu128"]
    pinned = of("flash-attn", constraints=asked("flash-attn==2.8.1"))
    assert versions(choose(rows, pinned, CATALOG)) == ["2.8.2", "2.8.1"]
    routed = route(of("flash-attn==2.8.3"), (rows,), CATALOG, NoDownloads())
    assert [item.yanked for item in routed.slice.projects["flash-attn"]] == [None, "bad kernels"]


def test_a_refusal_tells_that_all_fitting_wheels_are_yanked() -> None:
    rows = page(row("2.7"), yanked("2.8.2", ""), yanked("2.8.3", "bad kernels"), yanked("2.8.4+cpu", "x"))
    with pytest.raises(ResolveError, match="only yanked wheels of flash-attn>=2") as caught:
        choose(rows, of("flash-attn>=2.8"), CATALOG)
    told = [text.partition(".whl ")[2] for _, text in caught.value.details]
    assert told == [
        "does not satisfy the requirement",
        "is yanked: no reason given",
        "is yanked: bad kernels",
        "is for cpu",
    ]
    assert "flash-attn==2.8.3" in caught.value.hint


def test_the_rows_join_the_slice_and_bring_the_torch_of_their_label() -> None:
    given = of("torch", "flash-attn")
    rows = (row("2.8.3+pt28cu128"), row("2.8.2"))
    found = add(given, [page(*rows)], {"flash-attn": rows})
    assert [item.sha256 for item in found.slice.projects["flash-attn"]] == [HEX, HEX]
    requires = {
        item.version: item.requires_dist for item in found.slice.metadata if item.name == "flash-attn"
    }
    assert requires == {"2.8.3+pt28cu128": ("einops", "torch==2.8.*"), "2.8.2": ("einops",)}
    assert found.index_of("flash-attn") == URL
    assert found.index_of("torch") == given.slice.url
    assert found.flat == (URL,)
    assert found.digest() != given.digest()
    assert found.inputs()["route"] == [f"flash-attn {URL}"]
    assert "route" not in given.inputs()
    assert add(found, [page(*rows)], {"flash-attn": rows}).digest() == found.digest()


class OtherHashes:
    """A hasher that gives every wheel the same hash."""

    def sha256(self, _wheel: Wheel) -> str | None:
        return OTHER_HEX


def test_a_hash_of_our_own_is_remembered_and_not_computed_again() -> None:
    rows = (row("2.8.3+pt28cu128", sha256=None), row("2.8.1", sha256=None))
    given = of("torch", "flash-attn")
    routed = route(given, (page(*rows),), CATALOG, OtherHashes())
    assert [item.sha256 for item in routed.slice.projects["flash-attn"]] == [OTHER_HEX]
    assert [item.code for item in routed.decisions] == ["RES109"]
    (kept,) = recorded([page(*rows)], [routed])
    assert [item.computed for item in kept.entries] == [OTHER_HEX, None]
    assert route(given, (kept,), CATALOG, NoDownloads()) == routed
    (again,) = recorded([kept], [])
    assert again == kept


@pytest.mark.parametrize(
    ("version", "torch_version", "passes"),
    [
        ("2.8.3+cu12torch2.8cxx11abitrue", "2.8.0+cu128", True),
        ("2.8.3+cu12torch2.8cxx11abifalse", "2.8.0+cu128", False),
        ("2.8.3+pt29cu128", "2.8.0+cu128", False),
        ("2.8.3+pt28cu126", "2.8.0+cu128", False),
        ("2.8.3+pt28cpu", "2.8.0+cu128", False),
        ("2.8.3", "2.8.0+cu128", True),
    ],
)
def test_no_answer_passes_with_a_label_of_something_else(
    version: str, torch_version: str, passes: bool
) -> None:
    given = replace(of("flash-attn"), routes={"flash-attn": URL})
    answer = resolution(
        package(f"flash_attn-{version}-{TAGS}.whl"), package(f"torch-{torch_version}-{TAGS}.whl")
    )
    if passes:
        check(given, answer, CATALOG)
        return
    with pytest.raises(LockError) as caught:
        check(given, answer, CATALOG)
    assert caught.value.code == "LCK023"
    check(of("flash-attn"), answer, CATALOG)
    check(given, resolution(), CATALOG)


def test_what_is_worth_remembering() -> None:
    targets = (target(), target(python="3.11"))
    assert is_wanted(row("1+pt25cu118").wheel, targets)
    assert is_wanted(row("1", "cp311-cp311-linux_x86_64").wheel, targets)
    assert not is_wanted(row("1+cpu").wheel, targets)
    assert not is_wanted(row("1", "cp310-cp310-linux_x86_64").wheel, targets)
    assert not is_wanted(row("1", "cp312-cp312-win_amd64").wheel, targets)
