"""Faults that verify finds are planted once more, cured, and looked for again; more of them: bench/fault_page.py."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Ran
from tests.install.made import Shop, made
from tests.site_packages import write_distribution
from tests.verify import test_cli
from tests.verify.test_cli import copied, installed, site

__all__ = ["copied", "installed"]
CURED = (
    test_cli.changed,
    test_cli.gone,
    test_cli.half_a_record,
    test_cli.code_added,
    test_cli.twice,
    test_cli.onnx_over_gpu,
    test_cli.swapped_label,
    test_cli.no_metadata,
    test_cli.from_a_folder,
    test_cli.crashes,
)


def fix(shop: Shop, prefix: Path, *words: str) -> Ran:
    place = ("--prefix", str(prefix), "--wheelhouse", str(shop.wheelhouse), "--offline")
    return shop.project.run("doctor", "--fix", *place, *words)


def data(ran: Ran) -> dict[str, Any]:
    """Return what a command answered."""
    return dict(json.loads(ran.out)["data"])


@pytest.mark.parametrize("plant", CURED)
def test_a_planted_fault_is_cured_in_an_environment_of_others(
    copied: tuple[Shop, Path], plant: Callable[[Path], None]
) -> None:
    shop, prefix = copied
    plant(prefix)
    ran = fix(shop, prefix, "--yes")
    assert ran.status == 0, ran.said
    assert "verified, no errors left" in ran.said
    assert fix(shop, prefix, "--dry-run").out.startswith("0 findings in ")


def test_one_that_envsmith_made_is_built_anew_beside_itself(tmp_path: Path) -> None:
    shop = Shop.opened(tmp_path)
    wheels = (made("beside"), made("other"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    assert shop.install().status == 0
    before = shop.current()
    test_cli.changed(shop.link)
    write_distribution(site(shop.link), "extra", {"extra/__init__.py": b""})
    ran = fix(shop, shop.link, "--yes")
    assert ran.status == 0, ran.said
    assert "rebuild    small: build a new environment" in ran.out
    assert shop.current() != before
    assert (shop.generations / before / "bin").is_dir()
    assert shop.project.run("verify", "--deep").status == 0


def test_what_would_be_done_is_shown_and_not_done_unasked(copied: tuple[Shop, Path]) -> None:
    shop, prefix = copied
    test_cli.removed(prefix)
    test_cli.half_removed(prefix)
    test_cli.added(prefix)
    ran = fix(shop, prefix, "--dry-run")
    assert ran.status == 1
    assert "move       ~umpy" in ran.out
    assert "remove     extra" in ran.out
    assert "install    torch==2.19.0+cpu, with the hashes of the lock" in ran.out
    assert "ENV067    torch" not in ran.out
    ran = fix(shop, prefix)
    assert (ran.status, "USE002" in ran.said) == (2, True)
    found = data(fix(shop, prefix, "--json"))
    assert found["carried_out"] is False
    assert found["steps"][1]["argv"] == ["uv", "pip", "uninstall", "--python", str(prefix), "extra"]
    assert [step["kind"] for step in found["steps"]] == ["set aside", "remove", "install"]
    assert (site(prefix) / "~umpy").is_dir()
    found = data(fix(shop, prefix, "--json", "--yes"))
    assert (found["carried_out"], found["left"]) == (True, [])
    assert (prefix / "set-aside" / "~umpy").is_dir()


def test_a_dry_run_runs_no_command_of_the_profile(copied: tuple[Shop, Path], tmp_path: Path) -> None:
    shop, prefix = copied
    marker = tmp_path / "ran"
    profile = shop.project.root / "profiles" / "small.toml"
    before = profile.read_text("utf-8")
    command = rf"import pathlib; pathlib.Path(\"{marker}\").touch()"
    profile.write_text(before.replace("import beside'", f"{command}'"), "utf-8")
    try:
        ran = fix(shop, prefix, "--dry-run")
        assert (ran.status, marker.exists()) == (0, False), ran.said
        assert fix(shop, prefix, "--yes", "--trust").status == 0
        assert marker.exists()
    finally:
        profile.write_text(before, "utf-8")


def test_what_has_no_cure_is_told_as_left(copied: tuple[Shop, Path]) -> None:
    shop, prefix = copied
    shutil.rmtree(site(prefix) / "beside-1.0.dist-info")
    place = shop.project.root / "torch.py"
    place.write_text("", "utf-8")
    try:
        ran = fix(shop, prefix, "--yes")
    finally:
        place.unlink()
    assert ran.status == 1
    assert "manual    ENV068 torch" in ran.out
    assert "1 finding left" in ran.out
    assert "ENV010" not in ran.out.rpartition("left in")[2]


def test_without_a_lock_one_of_a_family_stays_and_what_is_broken_comes_again(tmp_path: Path) -> None:
    shop = Shop.opened(tmp_path)
    wheels = [
        made("opencv-python", "4.11.0.86", {"cv2/__init__.py": b"with windows"}),
        made("opencv-python-headless", "4.11.0.86", {"cv2/__init__.py": b"without"}),
        made("beside"),
    ]
    shop.stock(*wheels)
    shop.lock(*wheels[1:])
    assert shop.install().status == 0
    prefix = tmp_path / "env"
    shutil.copytree(shop.link.resolve(), prefix, symlinks=True)
    (prefix / "envsmith.json").unlink(missing_ok=True)
    shutil.rmtree(shop.project.root / "lockfiles")
    write_distribution(
        site(prefix), "opencv-python", {"cv2/__init__.py": b"with windows"}, version="4.11.0.86"
    )
    (site(prefix) / "beside/__init__.py").unlink()
    ran = fix(shop, prefix, "--yes")
    assert ran.status == 0, ran.said
    assert "which has no lock" in ran.out
    assert "remove     opencv-python, opencv-python-headless" in ran.out
    assert "install    beside==1.0, opencv-python-headless==4.11.0.86" in ran.out
    assert (site(prefix) / "cv2/__init__.py").read_bytes() == b"without"
    assert (site(prefix) / "beside/__init__.py").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--yes",), "require --fix"),
        (("--dry-run",), "require --fix"),
        (("--fix", "--", "python"), "cannot be combined with checks"),
        (("--fix", "nothing"), "unknown check `nothing`"),
    ],
)
def test_words_that_do_not_go_together(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    ran = Shop.opened(tmp_path).project.run("doctor", *words)
    assert (ran.status, told in ran.said) == (2, True), ran.said


def test_where_there_is_no_environment(tmp_path: Path) -> None:
    ran = Shop.opened(tmp_path).project.run("doctor", "--fix", "--yes")
    assert (ran.status, "ENV050" in ran.said) == (2, True), ran.said
