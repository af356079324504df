"""Hashing wheels that no index publishes a hash for, replayed over loopback."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.replay_files import make_wheel
from tests.rules.made import row

TAGS = "cp312-cp312-win_amd64"
NAME = f"torch-2.8.0.dev20250606+cu128-{TAGS}.whl"
WHEEL = replace(
    row(NAME, sha256=None), url="https://download.pytorch.org/whl/nightly/cu128/" + NAME.replace("+", "%2B")
)


@pytest.fixture
def body() -> bytes:
    return make_wheel("torch", "2.8.0.dev20250606+cu128", TAGS, ())
