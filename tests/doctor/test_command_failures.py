from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.commands import Project, Ran


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(root=tmp_path / "project")


def ran(project: Project, script: str, *words: str) -> Ran:
    return project.run("doctor", *words, "--", sys.executable, "-S", "-c", script)


def test_a_command_that_succeeds_is_left_to_itself(project: Project) -> None:
    done = ran(
        project, "import sys; print('Torch not compiled with CUDA enabled'); print('b', file=sys.stderr)"
    )
    assert (done.status, done.out, done.err) == (0, "Torch not compiled with CUDA enabled\n", "b\n")


def test_a_known_failure_is_explained_after_its_own_words(project: Project) -> None:
    done = ran(project, "print('working'); raise AssertionError('Torch not compiled with CUDA enabled')")
    assert (done.status, done.out) == (1, "working\n")
    own, _, told = done.err.partition(f"{sys.executable} ended with status 1: 1 known failure in its output")
    assert own.startswith("Traceback")
    lines = told.strip().splitlines()
    assert lines[0] == "error   HST050    the program asks for CUDA, and the installed torch is a CPU build"
    assert lines[1].strip() == "seen: AssertionError: Torch not compiled with CUDA enabled"
    assert lines[3].startswith("        fix       envsmith doctor build")


def test_a_failure_printed_to_standard_output_counts(project: Project) -> None:
    done = ran(
        project, "print('no kernel image is available for execution on the device'); raise SystemExit(3)"
    )
    assert (done.status, "HST050" in done.err) == (3, True)


def test_an_unknown_failure(project: Project) -> None:
    done = ran(project, "raise SystemExit(5)")
    assert done.status == 5
    assert "ended with status 5: no known failure in its output" in done.said
    assert "hint: `envsmith doctor`" in done.said


def test_a_signal(project: Project) -> None:
    done = ran(project, "import os; os.kill(os.getpid(), 9)")
    assert (done.status, "ended with signal 9" in done.said) == (137, True)


@pytest.mark.skipif(sys.platform != "linux", reason="the numbers are Linux's")
@pytest.mark.parametrize("way", ["import os; os.kill(os.getpid(), 4)", "raise SystemExit(132)"])
def test_what_a_signal_mostly_means_is_told_also_where_a_shell_passed_it_on(
    project: Project, way: str
) -> None:
    done = ran(project, way)
    assert done.status == 132
    assert "cause SIGILL: unsupported CPU instruction" in done.said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_an_interruption_is_no_failure(project: Project) -> None:
    done = ran(project, "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)")
    assert (done.status, done.err) == (130, "")


def test_words_that_do_not_go_with_a_command(project: Project) -> None:
    done = ran(project, "", "path")
    assert (done.status, "-- COMMAND cannot be combined with checks" in done.said) == (2, True)


def test_what_cannot_be_started(project: Project) -> None:
    done = project.run("doctor", "--", "no-such-program-anywhere")
    assert (done.status, "TOL001" in done.said) == (2, True)
