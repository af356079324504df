"""The real torch for Windows, end to end under Wine: locked, downloaded, installed offline, verified and used.

By `make test-windows-torch` only: 132 MB from PyPI, and some minutes. numpy cannot be had beside it: it needs functions
of ucrtbase that Wine 8 lacks.
"""

from __future__ import annotations

import json
import os

import pytest

from tests.install.made import PROFILE, Shop
from tests.install.test_real_torch import AS_OF, USED, VERSION
from tests.windows.conftest import NETWORK, WindowsProject

WHEEL = f"torch-{VERSION}-cp311-cp311-win_amd64.whl"
PROFILE_TEXT = f"""\
backend = "cpu"
index = "pypi"
python = ["3.11"]
platforms = ["windows"]
requirements = ["torch=={VERSION}"]
env = {{ KMP_AFFINITY = "disabled" }}  # Wine does not bind threads to cores
"""
pytestmark = [
    pytest.mark.online,
    pytest.mark.skipif(
        os.environ.get("ENVSMITH_TEST_WINDOWS_TORCH") != "1", reason="make test-windows-torch"
    ),
]


def test_torch_is_locked_downloaded_installed_offline_verified_and_multiplies(shop: Shop) -> None:
    project = shop.project
    assert isinstance(project, WindowsProject)
    project.limit_s = 1800
    (project.root / "profiles").mkdir()
    (project.root / "profiles" / f"{PROFILE}.toml").write_text(PROFILE_TEXT, "utf-8")
    own = dict(project.env)
    project.env |= {name: os.environ[name] for name in NETWORK if name in os.environ}
    ran = project.run_online("lock", PROFILE, "--catalog", "embedded", "--as-of", AS_OF)
    assert ran.status == 0, ran.said
    ran = project.run_online("download", PROFILE, "-d", "house")
    assert ran.status == 0, ran.said
    assert project.pins(PROFILE, "cp311-win_amd64")["torch"].filename == WHEEL
    project.env = {**own, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    ran = project.run("install", PROFILE, "--frozen", "--offline", "--wheelhouse", "house")
    assert ran.status == 0, ran.said
    assert f"torch {VERSION}+cpu imports" in ran.said
    ran = project.run("verify", PROFILE, "--deep")
    assert (ran.status, "all hashes compared" in ran.said) == (0, True), ran.said
    ran = project.run("run", "--", "python", "-W", "ignore", "-c", USED)
    assert ran.status == 0, ran.said
    assert json.loads(ran.out) == [f"{VERSION}+cpu", [[2.0, 1.0], [4.0, 3.0]], False]
