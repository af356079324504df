from __future__ import annotations

import pytest

from envsmith.environment.model import Environment, TorchBuild
from tests.environment.test_model_interpreter import LINUX

DISTRIBUTION = {
    "name": "Typing_Extensions",
    "version": "4.16.0",
    "folder": "typing_extensions-4.16.0.dist-info",
    "has_record": True,
    "files": 7,
    "bytes": 100,
    "missing": ["typing_extensions.py"],
    "missing_count": 1,
    "changed": [],
    "changed_count": 0,
}
FOUND = {
    "prefix": "/env",
    "site": "lib/python3.12/site-packages",
    "interpreter": LINUX,
    "distributions": [DISTRIBUTION, {**DISTRIBUTION, "name": "a.b"}],
    "torch": {"version": "2.13.0+cpu", "cuda": None, "hip": None, "xpu": None},
}


def test_what_the_probe_says_is_read() -> None:
    found = Environment.from_json(FOUND)
    assert [item.name for item in found.distributions] == ["a-b", "typing-extensions"]
    assert found.files == 14
    assert found.distributions[1].missing == ("typing_extensions.py",)
    assert found.torch == TorchBuild(version="2.13.0+cpu")


def test_no_torch_is_none() -> None:
    assert Environment.from_json({**FOUND, "torch": None}).torch is None


def test_a_lacking_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Environment.from_json({"prefix": "/env"})
