"""Back and forth between environments that are there, as people do it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.install.made import Shop, made, made_torch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at symbolic links and bin/")


def state(folder: Path) -> dict[str, tuple[str, int, str]]:
    """Return what lies in a folder: kind, mode and content of everything."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", 0, str(path.readlink()))
        elif path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = ("file", path.stat().st_mode, digest)
        else:
            found[name] = ("folder", path.stat().st_mode, "")
    return found


def test_what_others_made_is_moved_aside_and_restored_byte_for_byte(shop: Shop) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", shop.link], check=True)
    (site,) = shop.link.glob("lib/*/site-packages")
    (site / "theirs.py").write_text("kept = True\n", "utf-8")
    (shop.link / "notes.txt").write_text("mine", "utf-8")
    (shop.link / "notes.txt").chmod(0o640)
    before = state(shop.link)
    assert len(before) > 10
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert "moved     .venv was not managed by envsmith: moved to .envsmith/aside/.venv-" in ran.out
    assert shop.link.is_symlink()
    back = shop.project.run("rollback")
    assert back.status == 0, back.said
    assert not shop.link.is_symlink()
    assert state(shop.link) == before
    python = shop.link / "bin" / "python"
    assert subprocess.run([python, "-c", "import theirs"], check=False).returncode == 0
    assert shop.project.run("rollback").status == 0
    assert shop.link.is_symlink()


def test_rollback_returns_to_the_one_before(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    shop.install()
    new = shop.current()
    ran = shop.project.run("rollback")
    assert ran.status == 0, ran.said
    assert shop.current() == old
    assert f"before: {new}" in ran.out
    assert shop.project.run("rollback", new).status == 0
    assert shop.current() == new


def test_a_second_generation_costs_little_and_is_told(shop: Shop) -> None:
    first = made_torch("2.19.0+cpu", more=b"x" * 3_000_000)
    second = made_torch("2.20.0+cpu", more=b"y" * 3_000_000)
    shop.stock(first, second)
    for torch in (first, second):
        shop.lock(torch)
        assert shop.install().status == 0
    found = json.loads(shop.project.run("generations", "--json").out)["data"]["generations"]
    assert [item["is_current"] for item in found] == [False, True]
    assert all(item["shared_bytes"] > 3_000_000 for item in found)
    assert all(item["own_bytes"] < 500_000 for item in found)


def test_old_ones_are_removed_on_request(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    shop.install()
    ran = shop.project.run("generations", "--keep", "1")
    assert ran.status == 0, ran.said
    assert f"removed   {old}" in ran.out
    assert shop.names() == [shop.current()]
    assert shop.project.run("rollback").status == 2


def test_a_link_of_the_users_own_is_moved_aside_as_one(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shared-env").mkdir()
    shop.link.symlink_to(tmp_path / "shared-env")
    assert shop.install().status == 0
    assert shop.project.run("rollback").status == 0
    assert shop.link.readlink() == tmp_path / "shared-env"


@pytest.mark.parametrize("name", [".", "data"])
def test_what_is_no_environment_is_not_moved_aside(shop: Shop, name: str) -> None:
    (shop.project.root / "data").mkdir()
    (shop.project.root / "data" / "results.csv").write_text("1", "utf-8")
    before = state(shop.project.root / "data")
    ran = shop.install("--prefix", name)
    assert (ran.status, "ENV032" in ran.err) == (2, True), ran.said
    assert state(shop.project.root / "data") == before
    assert not shop.link.exists()


def test_another_place_is_named_where_rollback_is(shop: Shop) -> None:
    shop.install("--prefix", "other env")
    shop.lock(made_torch("2.20.0+cpu"))
    ran = shop.install("--prefix", "other env")
    assert "`envsmith rollback --prefix 'other env'` returns to it" in ran.said


def test_one_that_was_built_before_is_proved_before_it_is_current_again(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    (file,) = (shop.generations / old).glob("lib/*/site-packages/beside/__init__.py")
    file.unlink()
    shop.link.unlink()
    ran = shop.install()
    assert ran.status == 0, ran.said
    assert shop.current() != old, "built again, because a file of the first is missing"


def test_one_that_is_damaged_is_not_returned_to_unless_that_is_wanted(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    shop.install()
    new = shop.current()
    for there_and_back in range(2):
        assert shop.project.run("rollback").status == 0, there_and_back
    (file,) = (shop.generations / old).glob("lib/*/site-packages/beside/__init__.py")
    file.unlink()
    ran = shop.project.run("rollback")
    assert (ran.status, "ENV034" in ran.said) == (2, True), ran.said
    assert "beside/__init__.py" in ran.said
    assert shop.current() == new
    assert shop.project.run("rollback", "--force").status == 0
    assert shop.current() == old


def test_a_session_of_another_profile_is_refused(shop: Shop) -> None:
    shop.install()
    ran = shop.project.run("run", "cu130", "--", "true")
    assert (ran.status, "ENV056" in ran.err) == (2, True), ran.said
    assert shop.project.run("env", "cu130").status == 2
    assert shop.project.run("activate", "cu130", "--shell", "bash").status == 2
    assert shop.project.run("run", "small", "--", "true").status == 0


def test_the_environment_that_envsmith_runs_in_stays(shop: Shop) -> None:
    """As where people make a .venv, put envsmith into it, and call it there."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", shop.link], check=True)
    (site,) = shop.link.glob("lib/*/site-packages")
    mine = [Path(__file__).parents[2], *(path for path in sys.path if path.endswith("site-packages"))]
    (site / "envsmith.pth").write_text("".join(f"{path}\n" for path in mine), "utf-8")
    before = state(shop.link)
    words = (
        [shop.link / "bin" / "python", "-m", "envsmith", *rest]
        for rest in (("install", "any"), ("rollback",))
    )
    for command in words:
        done = subprocess.run(
            command,
            cwd=shop.project.root,
            env=shop.project.environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "ENV033" in done.stderr) == (2, True), done.stderr
    assert state(shop.link) == before


def test_a_project_that_was_moved_gets_an_environment_where_it_lies(tmp_path: Path) -> None:
    shop = Shop.opened(tmp_path)
    named = {"tool/__init__.py": b"def main(): print('here')\n"}
    named["tool-1.0.dist-info/entry_points.txt"] = b"[console_scripts]\ntool = tool:main\n"
    wheel = made("tool", "1.0", named)
    shop.stock(wheel)
    shop.lock(wheel)
    shop.project.profile("small", backend="cpu", python=["3.11"], platforms=["linux"], requirements=["tool"])
    assert shop.install().status == 0
    moved = shop.project.root.rename(tmp_path / "moved")
    there = Shop(project=replace(shop.project, root=moved), wheelhouse=shop.wheelhouse)
    ran = there.project.run("verify")
    assert (ran.status, "ENV079 tool starts" in ran.said) == (1, True), ran.said
    assert "ENV079" in there.project.run("doctor", "broken").said
    ran = there.install()
    assert (ran.status, "verified" in ran.said) == (0, True), ran.said
    assert there.project.run("verify").status == 0
    done = subprocess.run([there.link / "bin" / "tool"], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "here\n")
    assert "nothing to do" in there.install().said
