import hashlib

import pytest

from envsmith.model.wheel import SHA256


def test_a_digest_is_one() -> None:
    assert SHA256.fullmatch(hashlib.sha256(b"x").hexdigest())


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_all_else_is_none(text: str) -> None:
    assert SHA256.fullmatch(text) is None
