"""The report of a project with an environment, its lock, and secrets in the variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doctor.test_cli import NO_GPU, asked_of
from tests.install.made import Shop, made, made_torch

PLANTED = {
    "GITHUB_TOKEN": "ghp" + "_0123456789abcdefghijABCDEFGHIJ",
    "HTTPS_PROXY": "http://marta:geheim99@corp-proxy:3128",
    "NO_PROXY": "127.0.0.1",
    "LD_LIBRARY_PATH": "/home/marta.k/lib",
    "CUDA_VISIBLE_DEVICES": "",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop.opened(tmp_path_factory.mktemp("report"), **NO_GPU, PATH="/usr/bin:/bin")
    wheels = (made_torch("2.13.0+cpu"), made("beside"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    ran = shop.install()
    assert ran.status == 0, ran.said
    return shop


def test_one_paste_with_environment_and_lock(shop: Shop) -> None:
    ran = asked_of(shop, "report", **PLANTED)
    assert ran.status == 0
    assert ran.out.startswith("### envsmith report\n\n| | |\n|---|---|\n")
    assert "| torch | 2.13.0+cpu, built for no GPU |" in ran.out
    assert "| environment | PROJECT/.venv: 2 packages |" in ran.out
    assert "| `CUDA_VISIBLE_DEVICES` | set, empty |" in ran.out
    assert "| `LD_LIBRARY_PATH` | `~/lib` |" in ran.out
    assert "torch==2.13.0+cpu\n" in ran.out
    assert "review the report before you post it" in ran.err
    assert not any(secret in ran.out for secret in ("marta", "geheim99", "ghp_", "corp-proxy"))
    assert str(Path(shop.project.root)) not in ran.out


@pytest.mark.parametrize("words", [("--format", "json"), ("--json",)])
def test_the_same_for_programs(shop: Shop, words: tuple[str, ...]) -> None:
    answer = json.loads(asked_of(shop, "report", *words, **PLANTED).out)
    assert (answer["command"], answer["status"]) == ("report", "ok")
    data = answer["data"]
    assert data["packages"] == ["beside==1.0", "torch==2.13.0+cpu"]
    assert data["lock"]["profile"]
    assert data["variables"]["HTTPS_PROXY"] == "(set)"
    assert "geheim99" not in json.dumps(data)


def test_where_there_is_nothing(tmp_path: Path, shop: Shop) -> None:
    ran = asked_of(shop, "report", "--prefix", str(tmp_path / "no"), "-o", str(tmp_path / "locks"))
    assert ran.status == 0
    assert "| environment | none found |" in ran.out
