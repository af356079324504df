"""Bonds that no metadata declares, told to the resolver only where a resolution breaks them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.plan.pairings import amend
from tests.plan.made import package, plan, resolution, target


@pytest.mark.parametrize(
    ("backend", "platform", "pins", "needed"),
    [
        ("cu128", "linux", {"pyannote-audio": "3.3.2", "torchaudio": "2.11.0+cu128"}, "torchaudio<2.9"),
        ("cu128", "linux", {"pyannote-audio": "4.0.7", "torchaudio": "2.11.0+cu128"}, None),
        ("cu128", "linux", {"pyannote-audio": "3.3.2", "torchaudio": "2.8.0+cu128"}, None),
        ("cu128", "linux", {"pyannote-audio": "3.3.2"}, None),
        ("cu128", "linux", {"onnxruntime-gpu": "1.31.1"}, "onnxruntime-gpu<1.27,>=1.19"),
        ("cu130", "linux", {"onnxruntime-gpu": "1.31.1"}, None),
        ("cu130", "linux", {"onnxruntime-gpu": "1.26.0"}, "onnxruntime-gpu>=1.28"),
        ("cpu", "linux", {"onnxruntime-gpu": "1.31.1"}, None),
        ("cpu", "windows", {"torch": "2.3.1+cpu", "numpy": "2.1.0"}, "numpy<2"),
        ("cpu", "linux", {"torch": "2.3.1+cpu", "numpy": "2.1.0"}, None),
        ("cpu", "linux", {"torch": "2.1.2+cpu", "numpy": "2.1.0"}, "numpy<2"),
    ],
)
def test_amend(backend: str, platform: str, pins: dict[str, str], needed: str | None) -> None:
    given = plan(where=target(backend, platform))
    found = amend(
        given, resolution(*(package(name, version) for name, version in pins.items())), Catalog.embedded()
    )
    assert (found is None) == (needed is None)
    if found:
        assert needed in [str(item.requirement) for item in found.constraints]
        assert found.requirements == ()
        assert all(decision.evidence for decision in found.decisions)


@pytest.mark.parametrize(
    ("version", "shims", "is_bound"),
    [
        ("3.4.0", (), True),
        ("3.4.0", ("torch-safe-globals",), True),
        ("3.4.0", ("torchaudio-legacy-api",), False),
        ("3.2.0", ("torchaudio-legacy-api",), False),
        ("3.1.1", ("torchaudio-legacy-api",), True),
    ],
)
def test_a_shim_does_away_with_a_bond_where_it_serves(
    version: str, shims: tuple[str, ...], *, is_bound: bool
) -> None:
    answer = resolution(package("pyannote-audio", version), package("torchaudio", "2.11.0"))
    assert (amend(replace(plan(), shims=shims), answer, Catalog.embedded()) is not None) == is_bound


def test_a_constraint_already_given_is_not_given_again() -> None:
    answer = resolution(package("pyannote-audio", "3.3.2"), package("torchaudio", "2.11.0"))
    given = plan()
    first = amend(given, answer, Catalog.embedded())
    assert first
    assert amend(given.amended(first), answer, Catalog.embedded()) is None
