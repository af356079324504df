from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.process.capture import CapturedProgram, run_with_timeout
from envsmith.process.runner import Processes


def run(code: str, timeout_s: float = 60.0) -> CapturedProgram:
    return run_with_timeout(Processes(), [sys.executable, "-c", code], env={}, timeout_s=timeout_s)


def test_a_program_that_ends_is_told_with_its_outputs() -> None:
    found = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (found.status, found.timed_out, found.stdout, found.stderr) == (3, False, "out\n", "err\n")


def test_of_megabytes_the_last_are_kept() -> None:
    found = run("print('x' * 3_000_000); print('last')")
    assert found.stdout.endswith("x\nlast\n")
    assert len(found.stdout) < 1_000_000


def test_what_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    child = f"import time; open({str(tmp_path / 'begun')!r}, 'w').close(); time.sleep(600)"
    code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)"
    )
    begun = time.monotonic()
    found = run(code, timeout_s=3.0)
    assert found.timed_out
    assert time.monotonic() - begun < 60  # the child held the outputs open, and is gone, too
    assert found.status != 0


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot start"):
        run_with_timeout(Processes(), [tmp_path / "none"], env={}, timeout_s=1.0)
