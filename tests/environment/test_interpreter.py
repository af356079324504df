from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from envsmith.environment.interpreter import Probe
from envsmith.errors import InstallError
from envsmith.host.current import this_platform
from envsmith.process.runner import Processes


@pytest.fixture
def probe() -> Probe:
    return Probe(processes=Processes())


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("probe") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return place


class CountedProcesses(Processes):
    """Counts the programs that it starts."""

    starts = 0

    @contextmanager
    def group(self, *words: Any, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        self.starts += 1
        with super().group(*words, **options) as process:
            yield process


def test_one_start_of_an_interpreter_answers_all(prefix: Path) -> None:
    processes = CountedProcesses()
    probe = Probe(processes=processes)
    layout = probe.layout(prefix)
    assert probe.environment(prefix, deep=True, layout=layout).interpreter == layout.interpreter
    assert probe.condition(layout).overlaps == ()
    assert processes.starts == 1
    assert probe.environment(prefix, deep=False).interpreter == layout.interpreter
    assert processes.starts == 2


def test_this_interpreter_says_what_it_is(probe: Probe) -> None:
    found = probe.interpreter(Path(sys.executable))
    assert found.version == ".".join(str(part) for part in sys.version_info[:3])
    assert found.supports(found.python, this_platform())


def test_an_environment_is_looked_at(probe: Probe, prefix: Path) -> None:
    found = probe.environment(prefix, deep=True)
    assert Path(found.prefix) == prefix
    assert found.distributions == ()
    assert (prefix / found.site).is_dir()


def test_imports_see_the_variables_given_and_no_python_variables(
    probe: Probe, prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "only_by_path.py").touch()
    assert probe.imports(prefix, "only_by_path", {}, 60).error.startswith("ModuleNotFoundError")
    site = prefix / probe.environment(prefix, deep=False).site
    (site / "wants.py").write_text("import os; __version__ = os.environ['WANTED']\n", "utf-8")
    assert probe.imports(prefix, "wants", {"WANTED": "7"}, 60).version == "7"


def test_an_import_that_ends_the_process_or_takes_too_long_has_failed(probe: Probe, prefix: Path) -> None:
    site = prefix / probe.environment(prefix, deep=False).site
    (site / "ends.py").write_text("import os; os._exit(7)\n", "utf-8")
    assert "status 7" in probe.imports(prefix, "ends", {}, 60).error
    (site / "hangs.py").write_text("import threading; threading.Event().wait()\n", "utf-8")
    assert "timeout after" in probe.imports(prefix, "hangs", {}, 0.5).error


def test_what_is_no_interpreter_is_told(probe: Probe) -> None:
    with pytest.raises(InstallError, match="ENV023"):
        probe.interpreter(
            Path("/bin/echo") if sys.platform != "win32" else Path("C:/Windows/System32/where.exe")
        )


def test_what_an_import_does_to_the_outputs_is_no_answer_and_hides_none(probe: Probe, prefix: Path) -> None:
    site = prefix / probe.environment(prefix, deep=False).site
    modules = {
        "logs": 'import atexit\natexit.register(lambda: print(\'\\n{"level": "info"}\'))',
        "replaces": "import os, sys\nsys.stdout = open(os.devnull, 'w')",
        "closes": "import sys\nsys.stdout.close()",
        "leaves_a_thread": "import threading\nthreading.Thread(target=threading.Event().wait).start()",
        "leaves_a_program": "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
    }
    for name, text in modules.items():
        (site / f"{name}.py").write_text(f"{text}\n__version__ = '3'\n", "utf-8")
        found = probe.imports(prefix, name, {}, 120)
        assert (found.error, found.version) == ("", "3"), name


def test_how_an_interpreter_died_is_told_before_what_it_said(probe: Probe, prefix: Path) -> None:
    site = prefix / probe.environment(prefix, deep=False).site
    (site / "warns.py").write_text(
        "import os, sys\nprint('some warning', file=sys.stderr, flush=True)\nos._exit(7)\n", "utf-8"
    )
    assert probe.imports(prefix, "warns", {}, 60).error == (
        "the interpreter ended with status 7; its last line: some warning"
    )


def test_what_a_start_up_file_prints_at_the_end_is_no_answer(probe: Probe, prefix: Path) -> None:
    site = prefix / probe.environment(prefix, deep=False).site
    start = prefix / site / "sitecustomize.py"
    start.write_text('import atexit\natexit.register(lambda: print(\'\\n{"level": "info"}\'))\n', "utf-8")
    assert Path(probe.environment(prefix, deep=False).prefix) == prefix
    assert [
        item.path for item in probe.condition(probe.layout(prefix)).strays if item.path == "sitecustomize.py"
    ]
    start.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script as interpreter")
def test_an_interpreter_that_hangs_is_ended_and_start_up_files_are_named(
    prefix: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(prefix, copy, symlinks=True)
    (copy / "bin" / "python").unlink()
    (copy / "bin" / "python").write_text("#!/bin/sh\nsleep 600\n", "utf-8")
    (copy / "bin" / "python").chmod(0o755)
    (site,) = copy.glob("lib/python3*/site-packages")
    (site / "added.pth").touch()
    probe = Probe(processes=Processes(), timeout_s=0.5)
    with pytest.raises(InstallError) as caught:
        probe.environment(copy, deep=False)
    assert caught.value.code == "ENV029"
    assert "every start of its Python runs added.pth" in caught.value.message
