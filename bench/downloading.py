"""Download of one 2 GB file over loopback, beside curl: rate, memory, and the same bytes after five cuts.

What is fair: both ask one server for the same made bytes, which it holds as one block and sends again and again, and
both bring them to the same disk: curl's file by an fsync after it, for curl leaves it to the page cache (its rate
without that is told, too). envsmith also hashes them, and its time includes the start of an interpreter. Rounds
alternate; each file is removed before the next is written. Where the disk is the bottleneck for both, the comparison
says little about either: on a memory file system, if there is one, nothing waits for a disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile

from bench.measure import Comparison, alternate, seconds
from tests.wheelhouses import artifact, lock_files, made_bytes

BLOCK = made_bytes(1 << 24)
SIZE = 2_000_000_000
CUTS = 5
MOST_MEMORY_BYTES = 120_000_000
NAME, PROFILE, SLUG = "big-1-py3-none-any.whl", "big", "cp311-manylinux_2_28_x86_64"
_MEASURED = """\
import resource, sys
from envsmith.cli.main import main
status = main(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
sys.exit(status)
"""


def compare(folder: Path, env: Mapping[str, str], times: int) -> Iterator[Comparison]:
    """Measure on the disk of the scratch folder, and in memory where there is room."""
    curl = shutil.which("curl")
    if curl is None:
        return
    digest = _digest()
    with served() as (origin, cut):
        yield _rate("disk", folder, env, times, (curl, origin, digest))
        memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
        if memory.is_dir() and shutil.disk_usage(memory).free > 3 * SIZE:
            with TemporaryDirectory(dir=memory, prefix="envsmith-bench-") as place:
                yield _rate("memory", Path(place), env, times, (curl, origin, digest))
        project = _project(folder / "cut", origin, digest)
        cut.extend(SIZE * (number + 1) // (CUTS + 1) for number in range(CUTS))
        peak = _download(project, env)
        whole = hashlib.file_digest((project / "house" / NAME).open("rb"), "sha256").hexdigest()
        same = "the same bytes" if whole == digest and not cut else "OTHER BYTES"
        yield Comparison(
            name=f"download, peak memory : bound ({CUTS} cuts)",
            ours=peak / 1e6,
            theirs=MOST_MEMORY_BYTES / 1e6,
            unit="MB",
            bound=1.0,
            note=f"{SIZE / 1e9:.0f} GB, broken off {CUTS} times, {same}",
        )
        shutil.rmtree(project)


def _rate(
    where: str, folder: Path, env: Mapping[str, str], times: int, sides: tuple[str, str, str]
) -> Comparison:
    curl, origin, digest = sides
    project = _project(folder / f"to-{where}", origin, digest)
    target = folder / "by-curl"

    def ours() -> float:
        begun = time.perf_counter()
        _download(project, env)
        took = time.perf_counter() - begun
        shutil.rmtree(project / "house")
        return took

    plain: list[float] = []

    def theirs() -> float:
        took = seconds([curl, "--silent", "--fail", "--output", target, f"{origin}/{NAME}"], folder, env)
        plain.append(took)
        begun = time.perf_counter()
        with target.open("rb") as stream:
            os.fsync(stream.fileno())
        took += time.perf_counter() - begun
        target.unlink()
        return took

    mine, their = alternate(ours, theirs, min(times, 5))
    shutil.rmtree(project)
    return Comparison(
        name=f"download 2 GB to {where} : curl, then fsync",
        ours=mine,
        theirs=their,
        unit="s",
        bound=1 / 0.8,
        note=f"{SIZE / mine / 1e6:.0f} MB/s, hashed; curl {SIZE / their / 1e6:.0f} MB/s, and "
        f"{SIZE / median(plain) / 1e6:.0f} MB/s without waiting for the disk",
    )


def _project(folder: Path, origin: str, digest: str) -> Path:
    """Write a project with a lock of the one file."""
    locks = folder / "lockfiles" / PROFILE
    locks.mkdir(parents=True)
    item = replace(artifact(f"{origin}/{NAME}", b"", size=False, filename=NAME), sha256=digest)
    for name, content in lock_files(PROFILE, {SLUG: [item]}).items():
        (locks / name).write_bytes(content)
    return folder


def _download(project: Path, env: Mapping[str, str]) -> int:
    """Download the file, and return the most memory that took, in bytes.

    Raises:
        RuntimeError: when it cannot.
    """
    words = ["-q", "download", PROFILE, "--all", "-d", "house"]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *words],
        cwd=project,
        env=dict(env),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return int(done.stderr.split("peak")[1])


def _digest() -> str:
    digest = hashlib.sha256()
    for start in range(0, SIZE, len(BLOCK)):
        digest.update(BLOCK[: SIZE - start])
    return digest.hexdigest()


@contextmanager
def served() -> Iterator[tuple[str, list[int]]]:
    """Serve the file; the list takes offsets at which the connection is to break off."""
    cuts: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_answer, args=(connection, cuts), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", cuts
        server.shutdown(socket.SHUT_RDWR)


def _answer(connection: socket.socket, cuts: list[int]) -> None:
    """Answer one request, and close."""
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        found = re.search(rb"\r\nRange: bytes=(\d+)-", head)
        start = int(found[1]) if found else 0
        status = (
            f"206 Partial Content\r\nContent-Range: bytes {start}-{SIZE - 1}/{SIZE}" if start else "200 OK"
        )
        text = f'HTTP/1.1 {status}\r\nContent-Length: {SIZE - start}\r\nETag: "made"\r\nConnection: close\r\n\r\n'
        connection.sendall(text.encode())
        if not head.startswith(b"HEAD"):
            _send(connection, start, cuts)


def _send(connection: socket.socket, start: int, cuts: list[int]) -> None:
    """Send the file as file servers do, without copying it, so that the server takes little from either side."""
    end = cuts.pop(0) if cuts else SIZE
    with TemporaryFile() as block:
        block.write(BLOCK)
        block.flush()
        try:
            while start < end:
                inside = start % len(BLOCK)
                count = min(len(BLOCK) - inside, end - start)
                start += os.sendfile(connection.fileno(), block.fileno(), inside, count)
        except OSError:
            return
