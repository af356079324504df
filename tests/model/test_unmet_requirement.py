from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from envsmith.model.finding import UnmetRequirement

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).map(canonicalize_name)


@given(NAMES, NAMES, st.sampled_from(["", ">=0.16", "<2,>=1", "[extra]", "[extra]>=1"]))
def test_reads_back_what_it_writes(requirer: str, project: str, bounds: str) -> None:
    item = UnmetRequirement(requirer=canonicalize_name(requirer), requirement=f"{project}{bounds}")
    assert UnmetRequirement.parse(str(item)) == item
    assert item.project == project


@pytest.mark.parametrize("text", ["", "timm", "timm: ", ": torchvision", "a b: torchvision", "timm: a b; c"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected such as|name is invalid"):
        UnmetRequirement.parse(text)
