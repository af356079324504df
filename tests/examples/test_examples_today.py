"""Examples locked with the answers that the package index gives today: properties, no bytes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
from packaging.pylock import Package, PackageSdist, PackageWheel

from tests.commands import Project
from tests.examples.test_examples import ROOT, SLUGS, committed
from tests.record_index import CASES

_CUTOFF = "2026-11-20T23:59:59Z"


@pytest.mark.online
@pytest.mark.weekly
@pytest.mark.parametrize("name", ["speech-server", "rtx5080-voice"])
def test_an_example_locks_with_the_index_of_today(name: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    shutil.copytree(ROOT / name, copy, ignore=shutil.ignore_patterns("lockfiles"))
    project = Project(root=copy)
    ran = project.run_online(*CASES[name].words)
    assert ran.status == 0, ran.said
    for slug in SLUGS[name]:
        # The builds of the torch family come from the catalog, so they hold whatever the index answers.
        assert project.manifest(name).targets[slug].family == committed(name).targets[slug].family
    pages = Pages()
    others = [package for slug in SLUGS[name] for package in project.pylock(name, slug).packages]
    others = [package for package in others if "download.pytorch.org" not in (package.index or "")]
    assert len(others) > 30
    for package in others:
        file = file_of(package)
        row = pages.row(package, file.filename)
        assert (row["url"], row["hashes"]["sha256"]) == (file.url, file.hashes["sha256"])
        assert row["upload-time"] <= _CUTOFF, file.filename


def file_of(package: Package) -> PackageWheel | PackageSdist:
    """Return the only file of a package."""
    files: list[PackageWheel | PackageSdist] = list(package.wheels or ())
    files += [package.sdist] if package.sdist else []
    (file,) = files
    return file


class Pages:
    """Pages of the index, each read once."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, dict[str, Any]]] = {}

    def row(self, package: Package, filename: str) -> dict[str, Any]:
        """Return the entry of a file."""
        if package.name not in self._rows:
            accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
            answer = requests.get(f"{package.index}/{package.name}/", headers=accept, timeout=60)
            answer.raise_for_status()
            self._rows[package.name] = {row["filename"]: row for row in answer.json()["files"]}
        return self._rows[package.name][filename]
