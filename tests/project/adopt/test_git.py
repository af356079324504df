"""An environment with a package from a repository is adopted."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.index.direct_references.packages import make_package, make_repository
from tests.project.adopt.conftest import Adoption, versions
from tests.systems import posix_only

pytestmark = posix_only("environments have bin/python")


def test_of_git(adoption: Adoption, tmp_path: Path) -> None:
    """The commit that is installed is locked, whatever its branch has today; then installed elsewhere, and equal."""
    adoption.project.env["GIT_CONFIG_GLOBAL"] = os.devnull
    source = make_package(tmp_path / "from-git", "from-git", requires=["under"])
    commit = make_repository(source)
    url = source.as_uri()
    wheel = adoption.sell("by-url")
    address = f"{adoption.replay.base}/simple/{wheel.filename}"
    adoption.make(f"from-git @ git+{url}@main", f"by-url @ {address}", "torch", "under==1.0")
    make_package(source, "from-git", "9.9")
    ran = adoption.adopt("--name", "mine")
    assert ran.status == 0, ran.said
    lines = (adoption.project.root / "profiles/mine.toml").read_text("utf-8")
    assert f"from-git @ git+{url}@{commit}" in lines
    assert f"by-url @ {address}" in lines
    ran = adoption.project.run("verify", "mine", "--prefix", str(adoption.prefix))
    assert ran.status == 0, ran.said
    assert adoption.project.run("lock", "--check").status == 0
    found = adoption.elsewhere("mine", "--trust")
    assert versions(found.root / ".venv") == versions(adoption.prefix)
    origin = next((found.root / ".venv").glob("lib/python3*/site-packages/from_git-*/direct_url.json"))
    assert json.loads(origin.read_text("utf-8"))["vcs_info"]["commit_id"] == commit
