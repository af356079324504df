"""Each option of `envsmith lock`: later commands without it find a current lock, and change nothing."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from envsmith.cli.main import main
from envsmith.host.current import this_python
from envsmith.lock.cli import lock_command
from tests.index_recording import Recording
from tests.index_server import INDEX_HOST, IndexReplay
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

HERE = str(this_python())
OTHER = "3.12" if HERE != "3.12" else "3.13"
PYPROJECT = """
[project]
name = "app"
version = "1"
dependencies = ["base-lib", "torch"]
[project.optional-dependencies]
ml = ["ml-lib"]
web = ["web-lib"]
[dependency-groups]
dev = ["dev-lib"]
docs = ["docs-lib"]
[tool.envsmith]
default-profiles = ["own"]
groups = ["dev"]
"""
LIBRARIES = ("base-lib", "ml-lib", "web-lib", "dev-lib", "docs-lib", "filelock")
BACKEND = "cu134"


@dataclass(frozen=True, kw_only=True)
class Row:
    """An option with its value, and what the lock holds with it."""

    words: tuple[str, ...]
    packages: frozenset[str] = frozenset({"base-lib", "dev-lib", "torch", "filelock"})
    versions: tuple[str, ...] = (f"torch==2.20.0+{BACKEND}", "base-lib==2.0")
    targets: tuple[int, int] = (2, 2)
    """Number of those of a first lock, and after an earlier one without the option."""
    again: tuple[str, ...] = ()
    """What later commands are given, too: it says where the locks are, or how they are printed."""
    writes: bool = True


def row(*words: str, more: tuple[str, ...] = (), less: tuple[str, ...] = (), **values: object) -> Row:
    return replace(Row(words=words, **values), packages=Row.packages - {*less} | {*more})  # type: ignore[arg-type]


ROWS = {
    "-r": row("-r", "listed.in", more=("ml-lib",), less=("dev-lib",)),
    "--extra": row("--extra", "ml", more=("ml-lib",)),
    "--all-extras": row("--all-extras", more=("ml-lib", "web-lib")),
    "--group": row("--group", "docs", more=("docs-lib",)),
    "--all-groups": row("--all-groups", more=("docs-lib",)),
    "--no-default-groups": row("--no-default-groups", less=("dev-lib",)),
    "--python": row("--python", HERE, targets=(1, 2)),
    "--platform": row("--platform", "linux", "--platform", "windows", targets=(4, 4)),
    "--backend": row("--backend", "cpu", versions=("torch==2.20.0+cpu", "base-lib==2.0")),
    "--as-of": row("--as-of", "2026-10-01", versions=(f"torch==2.19.0+{BACKEND}", "base-lib==1.0")),
    "--catalog": row("--catalog", "live"),
    "--index-base": row("--index-base", "{base}"),
    "--accept-changed": row("--accept-changed", "torch-2.20.0+cpu-cp312-cp312-win_amd64.whl"),
    "--allow-insecure-host": row("--allow-insecure-host", "127.0.0.1"),
    "--offline": row("--offline"),
    "--upgrade": row("--upgrade"),
    "-P": row("-P", "base-lib"),
    # The first has none of the packages; the second is PyPI's own address.
    "--index": row("--index", "own={base}"),
    "--default-index": row("--default-index", f"https://{INDEX_HOST}/simple"),
    "--allow-sdist": row(
        "--allow-sdist", "source-only", "-r", "source.in", more=("source-only",), less=("dev-lib",)
    ),
    "--given-python": row("--given-python", "python3"),  # the profile has no `given`
    "--allow-build": row("--allow-build", "base-lib"),
    "--no-project": row("--no-project"),
    "--trust": row("--trust"),
    "--check": row("--check", writes=False),
    "--savings": row("--savings"),
    "--dry-run": row("--dry-run", writes=False),
    "-o": row("-o", "elsewhere", again=("-o", "elsewhere")),
    "-j": row("-j", "1"),
    "--json": row("--json"),
}


def test_each_option_has_a_row() -> None:
    options = {max(item.opts, key=len) for item in lock_command.params if item.param_type_name == "option"}
    assert set(ROWS) == options


def recording() -> Recording:
    """Return the index of the project's libraries."""
    found = Recording(recorded="made up", absent=["torch"])
    for name in LIBRARIES:
        found.add(name, "1.0", tags="py3-none-any")
    found.add("base-lib", "2.0", uploaded="2026-11-05T00:00:00Z")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        text = b"Metadata-Version: 2.2\nName: source-only\nVersion: 1.0\n"
        entry = tarfile.TarInfo("source_only-1.0/PKG-INFO")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    path = "/packages/source_only-1.0.tar.gz"
    found.files[path] = archive.getvalue()
    found.projects["source-only"] = [
        {
            "filename": path.rpartition("/")[2],
            "hashes": {"sha256": sha256(archive.getvalue()).hexdigest()},
            "size": len(archive.getvalue()),
            "upload-time": "2026-01-01T00:00:00Z",
            "url": path,
        }
    ]
    return found


def torches() -> Iterator[ReplayFile]:
    """Yield the files of PyTorch's index."""
    for version, month in (("2.19.0", "09"), ("2.20.0", "11")):
        for backend in (BACKEND, "cpu"):
            for python in (HERE, OTHER):
                tag = f"cp{python.replace('.', '')}"
                for platform in ("manylinux_2_28_x86_64", "win_amd64"):
                    tags = f"{tag}-{tag}-{platform}"
                    made = ReplayFile.made("torch", f"{version}+{backend}", tags, ["filelock"], index=backend)
                    yield replace(made, upload_time=f"2026-{month}-01T12:00:00Z")


def write_project(root: Path) -> None:
    (root / "profiles").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "profiles/own.toml").write_text(
        f'summary = "own"\nbackend = "{BACKEND}"\npython = ["{HERE}", "{OTHER}"]\nplatforms = ["linux"]\n'
        'requirements = ["torch"]\n'
    )
    (root / "listed.in").write_text("torch\nbase-lib\nml-lib\n")
    (root / "source.in").write_text("torch\nbase-lib\nsource-only\n")


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Both indexes, and a project that was locked from them without options."""

    pytorch: ReplayIndex
    locked: Path


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Serve both indexes, with all that is asked of them in the caches."""
    folder = tmp_path_factory.mktemp("options")
    write_project(folder / "project")
    with ReplayIndex(torches()) as pytorch, IndexReplay(recording(), adds_sidecars=True) as index:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in index.environ(cache=folder / "uv").items():
                patch.setenv(name, value)
            patch.setenv("ENVSMITH_CACHE_DIR", str(folder / "cache"))
            patch.setenv("ENVSMITH_PYTORCH_INDEX", pytorch.base)
            with patch.context() as inside:
                inside.chdir(folder / "project")
                assert main(["lock", "--all-extras", "--all-groups"]) == 0
                shutil.rmtree("lockfiles")
                assert main(["lock"]) == 0
            yield Servers(pytorch=pytorch, locked=folder / "project")
        assert not index.missed


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def locked(found: dict[str, bytes], folder: str) -> tuple[int, set[str]]:
    """Return the number of targets, and the pins of the first."""
    start = f"{folder}/own/requirements."
    texts = [data.decode() for name, data in sorted(found.items()) if name.startswith(start)]
    return len(texts), {line.split()[0] for line in texts[0].splitlines() if "==" in line}


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
@pytest.mark.parametrize("name", ROWS)
def test_later_commands_without_the_option_find_the_lock_current(
    name: str,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    is_first: bool,
) -> None:
    row, app = ROWS[name], tmp_path / "app"
    words = [word.format(base=servers.pytorch.base) for word in row.words]
    shutil.copytree(servers.locked, app)
    if is_first:
        shutil.rmtree(app / "lockfiles")
    monkeypatch.chdir(app)
    before = tree(app)
    status = main(["lock", *words])
    assert status == (1 if name == "--check" and is_first else 0), capfd.readouterr()
    after = tree(app)
    if not row.writes:
        assert after == before
        return
    targets, pins = locked(after, row.again[-1] if row.again else "lockfiles")
    assert targets == row.targets[not is_first]
    assert {pin.split("==")[0] for pin in pins} == row.packages
    assert pins >= {*row.versions}
    for later in (["lock", "--check"], ["lock"], ["install", "--dry-run"]):
        capfd.readouterr()
        status = main([*later, *row.again])
        assert status == 0, (later, capfd.readouterr())
        assert tree(app) == after, later
