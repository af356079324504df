"""A uv that ends with 0 without doing anything, prints anything, or never stops printing: a short error."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.faults.interrupts import replace_uv
from tests.install.made import Shop, made_torch

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a script as a program")
VERSION = "import os, sys\nif sys.argv[1:] == ['--version']:\n    print('uv 0.13.8')\n    sys.exit()\n"
# Prints bytes that are no text, and writes them to the file that it is asked for.
GARBAGE = """
data = bytes(range(256)) * 20
sys.stdout.buffer.write(data)
sys.stderr.buffer.write(data)
if "--output-file" in sys.argv:
    open(sys.argv[sys.argv.index("--output-file") + 1], "wb").write(data)
"""
LIES = {
    "silent": VERSION,
    "silent in all": "",
    "garbage": VERSION + GARBAGE,
    "garbage in all": "import sys" + GARBAGE,
    "lines": VERSION + "print('[[packages]]\\n' * 1000)",
    "fails in garbage": VERSION + GARBAGE + "sys.exit(2)",
    "no module": "import no_such_module",
}
COMMANDS = {
    "lock": ("lock", "asking", "--catalog", "embedded"),
    "install": ("install", "small", "--frozen"),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop.opened(tmp_path_factory.mktemp("lying"))
    shop.lock(made_torch("2.1.0+cpu"))
    shop.project.profile(
        "asking", backend="cpu", python=["3.12"], platforms=["linux"], requirements=["torch"]
    )
    return shop


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_answer_that_uv_never_gives(shop: Shop, command: str, lie: str) -> None:
    replace_uv(shop.project, f"#!{sys.executable} -IS\n{LIES[lie]}\n")
    ran = shop.project.run(*COMMANDS[command])
    assert ran.status == 2, ran.said
    assert "error " in ran.err
    assert "Traceback" not in ran.err or lie == "no module"  # that of uv itself is shown as what uv says
    assert "this is a bug in envsmith" not in ran.err
    assert len(ran.err.splitlines()) < 30, ran.err
    assert not (shop.project.root / ".venv").exists()
    assert not (Path(shop.project.root, "lockfiles", "asking")).exists()


def test_output_without_end(shop: Shop) -> None:
    replace_uv(shop.project, f"#!{sys.executable} -IS\n{VERSION}while True: print('x' * 100_000)\n")
    ran = shop.project.run(*COMMANDS["lock"])
    assert (ran.status, "error TOL004: more than 64 MB of output" in ran.err) == (2, True), ran.said
