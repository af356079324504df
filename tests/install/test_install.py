"""Install as people do it: built beside what is there, proved, switched to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.made import Shop, made, made_torch

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at symbolic links and bin/")
pytestmark = linux


def says(shop: Shop, code: str) -> str:
    """Return what a line of Python prints in the current environment."""
    done = subprocess.run([shop.python(), "-c", code], capture_output=True, encoding="utf-8", check=True)
    return done.stdout.strip()


def test_the_lock_becomes_the_current_environment(shop: Shop) -> None:
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert (
        says(shop, "import torch, beside; print(torch.__version__, beside.__version__)") == "2.19.0+cpu 1.0"
    )
    fetched, verified, size, current = ran.out.splitlines()
    assert fetched.startswith("fetched   2 of 2 packages (1")
    assert verified.startswith("verified  2 packages · ")
    assert size.startswith("size      ")
    assert "torch 2.19.0+cpu imports (" in ran.out
    assert current == f"current   .venv → {shop.current()}"
    assert shop.names() == [shop.current()]


def test_a_second_time_there_is_nothing_to_do(shop: Shop) -> None:
    shop.install()
    before = shop.current()
    ran = shop.install("--json")
    assert ran.status == 0, ran.said
    assert json.loads(ran.out)["data"]["how"] == "unchanged"
    assert shop.names() == [before]


def test_another_lock_is_built_beside_and_the_old_one_stays(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert says(shop, "import torch; print(torch.__version__)") == "2.20.0+cpu"
    assert f"(before: {old}; `envsmith rollback` returns to it)" in ran.out
    assert shop.names() == sorted([old, shop.current()])
    assert (shop.generations / old / "bin" / "python").exists()


def test_a_lock_built_before_is_switched_to_without_building(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    shop.install()
    shop.lock(made_torch("2.19.0+cpu"), made("beside"))
    for path in shop.wheelhouse.iterdir():
        path.unlink()
    ran = shop.install("--json")
    assert json.loads(ran.out)["data"]["how"] == "switched", ran.said
    assert shop.current() == old


def test_what_was_changed_by_hand_is_built_anew_and_left_as_it_is(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    (extra,) = shop.generations.glob(f"{old}/lib/*/site-packages")
    (extra / "foreign-1.0.dist-info").mkdir()
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert shop.current() != old
    assert (extra / "foreign-1.0.dist-info").is_dir()


def test_deep_finds_a_damaged_file_of_the_current_environment(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    (file,) = shop.generations.glob(f"{old}/lib/*/site-packages/torch/lib/libtorch.so")
    body = file.read_bytes()
    file.unlink()  # never through the link: the bytes are shared with uv's cache
    file.write_bytes(body[:-1] + b"!")
    assert shop.install().status == 0
    assert shop.current() == old, "not looked at without --deep"
    assert shop.install("--deep").status == 0
    assert shop.current() != old
    assert (shop.link / file.relative_to(shop.generations / old)).read_bytes() == body


def test_a_build_that_is_not_the_plans_never_becomes_current(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    wrong = made_torch("2.20.0+cu134", cuda="13.3")
    shop.stock(wrong)
    shop.lock(wrong, backend="cu134")
    ran = shop.install()
    assert ran.status == 2, ran.said
    assert "ENV001" in ran.err
    assert "ENV016" in ran.err
    assert "torch was built for CUDA 13.3; the lock is for CUDA 13.4" in ran.said
    assert shop.current() == old
    (failed,) = (name for name in shop.names() if name != old)
    assert (shop.generations / failed / "envsmith-failed").is_file()
    assert failed in ran.err


def test_an_import_that_fails_is_told_with_its_cause(shop: Shop) -> None:
    broken = made("beside", "2.0", {"beside/__init__.py": b"raise OSError('no such library')\n"})
    shop.stock(broken)
    shop.lock(broken)
    shop.project.profile("small", backend="cpu", python=["3.11"], platforms=["linux"])
    with (shop.project.root / "profiles/small.toml").open("a", encoding="utf-8") as stream:
        stream.write('checks = [{import = "beside"}]\n')
    ran = shop.install()
    assert ran.status == 2, ran.said
    assert "import beside fails: OSError: no such library" in ran.said
    assert not shop.link.exists()


def test_a_wheel_with_other_bytes_is_refused(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    shop.stock(made_torch("2.20.0+cpu", more=b"x" * 16384))
    ran = shop.install()
    assert ran.status == 2, ran.said
    assert "ENV022" in ran.err
    assert shop.names() == [old]


def test_a_missing_wheel_is_told(shop: Shop) -> None:
    for path in shop.wheelhouse.glob("beside-*"):
        path.unlink()
    ran = shop.install()
    assert ran.status == 2, ran.said
    assert "beside" in ran.err
    assert not shop.link.exists()
    assert shop.names() == []


def test_the_guard_lies_in_the_environment_unless_it_is_not_wanted(shop: Shop) -> None:
    shop.install()
    assert (shop.link / "envsmith-constraints.txt").read_text("utf-8") == "torch==2.19.0+cpu\n"
    assert shop.install("--no-guard").status == 0
    assert not (shop.link / "envsmith-constraints.txt").exists()


def test_a_lock_for_other_machines_is_refused_with_those_there_are(shop: Shop) -> None:
    shop.lock(made("beside"), slugs=("cp39-win_amd64", "cp310-macosx_14_0_arm64"))
    ran = shop.install()
    assert ran.status == 1, ran.said
    assert "LCK004" in ran.err
    assert "cp39-win_amd64" in ran.err
    assert "cp310-macosx_14_0_arm64" in ran.err


def test_a_python_that_is_not_there_is_told(shop: Shop) -> None:
    ran = shop.install("--python", "3.99")
    assert ran.status == 2, ran.said
    assert "ENV002" in ran.err


def test_the_environment_may_lie_elsewhere(shop: Shop, tmp_path: Path) -> None:
    ran = shop.install("--prefix", str(tmp_path / "elsewhere" / "env"))
    assert ran.status == 0, ran.said
    python = tmp_path / "elsewhere" / "env" / "bin" / "python"
    assert subprocess.run([python, "-c", "import torch"], check=False).returncode == 0
    assert not os.path.lexists(shop.link)


def test_without_a_name_the_only_lock_is_taken(shop: Shop) -> None:
    words = ("--frozen", "--offline", "--wheelhouse", str(shop.wheelhouse))
    assert shop.project.run("install", *words).status == 0
    shop.lock(made("beside"), profile="other")
    # It holds no torch: it can be had by its name, but no machine decides for it.
    ran = shop.project.run("install", *words)
    assert ran.status == 0, ran.said
    assert "choice small · cpu" in ran.said
    assert shop.project.run("install", "other", *words).status == 0


def test_the_environment_has_its_own_activation_scripts(shop: Shop) -> None:
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert [path.name for path in (shop.link / "envsmith-profile").iterdir()] == ["small"]
    for name in ("activate", "activate.sh"):
        script = f'. ./.venv/bin/{name} && printf "%s|%s|%s" "$VIRTUAL_ENV" "$PIP_CONSTRAINT" "$(command -v python)"'
        done = subprocess.run(
            ["sh", "-c", script], cwd=shop.project.root, env=shop.project.environ(), capture_output=True,
            encoding="utf-8", check=True,
        )  # fmt: skip
        link = shop.project.root / ".venv"
        assert done.stdout == f"{link}|{link}/envsmith-constraints.txt|{link}/bin/python"
    if shutil.which("tcsh"):
        done = subprocess.run(
            ["tcsh", "-f", "-c", "source .venv/bin/activate.csh; echo $VIRTUAL_ENV"], cwd=shop.project.root,
            env={**shop.project.environ(), "ENVSMITH_QUIET": "1"}, capture_output=True, encoding="utf-8", check=True,
        )  # fmt: skip
        assert done.stdout == f"{shop.project.root / '.venv'}\n", "not the generation that it points to"
    for name in ("fish", "csh", "nu", "xsh", "ps1", "bat"):
        assert "envsmith" in (shop.project.root / ".venv" / "bin" / f"activate.{name}").read_text("utf-8")


def test_careless_wheels_that_share_tests_and_licences_are_installed_and_found_well(tmp_path: Path) -> None:
    shop = Shop.opened(tmp_path)
    wheels = [
        made(name, "1.0", {f"{name}/__init__.py": b"", "tests/__init__.py": text, "LICENSE": text})
        for name, text in (("first", b"one"), ("second", b"other"))
    ]
    shop.stock(*wheels)
    shop.lock(*wheels)
    shop.project.profile("small", backend="cpu", python=["3.11"], platforms=["linux"], requirements=["first"])
    ran = shop.install("--deep")
    assert ran.status == 0, ran.said
    ran = shop.project.run("verify", "--deep")
    assert ran.status == 0, ran.said
