from __future__ import annotations

import pytest

from envsmith.catalog import Catalog
from envsmith.diff.compare import compare
from envsmith.diff.model import DiffSide
from envsmith.diff.output import headline
from tests.locks import LINUX, WINDOWS, kept

CATALOG = Catalog.embedded()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("cu126", "cu130", "needs driver ≥ 580"),
        ("cu130", "cu126", "now accepts driver ≥ 525.60.13 (Linux), ≥ 528.33 (Windows)"),
        ("cpu", "cu126", "needs driver ≥ 525.60.13 (Linux), ≥ 528.33 (Windows)"),
        ("cu126", "cu128", ""),
        ("cu130", "cpu", ""),
    ],
)
def test_drivers_that_are_needed_are_told_from_those_that_now_do(before: str, after: str, told: str) -> None:
    one, other = (
        tuple(kept(f"p/{slug}", f"torch==2.11.0+{backend}", backend=backend) for slug in (LINUX, WINDOWS))
        for backend in (before, after)
    )
    found = headline(compare(DiffSide(title="a", locks=one), DiffSide(title="b", locks=other), CATALOG))
    assert told in found
    assert ("driver" in found) == bool(told)


def test_one_target_in_the_place_of_another() -> None:
    older = "cp311-manylinux_2_28_x86_64"
    before, after = kept(f"p/{older}", "x==1"), kept(f"p/{LINUX}", "x==1")
    found = compare(
        DiffSide(title="p at HEAD", locks=(before,)), DiffSide(title="p", locks=(after,)), CATALOG
    )
    assert not found.is_empty
    assert headline(found) == f"{older} → {LINUX}, torch unchanged"
    sides = (DiffSide(title=f"p/{older}", locks=(before,)), DiffSide(title=f"p/{LINUX}", locks=(after,)))
    assert headline(compare(*sides, CATALOG)) == "torch unchanged", "the titles say it"
