from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.catalog import Catalog, gpu_model
from envsmith.errors import CatalogError

CATALOG = Catalog.embedded()


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("RTX 5080", (12, 0)),
        ("NVIDIA GeForce RTX 5080", (12, 0)),
        ("nvidia geforce rtx 4090 laptop gpu", (8, 9)),
        ("GTX1080Ti", (6, 1)),
        ("GeForce GTX 1080", (6, 1)),
        ("NVIDIA A100-SXM4-80GB", (8, 0)),
        ("NVIDIA H100 80GB HBM3", (9, 0)),
        ("NVIDIA H200", (9, 0)),
        ("Tesla T4", (7, 5)),
        ("Tesla V100-SXM2-16GB", (7, 0)),
        ("NVIDIA RTX 6000 Ada Generation", (8, 9)),
        ("Quadro RTX 6000", (7, 5)),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", (12, 0)),
        ("NVIDIA GB10", (12, 1)),
        ("sm_120", (12, 0)),
        ("SM_86", (8, 6)),
        ("sm_90a", (9, 0)),
        ("12.0", (12, 0)),
        (" 8.9 ", (8, 9)),
        ("gfx1100", "gfx1100"),
        ("gfx90a", "gfx90a"),
    ],
)
def test_a_gpu_is_found_by_name_or_capability(name: str, capability: object) -> None:
    assert CATALOG.gpu(name).capability == capability


@pytest.mark.parametrize("name", ["RTX 5081", "", "sm_", "12", "Radeon", "1.2.3", "TITAN X"])
def test_what_is_neither_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(CatalogError) as caught:
        CATALOG.gpu(name)
    assert caught.value.code == "CAT021"
    assert "8.9" in caught.value.hint


def test_close_names_are_offered() -> None:
    with pytest.raises(CatalogError) as caught:
        CATALOG.gpu("RTX 5085")
    assert "GeForce RTX 5080" in caught.value.hint


def test_two_gpus_never_share_a_plain_name() -> None:
    names = [gpu_model(gpu.name) for gpu in CATALOG.gpus()]
    assert sorted(names) == sorted(set(names))


def test_names_are_not_shortened_into_others() -> None:
    assert gpu_model("NVIDIA RTX 4000 Ada Generation") != gpu_model("Quadro RTX 4000")
    assert gpu_model("GeForce RTX 4070 Ti Super") != gpu_model("GeForce RTX 4070 Ti")
    assert CATALOG.gpu("RTX 5080").architecture == "sm_120"
    assert CATALOG.gpu("gfx1100").architecture == "gfx1100"


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("RX 7900", "gfx1100"),
        ("AMD Radeon RX 7900 XTX", "gfx1100"),
        ("AMD Instinct MI300X", "gfx942"),
        ("Intel(R) Arc(TM) A770 Graphics", "dg2"),
        ("Intel(R) Arc(TM) B580 Graphics", "bmg"),
        ("GTX 10", None),
        ("RTX 30", None),
        ("GeForce GTX 1650", (7, 5)),
        ("bmg", "bmg"),
    ],
)
def test_amd_intel_and_series(name: str, capability: object) -> None:
    if capability is None:
        with pytest.raises(CatalogError):
            CATALOG.gpu(name)
    else:
        assert CATALOG.gpu(name).capability == capability


def test_a_series_with_several_capabilities_is_no_answer() -> None:
    for name in ("Arc", "RTX", "GeForce", "Radeon", "Instinct", "RX"):
        with pytest.raises(CatalogError):
            CATALOG.gpu(name)


@given(
    st.text()
    | st.lists(st.sampled_from(["RTX", "GTX", "Arc", "RX", "5080", "Ti", "7900", "-"])).map(" ".join)
)
def test_no_text_does_harm_as_a_name(name: str) -> None:
    with suppress(CatalogError):
        assert CATALOG.gpu(name).capability


def test_a_pci_id_names_a_generation() -> None:
    found = CATALOG.gpu_by_pci("8086:56a0")
    assert found
    assert found.capability == "dg2"
    assert CATALOG.gpu_by_pci("8086:46a6") is None
    ids = [(pci, gpu.capability) for gpu in CATALOG.gpus() for pci in gpu.pci]
    assert len({pci for pci, _ in ids}) == len(set(ids))
