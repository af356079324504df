from __future__ import annotations

import locale
import os
import signal
import sys
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.process import capture
from envsmith.process.children import Tail


def watched(script: str) -> capture.TailedProgram:
    return capture.run_teed([sys.executable, "-S", "-c", script], os.environ)


def test_both_outputs_pass_and_are_kept(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = watched("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert (found.status, found.text) == (7, "out\n\nerr\n")
    assert capfdbinary.readouterr() == (b"out\n", b"err\n")


def test_the_end_of_much_is_kept(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = watched("print('x' * 3_000_000); print('the end')")
    assert found.text.endswith("the end\n\n")
    assert len(found.text) < 2 * capture.MAX_BYTES
    assert len(capfdbinary.readouterr()[0]) == 3_000_009


def test_a_signal_is_the_status() -> None:
    assert watched("import os; os.kill(os.getpid(), 9)").status == -9


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to what is left")
def test_what_a_program_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """It holds the outputs open until it is ended here."""
    note = tmp_path / "pid"
    script = (
        "import subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(300)'])\n"
        f"open({str(note)!r}, 'w').write(str(left.pid))\n"
        "print('the end', flush=True)\n"
        "sys.exit(3)\n"
    )
    found = capture.run_teed([sys.executable, "-S", "-c", script], os.environ, drain_timeout_s=1.0)
    os.kill(int(note.read_text("utf-8")), signal.SIGKILL)  # it is still there
    assert found.status == 3


def test_what_cannot_be_started() -> None:
    with pytest.raises(ToolError) as caught:
        capture.run_teed(["no-such-program-anywhere"], os.environ)
    assert caught.value.code == "TOL001"


def test_a_tail_lets_go_of_the_first() -> None:
    tail = Tail(capture.MAX_BYTES)
    for number in range(100):
        tail.add(bytes([number]) * 10_000)
    assert tail.size == capture.MAX_BYTES
    assert tail.text[0] == chr(60)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_output_of_windows_is_read_in_its_code_page(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "ImportError: DLL load failed while importing _C: 지정된 프로시저를 찾을 수 없습니다.\n"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(locale, "getencoding", lambda: "cp949")
    tail = Tail(1_000)
    tail.add(text.encode(encoding))
    assert tail.text == text
