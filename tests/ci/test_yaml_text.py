from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from envsmith.ci.service_formats import yaml_text


def load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@given(st.text())
def test_a_text_survives_yaml(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert load(f"a: {yaml_text(text)}\n") == {"a": text}
