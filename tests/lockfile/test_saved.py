from __future__ import annotations

from dataclasses import replace

from packaging.version import Version

from envsmith.lockfile.pins import Pins
from tests.locks import LINUX, WINDOWS, kept, pin


def test_names() -> None:
    lock = kept(
        f"cu128/{LINUX}", "torch==2.11.0+cu128", "numpy==2.0.0", requested=("torch", "numpy", "torch")
    )
    assert lock.name == f"cu128/{LINUX}"
    assert lock.torch == Version("2.11.0+cu128")
    assert lock.requested == ("numpy", "torch")
    assert kept(f"a/{LINUX}", "numpy==2").torch is None


def test_the_digest_is_that_of_what_is_installed() -> None:
    lock = kept(f"a/{LINUX}", "torch==2.11.0", "numpy==2.0.0")
    assert lock.digest() == kept(f"b/{LINUX}", "numpy==2.0.0", "torch==2.11.0", requested=("x",)).digest()
    others = (
        kept(f"a/{WINDOWS}", "torch==2.11.0", "numpy==2.0.0"),
        kept(f"a/{LINUX}", "torch==2.11.0", "numpy==2.0.1"),
        kept(f"a/{LINUX}", "torch==2.11.0"),
        replace(
            lock, pins=Pins(packages=(replace(pin("torch==2.11.0"), sha256=("0" * 64,)), pin("numpy==2.0.0")))
        ),
    )
    assert len({lock.digest(), *(other.digest() for other in others)}) == 5


def test_bytes_are_known_where_all_are() -> None:
    lock = kept(f"a/{LINUX}")
    known = Pins(packages=(pin("a==1", size_bytes=5), pin("b==1", size_bytes=7)))
    assert lock.download_bytes is None
    assert replace(lock, pins=known).download_bytes == 12
    assert replace(lock, pins=Pins(packages=())).download_bytes == 0
