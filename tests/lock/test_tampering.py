"""Every way to change a lock is found by a command that uses what was changed, or changes nothing."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import tomlkit
from packaging.pylock import Pylock
from packaging.version import Version
from pip._internal.models.index import PyPI

from envsmith.catalog import Catalog
from envsmith.cli.main import main
from envsmith.files import atomic
from envsmith.host.current import this_platform, this_python
from envsmith.index.cache import ListingCache, server_name
from envsmith.install.request import InstallRequest, LockedInstall, read_lock, read_lock_folder
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.plan.model import Resolution
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from envsmith.wiring import PYTORCH_BASE, cache_folder
from tests.fakes import FakeResolver
from tests.lock.tampering import CASES, Case, Lock

PROFILE = "mine"
SLUG = f"{this_python().tag}-{this_platform()}"
READ = ("LCK006", "LCK060", "LCK061", "LCK062")


def at_registry(found: Resolution) -> Resolution:
    """Return a resolution with the real host in the URLs of the index's files."""
    pylock = Pylock(lock_version=Version("1.0"), created_by="x", packages=found.packages)
    text = tomlkit.dumps(pylock.to_dict()).replace(
        "https://127.0.0.1:9", f"https://{PyPI.file_storage_domain}/a"
    )
    return replace(found, packages=tuple(Pylock.from_dict(tomllib.loads(text)).packages))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a lock of torch and one more package, and an empty environment."""
    root = tmp_path_factory.mktemp("tampering")
    (root / "profiles").mkdir()
    lines = ("backend = 'cpu'", f"python = ['{this_python()}']", f"platforms = ['{this_platform()}']")
    text = "\n".join(("summary = 'for a test'", "requirements = ['torch>=2.9']", *lines, ""))
    (root / "profiles" / f"{PROFILE}.toml").write_text(text, "utf-8")
    fake = FakeResolver(extra={"torch": ("filelock",)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UvResolver, "resolve", lambda _, plan: at_registry(fake.resolve(plan)))
        patch.setenv("ENVSMITH_CACHE_DIR", str(root / "cache"))
        patch.chdir(root)
        words = ("--catalog", "embedded", "--as-of", "2026-11-20", "--offline")
        assert main(["lock", PROFILE, *words]) == 0
    subprocess.run(
        [find_uv(), "venv", "--quiet", "--no-project", "--python", str(this_python()), root / "env"],
        check=True,
    )
    return root


@pytest.fixture
def project(locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("profiles", "lockfiles"):
        shutil.copytree(locked / name, tmp_path / name)
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(project: Path, case: Case, before: LockedInstall) -> None:
    folder = project / "lockfiles" / PROFILE
    lock = Lock({path.name: path.read_bytes().decode() for path in folder.iterdir()}, SLUG)
    case.change(lock)
    if case.is_redone:
        lock.redo()
    shutil.rmtree(folder)
    folder.mkdir()
    for name, text in lock.files.items():
        (folder / name).write_bytes(text.encode())
    if lock.cached_hash:
        listing = Catalog.embedded().listing("stable", Backend.parse("cpu"))
        assert listing
        text = listing.to_json().replace(before.entry.family["torch"].sha256, lock.cached_hash)
        cache = ListingCache(cache_folder(), server_name(PYTORCH_BASE, PYTORCH_BASE))
        cache.write_listing(IndexListing.from_json(text))


def ran(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main([*words])
    shown = capfd.readouterr()
    return status, shown.out + shown.err


def read() -> LockedInstall:
    request = InstallRequest(
        profile=PROFILE,
        folder=Path("lockfiles") / PROFILE,
        this_platform=this_platform(),
        this_python=this_python(),
    )
    files, manifest = read_lock_folder(request, atomic)
    return read_lock(request, manifest, files, SLUG)


def test_the_lock_is_current_before(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert project.is_dir()
    assert ran(capfd, "lock", PROFILE, "--check") == (0, f"current: {PROFILE}\n")
    status, said = ran(capfd, "export", PROFILE, "--format", "constraints")
    assert status == 0, said
    assert not any(code in ran(capfd, "verify", PROFILE, "--prefix", "env")[1] for code in READ)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_it_is_found_or_changes_nothing(
    case: Case, project: Path, locked: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = read()
    change(project, case, before)
    status, said = ran(capfd, "lock", PROFILE, "--check")
    assert (status != 0) == bool(case.check), said
    assert {code for code in (*case.check.split(), *case.warned.split()) if code not in said} == set(), said
    if not case.read:
        after = read()
        if case.why.startswith("nothing"):
            pins = [
                [(pin.name, pin.version, pin.sha256) for pin in item.pins.packages]
                for item in (before, after)
            ]
            assert pins[0] == pins[1]
            assert (after.entry.env, after.entry.backend) == (before.entry.env, before.entry.backend)
            assert (after.entry.allow_sdist, after.source.sources) == (before.entry.allow_sdist, ())
        elif "install` refuses it as stale" in case.why:
            assert "LCK003" in ran(capfd, "install", PROFILE, "--offline")[1]
        return
    for words in (
        ("install", PROFILE, "--frozen", "--offline"),
        ("verify", PROFILE, "--prefix", str(locked / "env")),
        ("export", PROFILE, "--format", "constraints"),
        ("download", PROFILE, "-d", "wheels"),
    ):
        status, said = ran(capfd, *words)
        assert status != 0
        assert case.read in said, (words, said)
    assert not (project / ".venv").exists()


def test_the_page_has_every_case() -> None:
    """`python -m bench.tampering` writes it again."""
    page = (Path(__file__).parents[2] / "docs/reference/tampering.md").read_text("utf-8")
    for case in CASES:
        assert f"| {case.text} | {case.found} | {case.read or case.why or '-'} |" in page
