"""The conditions that a test run may ask for: no network, a clock that is ahead."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.conftest import CLOCK, OFFLINE
from tests.index_server import FILES_HOST, INDEX_HOST

_REACH = "import socket, sys; socket.create_connection((sys.argv[1], 443), 5)"


def test_only_the_clock_of_this_process_is_ahead() -> None:
    words = [sys.executable, "-c", "import time; print(time.time())"]
    said = subprocess.run(words, capture_output=True, encoding="utf-8", check=True).stdout
    days = (time.time() - float(said)) / 86400
    assert round(days, 2) == int(os.environ.get(CLOCK, "0"))


@pytest.mark.skipif(os.environ.get(OFFLINE) != "1", reason=f"{OFFLINE} does not ask for it")
@pytest.mark.parametrize("host", [INDEX_HOST, FILES_HOST, "download.pytorch.org", "203.0.113.1"])
def test_no_program_reaches_out(host: str) -> None:
    if "HTTPS_PROXY" in os.environ:
        pytest.skip("this system does not let a process leave its network")
    done = subprocess.run([sys.executable, "-c", _REACH, host], capture_output=True, check=False)
    assert done.returncode
