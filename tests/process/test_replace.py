import signal
import subprocess
import sys

import pytest

from envsmith.errors import ToolError
from envsmith.process.replace import exec_or_spawn

PYTHON = sys.executable


def becoming(text: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program that becomes another one."""
    call = f"import envsmith.process.replace as r; r.exec_or_spawn([{PYTHON!r}, '-S', '-c', {text!r}], {{'A': 'x'}})"
    return subprocess.run([PYTHON, "-c", call], capture_output=True, encoding="utf-8", check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_another_program_takes_the_place() -> None:
    done = becoming(
        "import os, sys; print(dict(os.environ).get('A'), sys.stdin.read()); sys.exit(7)", input="in"
    )
    assert (done.returncode, done.stdout) == (7, "x in\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_the_other_program_dies_of_its_own_signals() -> None:
    done = becoming("import os, signal; print(signal.getsignal(signal.SIGPIPE)); os.kill(os.getpid(), 15)")
    assert done.returncode == -15


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_the_other_program_ends_when_its_reader_goes() -> None:
    words = ["sh", "-c", "while :; do echo y; done"]
    call = f"from envsmith.process.replace import exec_or_spawn as f; f({words}, {{'PATH': '/usr/bin:/bin'}})"
    with subprocess.Popen([PYTHON, "-c", call], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == -13


def test_a_program_that_is_not_there_takes_no_place() -> None:
    with pytest.raises(ToolError) as caught:
        exec_or_spawn(["no-such-program"], {"PATH": ""})
    assert (caught.value.code, caught.value.where) == ("TOL001", "no-such-program")
    # A write to a closed connection must go on to be an error here, not the end of this program.
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
