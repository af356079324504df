from __future__ import annotations

import hashlib
import threading

import pytest

from envsmith.download.part_file import ParallelDigest
from tests.wheelhouses import made_bytes

BODY = made_bytes(5_000_000)


@pytest.mark.parametrize("size", [1, 1000, 400_000, 3_000_000])
@pytest.mark.parametrize("total", [0, 10, 1 << 20, len(BODY)])
def test_digest_is_the_hash_of_all_bytes_in_order(size: int, total: int) -> None:
    if size == 1:
        total = min(total, 100)
    digest = ParallelDigest()
    body = memoryview(BODY)[:total]
    for start in range(0, total, size):
        digest.update(body[start : start + size])
    assert digest.hexdigest() == hashlib.sha256(body).hexdigest()
    assert digest.hexdigest() == hashlib.sha256(body).hexdigest()
    digest.close()


def test_thread_ends_on_close() -> None:
    before = threading.active_count()
    digest = ParallelDigest()
    digest.update(BODY)
    assert threading.active_count() == before + 1
    digest.close()
    digest.close()
    assert threading.active_count() == before


def test_the_caller_may_change_bytes_afterwards() -> None:
    digest, body = ParallelDigest(), bytearray(BODY)
    digest.update(memoryview(body))
    body[:] = bytes(len(body))
    assert digest.hexdigest() == hashlib.sha256(BODY).hexdigest()
    digest.close()
