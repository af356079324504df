"""Installs whose files are gathered beforehand: from a server of one's own, through a mirror; then without network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.commands import NO_NETWORK, can_leave_network
from tests.install.made import Made, Shop, made, made_torch
from tests.range_server import RangeServer, Step

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at symbolic links and bin/")
TORCH, BESIDE = made_torch("2.19.0+cpu"), made("beside")
CODE = "import torch, beside; print(torch.__version__, beside.__version__)"


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer() as running:
        yield running


def installs(shop: Shop, *words: str) -> None:
    ran = shop.project.run("install", "small", "--frozen", *words)
    assert ran.status == 0, ran.said
    done = subprocess.run([shop.python(), "-c", CODE], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "2.19.0+cpu 1.0\n"


@pytest.mark.skipif(not can_leave_network(), reason="this machine lets nobody leave its network")
def test_from_a_wheelhouse_in_a_place_without_any_network(shop: Shop) -> None:
    code = "import socket; socket.create_connection(('127.0.0.1', 9), 5)"
    done = subprocess.run([*NO_NETWORK, sys.executable, "-c", code], capture_output=True, check=False)
    assert b"Network is unreachable" in done.stderr
    words = ("--offline", "--wheelhouse", str(shop.wheelhouse))
    ran = shop.project.run("install", "small", "--frozen", *words, within=NO_NETWORK)
    assert ran.status == 0, ran.said
    done = subprocess.run([shop.python(), "-c", CODE], capture_output=True, check=True)
    assert done.stdout == b"2.19.0+cpu 1.0\n"


def test_from_a_plain_file_server(shop: Shop, server: RangeServer) -> None:
    for wheel in (TORCH, BESIDE):
        server.put(f"wheels/{wheel.filename}", wheel.body)
    server.plan(f"wheels/{TORCH.filename}", Step(cut_at=100))
    installs(shop, "--wheelhouse", f"{server.origin}/wheels/")
    assert server.ranges(f"wheels/{TORCH.filename}") == ["", "bytes=100-"]


def test_uv_itself_is_offline_when_the_server_is_all_there_is(shop: Shop, server: RangeServer) -> None:
    for wheel in (TORCH, BESIDE):
        server.put(wheel.filename, wheel.body)
    installs(shop, "--offline", "--wheelhouse", server.origin)


def page(server: RangeServer, *wheels: Made) -> None:
    """Serve an index: each project's page, and the files elsewhere."""
    for wheel in wheels:
        server.put(f"files/{wheel.filename}", wheel.body)
        link = f"../../files/{quote(wheel.filename)}#sha256={wheel.sha256}"
        text = f'<!DOCTYPE html><html><body><a href="{link}">{wheel.filename}</a></body></html>'
        server.put(f"simple/{wheel.name}/", text.encode())
        server.headers[f"simple/{wheel.name}/"] = {"Content-Type": "text/html"}


def test_from_an_index(shop: Shop, server: RangeServer) -> None:
    page(server, TORCH, BESIDE)
    installs(shop, "--wheelhouse", f"{server.origin}/simple")
    assert server.ranges(f"files/{TORCH.filename}") == [""]


def test_an_index_without_the_file(shop: Shop, server: RangeServer) -> None:
    page(server, TORCH)
    ran = shop.project.run("install", "small", "--frozen", "--wheelhouse", f"{server.origin}/simple")
    assert ran.status == 2
    assert "TOL047" in ran.said
    assert BESIDE.filename in ran.said
    assert not shop.link.exists()


def test_through_a_mirror(shop: Shop, server: RangeServer) -> None:
    for wheel in (TORCH, BESIDE):
        server.put(f"mirror/{wheel.filename}", wheel.body)
    installs(shop, "--rewrite", f"http://127.0.0.1:9/files={server.origin}/mirror")


def test_a_mirror_with_other_bytes_changes_nothing(shop: Shop, server: RangeServer) -> None:
    server.put(f"mirror/{BESIDE.filename}", BESIDE.body)
    server.put(f"mirror/{TORCH.filename}", BESIDE.body)
    words = ("--frozen", "--rewrite", f"http://127.0.0.1:9/files={server.origin}/mirror")
    ran = shop.project.run("install", "small", *words)
    assert ran.status == 2
    assert "TOL048" in ran.said
    assert not shop.link.exists()


def test_without_any_network_from_what_was_downloaded(shop: Shop, server: RangeServer) -> None:
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no network namespace can be made here: {probe.stderr.decode().strip()}")
    for wheel in (TORCH, BESIDE):
        server.put(wheel.filename, wheel.body)
    rewrite = f"http://127.0.0.1:9/files={server.origin}"
    ran = shop.project.run("download", "small", "-d", "house", "--rewrite", rewrite)
    assert ran.status == 0, ran.said
    words = ["install", "small", "--frozen", "--offline", "--wheelhouse", "house", "--json"]
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "envsmith", *words],
        cwd=shop.project.root,
        env={**shop.project.environ(), "UV_CACHE_DIR": str(shop.project.root / "empty")},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["how"] == "built"
    done = subprocess.run([shop.python(), "-c", CODE], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "2.19.0+cpu 1.0\n"
