"""Labels of compiled wheels, in the spellings that projects use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from envsmith.model.backend import Backend, BuildLabel


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("cu12torch2.8cxx11abiTRUE", "cu12torch2.8cxx11abitrue"),
        ("cu122torch2.3cxx11abifalse", "cu12.2torch2.3cxx11abifalse"),
        ("cu128torch2.8", "cu12.8torch2.8"),
        ("cu12.8torch2.11", "cu12.8torch2.11"),
        ("cu130torch29", "cu13.0torch2.9"),
        ("pt28cu128", "cu12.8torch2.8"),
        ("pt20cpu", "cputorch2.0"),
        ("pt113cu117", "cu11.7torch1.13"),
        ("pt210cu130", "cu13.0torch2.10"),
        ("torch2.8.0cu128", "cu12.8torch2.8.0"),
        ("cu128.pt2.8.0", "cu12.8torch2.8.0"),
        ("cu128_torch2.8", "cu12.8torch2.8"),
        ("rocm6.4torch2.8", "rocm6.4torch2.8"),
        ("xpu", "xpu"),
        ("cu118", "cu11.8"),
        ("cpu.cxx11.abi", "cpu"),
        ("cuda12.8torch2.8", "cu12.8torch2.8"),
        ("5d4b92a5.d20251026", ""),
        ("git.cu128", "cu12.8"),
        ("optimised", ""),
        ("opt2", ""),
        ("", ""),
    ],
)
def test_spellings(text: str, canonical: str) -> None:
    label = Version(f"1.0+{text}").local if text else ""
    assert str(BuildLabel.parse(label or "")) == canonical
    assert BuildLabel.parse(text.upper()) == BuildLabel.parse(text)


BUILDS = st.builds(
    BuildLabel,
    family=st.just("cuda"),
    version=st.tuples(st.integers(9, 20), st.integers(0, 12)) | st.tuples(st.integers(9, 20)),
    torch=st.just(())
    | st.tuples(st.integers(1, 3), st.integers(0, 30))
    | st.tuples(st.integers(1, 3), st.integers(0, 30), st.integers(0, 5)),
    cxx11abi=st.none() | st.booleans(),
)
WORDS = st.sampled_from(
    [
        "cu12",
        "cu128",
        "cpu",
        "xpu",
        "rocm6.4",
        "torch2.8",
        "pt28",
        "torch2.10.1",
        "cxx11abitrue",
        "cxx11abi0",
        ".",
        "a1",
    ]
)


@given(BUILDS)
def test_what_is_written_reads_back(label: BuildLabel) -> None:
    assert BuildLabel.parse(str(label)) == label


@given(st.lists(WORDS, max_size=6).map("".join) | st.text(alphabet="abcdelmnoprtux0123456789.", max_size=30))
def test_any_label_reads_to_a_value_that_reads_back(text: str) -> None:
    found = BuildLabel.parse(text)
    assert BuildLabel.parse(str(found)) == found
    assert BuildLabel.parse(text) == found


@pytest.mark.parametrize(
    ("label", "backend", "fits"),
    [
        ("cu12", "cu128", True),
        ("cu12", "cu130", False),
        ("cu128", "cu128", True),
        ("cu128", "cu126", False),
        ("cu128", "cpu", False),
        ("cpu", "cu128", False),
        ("cpu", "cpu", True),
        ("rocm6.4", "rocm6.4", True),
        ("rocm6.4", "rocm6.3", False),
        ("xpu", "xpu", True),
        ("torch2.8", "cu128", True),
        ("", "rocm6.4", True),
    ],
)
def test_backends(label: str, backend: str, fits: bool) -> None:
    assert BuildLabel.parse(label).supports_backend(Backend.parse(backend)) is fits


@pytest.mark.parametrize(
    ("label", "torch", "fits", "specifier"),
    [
        ("pt28", "2.8.0+cu128", True, "==2.8.*"),
        ("pt28", "2.8.1", True, "==2.8.*"),
        ("pt28", "2.9.0", False, "==2.8.*"),
        ("torch2.8.0", "2.8.0", True, "==2.8.0"),
        ("torch2.8.0", "2.8.1", False, "==2.8.0"),
        ("pt210", "2.10.0.dev20260101+cu128", True, "==2.10.*"),
        ("cu128", "2.10.0", True, ""),
    ],
)
def test_torches(label: str, torch: str, fits: bool, specifier: str) -> None:
    found = BuildLabel.parse(label)
    assert found.supports_torch(Version(torch)) is fits
    assert found.torch_specifier() == specifier
