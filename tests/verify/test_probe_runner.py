from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.process.exit_status import describe
from envsmith.process.runner import Processes
from envsmith.verify.probe_rules import ProbeResult
from envsmith.verify.probe_runner import ProbeRunner
from tests.runtime.fake_torch import fake_torch


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("trials") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return place


def tried(prefix: Path, at_import: str = "", timeout_s: float = 60.0, **env: str) -> ProbeResult:
    fake_torch(next(prefix.glob("[Ll]ib*/**/site-packages")), at_import=at_import)
    return ProbeRunner(processes=Processes(), env=env, timeout_s=timeout_s).run(prefix, "torch", ())


def test_what_works_is_told_with_facts_and_cost(prefix: Path) -> None:
    found = tried(prefix)
    assert (found.error, found.version, found.facts["product"]) == ("", "2.13.0+cpu", True)
    assert found.seconds > 0
    assert found.peak_bytes > 0
    assert found.step == "reading torch's settings"


@pytest.mark.parametrize(
    ("at_import", "told"),
    [
        (
            "os.abort()",
            "the interpreter crashed: signal 6 (SIGABRT: a compiled library aborted; see its message)",
        ),
        ("os.kill(os.getpid(), 11)", f"the interpreter crashed: {describe(-11)}"),
        ("os._exit(3)", "the interpreter crashed: status 3"),
        ("raise ImportError('no libcudart')", "ImportError: no libcudart"),
    ],
)
def test_a_death_is_an_answer(prefix: Path, at_import: str, told: str) -> None:
    found = tried(prefix, at_import)
    assert (found.error, found.step) == (told, "importing torch")


def test_a_hang_is_an_answer(prefix: Path) -> None:
    found = tried(prefix, "import time; time.sleep(600)", timeout_s=2.0)
    assert (found.error, found.step) == ("timeout after 2 s", "importing torch")


def test_megabytes_of_talk_are_an_answer(prefix: Path) -> None:
    found = tried(prefix, "print('x' * 5_000_000); os.write(2, b'y' * 5_000_000)")
    assert found.error == ""
    assert 3000 < len(found.said) <= 4000


def test_variables_given_are_set_and_those_of_python_are_not(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = tried(prefix, "raise OSError(os.environ['WORD'], 'PYTHONPATH' in os.environ)", WORD="given")
    assert found.error == "OSError: [Errno given] False"
