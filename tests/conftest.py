"""Guards around every test: no network but loopback, no changed folder, no changed environment."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from hypothesis import HealthCheck, settings

from tests.offline import leave_network, refuse_by_proxy

OFFLINE = "ENVSMITH_TEST_OFFLINE"
CLOCK = "ENVSMITH_TEST_CLOCK_DAYS"
RANDOM = "ENVSMITH_TEST_RANDOM"
WEEKLY = "ENVSMITH_TEST_WEEKLY"
_HEADER = pytest.StashKey[list[str]]()

# The same examples each time, however slow the machine: what fails was broken by the change that is tested.
# ENVSMITH_TEST_RANDOM=1 looks for new ones.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=os.environ.get(RANDOM) != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave the network and set the clock ahead where the environment says so, before any test is imported."""
    header = config.stash[_HEADER] = []
    # Workers of xdist share the namespace of their controller, for some plugins connect the two by loopback.
    if os.environ.get(OFFLINE) == "1" and not hasattr(config, "workerinput"):
        if leave_network():
            header.append("network: loopback only")
        else:
            refuse_by_proxy()
            header.append("network: this process has loopback only, its programs a proxy that refuses")
    if days := int(os.environ.get(CLOCK, "0")):
        # The clock of this process: programs, file systems and certificate checks keep the real one.
        time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=days), tick=True).start()
        header.append(f"clock: {days} days ahead")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the conditions that the environment asked for."""
    return config.stash[_HEADER]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try what needs PyPI up to three times; skip it where the environment says there is none."""
    for item in items:
        if item.get_closest_marker("online"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=5))
            if os.environ.get(OFFLINE) == "1":
                item.add_marker(pytest.mark.skip(reason=f"needs PyPI, and {OFFLINE}=1 says there is none"))
        if item.get_closest_marker("weekly") and os.environ.get(WEEKLY) != "1":
            item.add_marker(pytest.mark.skip(reason="make test-weekly"))


@pytest.fixture(autouse=True)
def _leaves_the_process_as_it_was() -> Iterator[None]:
    # Set up first, so that monkeypatch has put back what a test changed through it when this looks.
    folder, environ = Path.cwd(), dict(os.environ)
    yield
    assert Path.cwd() == folder, "the test left another working directory"
    changed = {key for key in {*environ, *os.environ} if environ.get(key) != os.environ.get(key)}
    assert not changed - {"PYTEST_CURRENT_TEST"}, f"the test left variables changed: {sorted(changed)}"


@pytest.fixture(autouse=True)
def _only_loopback(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections of this process that leave the machine; programs may reach PyPI, unless offline."""
    if request.node.get_closest_marker("online"):
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise AssertionError(f"a test without the marker `online` connects to {address[0]}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project as the working directory, with a cache of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ENVSMITH_PYTORCH_INDEX", raising=False)
    return folder
