"""A lock of one machine on another one, which knows less of PyTorch's index: real commands, two homes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from envsmith.catalog import Catalog
from envsmith.host.current import this_platform, this_python
from envsmith.model.backend import Backend
from tests.commands import Project
from tests.index_recording import Recording
from tests.index_server import IndexReplay, Reply
from tests.install.made import Made, made, made_torch
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at bin/")
VERSION = "2.99.0+cpu"


def torch_here() -> Made:
    """Return a wheel that the shipped snapshot does not know, for this machine."""
    tag = this_python().tag
    wheel = made_torch(VERSION, requires=["filelock"])
    return replace(wheel, filename=f"torch-{VERSION}-{tag}-{tag}-{this_platform()}.whl")


def listed(wheel: Made) -> ReplayFile:
    metadata = make_metadata(wheel.name, wheel.version, ["filelock"]).encode()
    return ReplayFile(
        index="cpu",
        filename=wheel.filename,
        sha256=wheel.sha256,
        upload_time="2026-11-26T12:00:00Z",
        body=wheel.body,
        metadata=metadata,
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )


def package_index() -> Recording:
    found = Recording(recorded="made up", absent=["torch"])
    for version in ("4.0", "5.0"):
        wheel = made("filelock", version)
        row = found.add("filelock", version)
        row["hashes"]["sha256"] = wheel.sha256
        row["size"] = len(wheel.body)
        found.files[row["url"]] = wheel.body
    return found


class Network(IndexReplay):
    """The package index, and PyTorch's server for the installer."""

    hosts = IndexReplay.hosts | {"download.pytorch.org"}

    def __init__(self, pytorch: ReplayIndex) -> None:
        super().__init__(package_index(), adds_sidecars=True)
        self._pytorch = pytorch

    def answer(self, method: str, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Answer a request, for PyTorch as its replayed index does."""
        if host in IndexReplay.hosts:
            return super().answer(method, host, path, headers)
        passed = {name: headers[name] for name in ("accept", "range") if name in headers}
        got = requests.request(
            method, self._pytorch.origin + path, headers=passed, timeout=30, proxies={"http": ""}
        )
        kept = {name: got.headers[name] for name in ("Content-Type", "Content-Range") if name in got.headers}
        size = int(got.headers["Content-Length"])
        return Reply(status=got.status_code, body=got.content, headers=kept, size=size)


@dataclass(kw_only=True)
class Machines:
    """Two machines, the second with a clone of the project of the first."""

    first: Project
    second: Project

    def clone(self) -> None:
        """Copy the committed files."""
        ignored = shutil.ignore_patterns("pylock.*")
        for name in ("profiles", "lockfiles"):
            shutil.copytree(self.first.root / name, self.second.root / name, ignore=ignored)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """The first reads PyTorch's index with one wheel more than the snapshot; the second has the snapshot only.

    Its installer reaches PyTorch's server.
    """
    snapshot = Catalog.embedded().listing("stable", Backend.parse("cpu"))
    assert snapshot
    with ReplayIndex() as pytorch, Network(pytorch) as index:
        pytorch.add_listing(snapshot)
        pytorch.add(listed(torch_here()))
        projects = []
        for name in ("a", "b"):
            home = tmp_path / name / "home"
            home.mkdir(parents=True)
            own = {"HOME": str(home), "ENVSMITH_CACHE_DIR": str(home / "envsmith")}
            project = Project(root=tmp_path / name / "project", env=own | index.environ(cache=home / "uv"))
            project.root.mkdir()
            projects.append(project)
        first, second = projects
        first.index = pytorch.base
        first.profile(
            "own", backend="cpu", python=[str(this_python())], platforms=["linux"], requirements=["torch"]
        )
        yield Machines(first=first, second=second)
    assert not index.missed


@pytest.mark.parametrize("is_locked_again", [True, False])
def test_a_lock_of_another_machine_is_current_and_installs(
    machines: Machines, *, is_locked_again: bool
) -> None:
    ran = machines.first.run("lock", "own")
    assert ran.status == 0, ran.said
    (slug,) = machines.first.manifest("own").targets
    assert machines.first.pins("own", slug)["torch"].version == VERSION
    committed = {
        name: data for name, data in machines.first.locks("own").items() if not name.startswith("pylock.")
    }
    machines.clone()
    second = machines.second
    assert second.locks("own") == committed
    for words in ((), ("--catalog", "embedded")):
        ran = second.run("lock", "--check", *words)
        assert (ran.status, ran.err) == (0, ""), ran.said
    if is_locked_again:
        for words in ((), ("--catalog", "embedded")):
            ran = second.run("lock", *words)
            assert ran.status == 0, ran.said
            assert second.locks("own") == machines.first.locks("own")
    ran = second.run("install", "own")
    assert ran.status == 0, ran.said
    shown = subprocess.run(
        [second.root / ".venv/bin/python", "-c", "import torch; print(torch.__version__)"],
        capture_output=True, encoding="utf-8", check=True,
    ).stdout  # fmt: skip
    assert shown.strip() == VERSION
    assert second.run("verify").status == 0
    assert second.run("lock", "--check").status == 0
    found = {name: data for name, data in second.locks("own").items() if not name.startswith("pylock.")}
    assert found == committed
