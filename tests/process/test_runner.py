import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from envsmith.errors import ToolError
from envsmith.process.runner import Processes, inherited_environ

PYTHON = sys.executable


def script(text: str) -> list[str]:
    return [PYTHON, "-S", "-c", text]


def test_status_and_both_outputs() -> None:
    text = "import sys; print('out'); print('wrong ä', file=sys.stderr); sys.exit(3)"
    done = Processes().run(script(text), env={"PYTHONIOENCODING": "utf-8"}, timeout_s=60)
    assert (done.status, done.stdout, done.stderr) == (3, "out\n", "wrong ä\n")


def test_environment_is_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVSMITH_SECRET", "x")
    text = "import os; print(os.environ.get('ENVSMITH_SECRET'), os.environ['GIVEN'])"
    assert Processes().run(script(text), env={"GIVEN": "1"}, timeout_s=60).stdout == "None 1\n"


def test_working_directory_and_no_input(tmp_path: Path) -> None:
    text = "import os, sys; print(os.getcwd()); print(repr(sys.stdin.read()))"
    done = Processes().run(script(text), env={}, timeout_s=60, cwd=tmp_path)
    assert done.stdout.splitlines() == [str(tmp_path.resolve()), "''"]


def test_output_that_is_no_utf8_is_no_crash() -> None:
    done = Processes().run(script(r"import sys; sys.stdout.buffer.write(b'\xff!')"), env={}, timeout_s=60)
    assert done.stdout == "\ufffd!"


def test_program_that_is_not_there() -> None:
    with pytest.raises(ToolError) as caught:
        Processes().run(["/nowhere/uv"], env={}, timeout_s=60)
    assert (caught.value.code, caught.value.where) == ("TOL001", "/nowhere/uv")


def test_program_past_its_time_is_ended() -> None:
    processes = Processes()
    with pytest.raises(ToolError) as caught:
        processes.run(script("import time; time.sleep(600)"), env={}, timeout_s=0.2)
    assert caught.value.code == "TOL002"
    assert not processes._running


def test_closing_ends_what_runs_and_starts_no_more() -> None:
    processes = Processes()
    found: list[int] = []
    thread = threading.Thread(
        target=lambda: found.append(
            processes.run(script("import time; time.sleep(600)"), env={}, timeout_s=300).status
        )
    )
    thread.start()
    while not processes._running:
        time.sleep(0.01)
    processes.close()
    thread.join()
    assert found
    assert found[0] != 0
    with pytest.raises(ToolError) as caught:
        processes.run(script("pass"), env={}, timeout_s=60)
    assert caught.value.code == "TOL003"


@pytest.mark.skipif(sys.platform != "win32", reason="POSIX has no job objects")
def test_a_killed_envsmith_takes_its_programs_and_theirs_with_it(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    inner = f"import time\nwhile True:\n open({str(beats)!r}, 'ab').write(b'.'); time.sleep(0.02)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    own = (
        "import os; from envsmith.process.runner import Processes; "
        f"Processes().run([{PYTHON!r}, '-c', {outer!r}], env=dict(os.environ), timeout_s=60)"
    )
    with subprocess.Popen([PYTHON, "-c", own], env=dict(os.environ)) as process:
        while not beats.exists():
            time.sleep(0.01)
        process.kill()
    time.sleep(0.5)
    size = beats.stat().st_size
    time.sleep(0.5)
    assert beats.stat().st_size == size > 0


def test_inherited_takes_names_and_prefixes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_MINE_PASSWORD", "p")
    monkeypatch.setenv("UV_INDEX_URL_NOT", "n")
    monkeypatch.setenv("OTHER", "o")
    assert inherited_environ(("OTHER",)) == {"OTHER": "o"}
    assert inherited_environ((), ("UV_INDEX_MINE",)) == {"UV_INDEX_MINE_PASSWORD": "p"}
    assert inherited_environ(()) == {}
