"""The commands of envsmith under a Windows CPython and Wine; junctions are emulated (`tests/windows/junctions.py`).

Wine shows neither PowerShell nor real junctions, nor that open files stay; for long paths see `test_paths.py`.
"""

from __future__ import annotations

import json

import pytest

from tests.install.made import Shop, made, made_torch
from tests.install.serving import served
from tests.windows.conftest import Drive

TORCH = made_torch("2.20.0+cpu")


@pytest.fixture
def installed(shop: Shop) -> Shop:
    """A shop whose first environment is installed, from the wheelhouse."""
    shop.stock(TORCH, made("beside"))
    shop.lock(TORCH, made("beside"))
    ran = shop.install()
    assert ran.status == 0, ran.said
    return shop


def test_an_environment_is_installed_verified_and_entered(installed: Shop, drive: Drive) -> None:
    project, prefix = installed.project, drive.path(installed.link)
    ran = project.run("install", "small", "--frozen", "--offline", "--wheelhouse", str(installed.wheelhouse))
    assert (ran.status, "nothing to do" in ran.out) == (0, True), ran.said
    ran = project.run("verify", "small", "--deep")
    assert ran.status == 0, ran.said
    assert "all hashes compared" in ran.out
    ran = project.run(
        "run", "--", "python", "-c", "import sys, torch; print(ascii(sys.prefix)); raise SystemExit(7)"
    )
    assert (ran.status, ran.out.strip()) == (7, ascii(prefix)), ran.said
    ran = project.run("doctor")
    assert (ran.status, "bug" in ran.said) == (0, False), ran.said

    def printed(*words: str) -> bytes:
        done = drive.run("python.exe", "-m", "envsmith", *words, at=project.root, env=project.environ())
        assert done.returncode == 0, done.stderr
        return done.stdout

    # Texts for programs have the same bytes on every system.
    assert json.loads(printed("env", "--json"))["data"]["set"]["VIRTUAL_ENV"] == prefix
    assert f"VIRTUAL_ENV={prefix}\n".encode() in printed("env")
    line = printed("activate", "--shell", "powershell")
    assert line.isascii()
    assert b"[char]0xac00" in line
    assert b"\r" not in printed("profiles", "show", "cu128") + printed(
        "export", "small", "--format", "constraints"
    )
    assert (installed.link.resolve() / "Scripts" / "activate.ps1").read_bytes().isascii()


def test_generations_and_rollback(installed: Shop) -> None:
    before = installed.current()
    installed.stock(made_torch("2.21.0+cpu"))
    installed.lock(made_torch("2.21.0+cpu"))
    assert installed.install().status == 0
    after = installed.current()
    assert after != before
    ran = installed.project.run("generations", "--json")
    assert [item["id"] for item in json.loads(ran.out)["data"]["generations"]] == [before, after]
    assert installed.project.run("rollback").status == 0
    assert installed.current() == before
    assert installed.project.run("verify", "small").status == 1  # of the other lock
    ran = installed.project.run("generations", "--keep", "1")
    assert ran.status == 0, ran.said


def test_a_changed_file_is_found_and_mended(installed: Shop) -> None:
    project = installed.project
    module = installed.link.resolve() / "Lib/site-packages/beside/__init__.py"
    module.unlink()
    module.write_text("changed", "utf-8")
    ran = project.run("verify", "small", "--deep")
    assert (ran.status, "beside 1.0: 1 of 7 files is changed" in ran.said) == (1, True), ran.said
    # Commands of a profile are split by the rules of a POSIX shell on every system.
    project.profile("small", backend="cpu", python=["3.11"], platforms=["windows"], requirements=["torch"])
    with (project.root / "profiles/small.toml").open("a", encoding="utf-8") as stream:
        stream.write("checks = [{ run = 'python -c \"raise SystemExit(3)\"' }]\n")
    ran = installed.install("--deep", "--trust")
    assert (ran.status, "status 3" in ran.said) == (2, True), ran.said
    (project.root / "profiles/small.toml").unlink()
    ran = installed.install("--deep")
    assert ran.status == 0, ran.said
    assert project.run("verify", "small", "--deep").status == 0


def test_a_wheelhouse_is_downloaded_and_installed(shop: Shop) -> None:
    with served(TORCH) as server:
        shop.lock(TORCH, address=server.address)
        ran = shop.project.run("download", "small", "-d", "house", "--allow-insecure-host", "127.0.0.1")
        assert ran.status == 0, ran.said
    house = shop.project.root / "house"
    assert (house / TORCH.filename).read_bytes() == TORCH.body
    ran = shop.project.run("install", "small", "--frozen", "--offline", "--wheelhouse", "house")
    assert ran.status == 0, ran.said


@pytest.mark.weekly
def test_members_that_are_read_only_are_installed_and_removed(shop: Shop) -> None:
    first, second = (made("beside", version, mode=0o444) for version in ("1.0", "2.0"))
    shop.stock(first, second)
    for wheel in (first, second):
        shop.lock(wheel)
        ran = shop.install()
        assert ran.status == 0, ran.said
    assert shop.project.run("rollback").status == 0
    assert shop.install().status == 0
    module = shop.link / "Lib" / "site-packages" / "beside" / "__init__.py"
    module.chmod(0o644)
    module.unlink()
    assert shop.install("--deep").status == 0
    assert module.read_text("utf-8") == '__version__ = "2.0"\n'
    ran = shop.project.run("generations", "--keep", "1")
    assert (ran.status, shop.names()) == (0, [shop.current()]), ran.said


REFUSED = """
import _winapi, time
from pathlib import Path
from envsmith.errors import ToolError
from envsmith.files import atomic, locks
def refuse(path, *more):
    raise PermissionError(13, "Access is denied", path, 5)
_winapi.CreateFile = refuse
begun = time.monotonic()
print(sorted(atomic.read_files(Path("locks"))))
try:
    atomic.write_files(Path("locks"), {"b": b"new"})
except ToolError as error:
    print(error.code)
try:
    with locks.try_lock(Path("a.lock")):
        pass
except PermissionError as error:
    print(error.winerror)
print(time.monotonic() - begun < 10)
"""


@pytest.mark.weekly
def test_a_folder_that_refuses_files_is_read_and_told_at_once(shop: Shop, drive: Drive) -> None:
    """Simulated: Wine does not enforce the rights of folders."""
    root = shop.project.root
    (root / "locks").mkdir()
    (root / "locks" / "a").write_bytes(b"")
    done = drive.run("python.exe", "-c", REFUSED, at=root, env=shop.project.environ())
    assert done.stdout.decode().split("\r\n")[:4] == ["['a']", "TOL013", "5", "True"], done.stderr


INTERRUPTED = """
import os, signal, sys, threading
from envsmith.process.runner import run_attached
from envsmith.process import signals
signals.EXIT_AFTER_S = 0.5
signals.catch()
signals.at_interrupt(lambda: print("ended", flush=True))
threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()
if sys.argv[1:]:
    sys.exit(run_attached([sys.executable, *sys.argv[1:]], os.environ))
threading.Event().wait(60)
"""


@pytest.mark.weekly
def test_an_interrupt_ends_a_wait_for_threads(shop: Shop, drive: Drive) -> None:
    """Windows calls handlers in a thread of its own, and the wait of the main thread goes on."""
    done = drive.run("python.exe", "-c", INTERRUPTED, at=shop.project.root, env=shop.project.environ())
    assert (done.returncode, done.stdout.split()) == (130, [b"ended"]), done.stderr
    assert b"interrupted" in done.stderr


@pytest.mark.weekly
def test_a_program_of_the_user_decides_about_an_interrupt_itself(shop: Shop, drive: Drive) -> None:
    words = ("-c", INTERRUPTED, "-c", "import time; time.sleep(2); raise SystemExit(7)")
    done = drive.run("python.exe", *words, at=shop.project.root, env=shop.project.environ())
    assert (done.returncode, done.stdout) == (7, b""), done.stderr
