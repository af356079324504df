import subprocess
import sys
from pathlib import Path

from envsmith import __version__


def test_module_and_command_are_the_same() -> None:
    module = subprocess.run(
        [sys.executable, "-m", "envsmith", "--version"], capture_output=True, text=True, check=True
    )
    command = subprocess.run(
        [Path(sys.executable).parent / "envsmith", "--version"], capture_output=True, text=True, check=True
    )
    assert module.stdout == command.stdout == f"envsmith, version {__version__}\n"


def test_exit_code_is_the_process_status() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "envsmith", "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "USE001" in done.stderr
