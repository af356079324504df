"""The fault campaign: every fault in many rounds, for envsmith and for ``uv pip sync`` into an environment in place.

Counted is what the environment holds afterwards, every file by its hash: the old state or the new one, whole, or
neither; whether uv calls a broken one fine (``uv pip check`` says so, and ``uv pip sync --dry-run`` would change
nothing); and whether the next run succeeds. Needs Linux; a full disk and a read-only one need a user who may mount.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.faults.interrupts import interrupted
from tests.install import campaign
from tests.install.campaign import Tally
from tests.install.made import Shop
from tests.install.serving import served
from tests.install.sides import Ours, Side, Theirs

S = TypeVar("S", bound=Side)
Fault = Callable[[Side, int], Tally]
ON_DISK: tuple[tuple[Fault, int], ...] = (
    (campaign.killed, 50),
    (campaign.killed_linking, 50),
    (campaign.twice_at_once, 20),
    (campaign.wrong_bytes, 10),
    (campaign.cut, 20),
)
ON_SMALL_DISK: tuple[tuple[Fault, int], ...] = ((campaign.full, 10), (campaign.read_only, 5))


def main() -> None:
    """Run all faults, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="part of the rounds to run")
    parser.add_argument("--only", default="", help="name of one fault: killed_linking")
    asked = parser.parse_args()
    for kind in (Ours, Theirs):
        for tally in tallies(kind, asked.share, asked.only):
            print(tally, flush=True)


def tallies(kind: type[Side], share: float, only: str = "") -> Iterator[Tally]:
    """Yield what each fault did to one side, each in a project of its own."""
    for fault, rounds in ON_DISK:
        if only not in ("", fault.__name__):
            continue
        with project(kind) as side:
            yield fault(side, max(1, round(rounds * share)))
    if kind is Ours and only in ("", "interrupted"):
        with project(Ours) as ours:
            yield from interrupted(ours, max(1, round(50 * share)))
    if kind is Ours and not only:
        for going in (campaign.killed_going_back, campaign.killed_setting_aside):
            with project(Ours) as ours:
                yield going(ours, max(1, round(50 * share)))
    for fault, rounds in ON_SMALL_DISK:
        if only not in ("", fault.__name__):
            continue
        try:
            with project(kind, small=True) as side:
                yield fault(side, max(1, round(rounds * share)))
        except PermissionError as error:
            print(f"skipped: {error}", file=sys.stderr)


@contextmanager
def project(kind: type[S], *, small: bool = False) -> Iterator[S]:
    """Lend a project whose first state is installed, on a small file system of its own or not."""
    with tempfile.TemporaryDirectory(prefix="envsmith-faults-") as scratch, served() as server:
        root, place = Path(scratch), Path(scratch, "project")
        place.mkdir()
        if small:
            words = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(place)]
            if subprocess.run(words, capture_output=True, check=False).returncode:
                raise PermissionError("no file system can be mounted here")
        try:
            shop = Shop.opened(root, UV_CACHE_DIR=str((place if small else root) / "uv-cache"))
            side = kind(shop=shop, server=server, files=200 if small else 2000)
            side.ask_for(1)
            status, said = side.run()
            if status:
                raise RuntimeError(said)
            yield side
        finally:
            if small:
                subprocess.run([shutil.which("umount") or "umount", place], check=True)


if __name__ == "__main__":
    main()
