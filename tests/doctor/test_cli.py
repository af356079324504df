"""The doctor in a project with an environment in which things are wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from envsmith.doctor.checks import CHECKS
from tests.commands import Project, Ran
from tests.install.made import Shop, made, made_torch
from tests.site_packages import write_distribution

NO_GPU = {"ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY": "none", "UV_CACHE_DIR": "uv"}
PASCAL = {"ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY": "6.1", "ENVSMITH_OVERRIDE_CUDA_DRIVER": "580.65.06"}
OLD = {"ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY": "8.9", "ENVSMITH_OVERRIDE_CUDA_DRIVER": "572.16"}
NEW = {"ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY": "8.9", "ENVSMITH_OVERRIDE_CUDA_DRIVER": "580.65.06"}
LOCAL = (
    "path",
    "driver",
    "kernels",
    "build",
    "family",
    "families",
    "onnxruntime",
    "unused",
    "broken",
    "shadows",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop.opened(tmp_path_factory.mktemp("doctor"), **NO_GPU, PATH="/usr/bin:/bin")
    wheels = (made_torch("2.13.0+cpu"), made("beside"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    ran = shop.install()
    assert ran.status == 0, ran.said
    return shop


@pytest.fixture
def copied(shop: Shop, tmp_path: Path) -> tuple[Shop, Path]:
    prefix = tmp_path / "env"
    shutil.copytree(shop.link.resolve(), prefix, symlinks=True)
    return shop, prefix


def site(prefix: Path) -> Path:
    return next((prefix / "lib").glob("*/site-packages"))


def asked_of(shop: Shop, *words: str, **env: str) -> Ran:
    before = dict(shop.project.env)
    shop.project.env.update(env)
    try:
        return shop.project.run(*words)
    finally:
        shop.project.env.clear()
        shop.project.env.update(before)


def asked(shop: Shop, *words: str, **env: str) -> Ran:
    return asked_of(shop, "doctor", *words, **env)


def findings(ran: Ran) -> dict[str, Any]:
    return {item["code"]: item for item in json.loads(ran.out)["data"]["findings"]}


def set_cuda(prefix: Path, version: str, cuda: str) -> None:
    text = f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\nxpu = None\n"
    (site(prefix) / "torch/version.py").write_text(text, "utf-8")


def test_an_environment_in_order(shop: Shop) -> None:
    ran = asked(shop, *LOCAL)
    assert ran.status == 0, ran.said
    assert ran.out.startswith("no findings on this machine · 10 checks · ")
    assert "only the machine was checked" not in ran.out


def test_all_checks_are_made_without_any_name(shop: Shop) -> None:
    data = json.loads(asked(shop, "--json").out)["data"]
    assert len(data["checks"]) + len(data["not_made"]) == len(CHECKS)
    assert "no GPU" in data["machine"]


@pytest.mark.parametrize(
    ("version", "cuda", "env", "code"),
    [
        ("2.13.0+cu130", "13.0", PASCAL, "ENV073"),
        ("2.13.0+cu130", "13.0", OLD, "HST020"),
        ("2.13.0+cu130", "13.0", {}, "ENV072"),
        ("2.13.0+cpu", None, NEW, "ENV071"),
        ("2.11.0+cu128", "12.8", NEW, "ENV076"),
        ("2.13.0+cu130", "13.0", NEW, ""),
    ],
)
def test_torch_against_the_machine(
    copied: tuple[Shop, Path], version: str, cuda: str, env: dict[str, str], code: str
) -> None:
    shop, prefix = copied
    set_cuda(prefix, version, cuda)
    ran = asked(shop, "driver", "kernels", "build", "retired", "--prefix", str(prefix), "--json", **env)
    assert set(findings(ran)) == ({code} if code else set()), ran.said
    assert ran.status == (1 if code in ("ENV073", "HST020") else 0)


def test_what_is_wrong_with_packages(copied: tuple[Shop, Path]) -> None:
    shop, prefix = copied
    place = site(prefix)
    write_distribution(place, "opencv-python", {"cv2/__init__.py": b"a"})
    write_distribution(place, "opencv-python-headless", {"cv2/__init__.py": b"bb"})
    write_distribution(place, "onnxruntime-gpu", {"onnxruntime/__init__.py": b"gpu"})
    write_distribution(place, "onnxruntime", {"onnxruntime/__init__.py": b"only the CPU"})
    write_distribution(
        place, "torchvision", {"torchvision/version.py": b"__version__ = '0.28.0+cu130'\n"}, version="0.28.0"
    )
    (place / "~umpy").mkdir()
    (shop.project.root / "main.py").write_text("import beside\n", "utf-8")
    found = findings(asked(shop, *LOCAL, "--prefix", str(prefix), "--json"))
    assert set(found) == {"ENV060", "ENV065", "ENV067", "ENV069", "ENV075"}
    assert "those of onnxruntime:" in found["ENV069"]["message"]


def test_folders_of_environments_on_path(copied: tuple[Shop, Path]) -> None:
    shop, prefix = copied
    ran = asked(shop, "path", PATH=f"{site(prefix)}/torch/lib:/usr/bin:/bin")
    assert ran.status == 0
    assert "warning HST014" in ran.out
    assert "is on this session's PATH" in ran.said


def test_the_checks_are_listed(shop: Shop) -> None:
    lines = asked(shop, "--list").out.splitlines()
    assert len(lines) == 1 + len(CHECKS)
    assert json.loads(asked(shop, "--list", "--json").out)["data"]["checks"]["path"]


def test_a_check_that_there_is_not(shop: Shop) -> None:
    ran = asked(shop, "nonsense")
    assert (ran.status, "unknown check `nonsense`" in ran.said) == (2, True)
    assert "did you mean driver?" in asked(shop, "drvier").said


def test_without_an_environment_it_says_what_was_looked_at(tmp_path: Path) -> None:
    ran = Project(root=tmp_path / "p").run("doctor", "kernels")
    assert "no environment at .venv; only the machine was checked" in ran.out
    named = Project(root=tmp_path / "p", env={"ENVSMITH_PREFIX": "elsewhere"}).run("doctor", "kernels")
    assert "no environment at elsewhere" in named.out
