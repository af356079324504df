import pytest

from envsmith.model.backend import Capability, architecture, backend_family, read_capability, runs_on


@pytest.mark.parametrize(
    ("text", "capability", "written", "family"),
    [
        ("12.0", (12, 0), "sm_120", "cuda"),
        ("sm_86", (8, 6), "sm_86", "cuda"),
        ("SM90a", (9, 0), "sm_90", "cuda"),
        ("gfx90a", "gfx90a", "gfx90a", "rocm"),
        (" BMG ", "bmg", "bmg", "xpu"),
    ],
)
def test_a_capability_is_read_and_written(
    text: str, capability: Capability, written: str, family: str
) -> None:
    found = read_capability(text)
    assert found == capability
    assert architecture(found) == written
    assert read_capability(written) == found
    assert backend_family(found) == family


@pytest.mark.parametrize("text", ["", "12", "8.10", "sm_1", "gfx", "gfx12345", "RTX 5080", "arc", "120.0"])
def test_other_texts_are_none(text: str) -> None:
    assert read_capability(text) is None


@pytest.mark.parametrize(
    ("built", "gpu", "answer"),
    [
        ((6, 0), (6, 1), True),
        ((8, 6), (8, 9), True),
        ((12, 0), (12, 1), True),
        ((10, 0), (10, 3), True),
        ((8, 6), (8, 0), False),
        ((9, 0), (12, 0), False),
        ((12, 1), (12, 0), False),
        ((8, 0), (8, 7), False),  # Jetson Orin runs what was built for it only
        ((8, 7), (8, 7), True),
        ((7, 2), (7, 5), False),
        ((11, 0), (11, 0), True),
        ("gfx1100", "gfx1100", True),
        ("gfx1100", "gfx1101", False),
        ("bmg", "dg2", False),
        ((9, 0), "gfx900", False),
    ],
)
def test_what_runs_on_what(built: Capability, gpu: Capability, answer: bool) -> None:
    assert runs_on(built, gpu) is answer
