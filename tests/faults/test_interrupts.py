"""Signals end every command with all it started; `python -m bench.faults --only interrupted` has more rounds."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.interrupts import BOUND_S, COMMANDS, SIGNALS, Stubborn
from tests.install.made import Shop
from tests.install.serving import served
from tests.install.sides import Ours

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
DOCTOR = [sys.executable, "-m", "envsmith", "doctor", "--"]


@pytest.fixture(scope="module")
def stubborn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stubborn]:
    with served() as server:
        side = Ours(
            shop=Shop.opened(tmp_path_factory.mktemp("stubborn")), server=server, payload=4_000, files=5
        )
        side.ask_for(1)
        status, said = side.run()
        assert status == 0, said
        yield Stubborn.made(side)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_ends_a_command_with_all_it_started(
    stubborn: Stubborn, command: str, number: signal.Signals
) -> None:
    status, length_s, said, left = stubborn.trial(command, number, 0.1)
    assert (status, left) == (-number if command == "run" else 130, 0), said
    assert length_s < BOUND_S
    assert "Traceback" not in said


@pytest.mark.parametrize("again", [None, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_no_traceback_while_starting(
    number: signal.Signals, again: signal.Signals | None, tmp_path: Path
) -> None:
    """From the first line of envsmith on; the interpreter reports its own interrupts before."""
    begin = (
        "import sys; sys.argv[1:] = ['select']; import envsmith.__main__ as m; run = m._run;"
        "m._run = lambda words: (print(flush=True), run(words))[1]; m.run()"
    )
    seen = set()
    for turn in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", begin],
            env={**os.environ, "ENVSMITH_CACHE_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.01 + 0.02 * turn)
        process.send_signal(number)
        if again:
            time.sleep(0.0005 * (turn % 4))
            process.send_signal(again)
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said
        seen.add(process.returncode)
    assert seen <= {
        0,
        130,
        -number,
        -(again or number),
    }  # before and after the command a signal may end the process at once
    assert 130 in seen


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_the_program_of_doctor_gets_the_signal(number: signal.Signals) -> None:
    code = (
        f"import signal, sys, time; signal.signal({int(number)}, lambda *_: sys.exit(7)); print(1, flush=True);"
        "time.sleep(60)"
    )
    words = [*DOCTOR, sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(30) == 7


def test_the_program_of_doctor_reads_from_the_terminal_and_gets_its_interrupts_once() -> None:
    code = (
        "import signal, time; seen = []; signal.signal(2, lambda *_: seen.append(1));"
        "print('got', open('/dev/tty').readline(), flush=True); time.sleep(1); print('seen', len(seen), flush=True)"
    )
    pid, terminal = pty.fork()
    if not pid:
        os.execv(sys.executable, [*DOCTOR, sys.executable, "-c", code])  # noqa: S606 - needs no shell
    os.write(terminal, b"hello\n")
    said = _read_until(terminal, b"got hello")
    os.write(terminal, b"\x03")
    said += _read_until(terminal, b"seen 1")
    assert b"seen 1" in said, said
    os.waitpid(pid, 0)
    os.close(terminal)


def _read_until(terminal: int, end: bytes) -> bytes:
    said = b""
    while end not in said:
        try:
            said += os.read(terminal, 1000)
        except OSError:  # Linux reports the end of a terminal's other side so
            break
    return said
