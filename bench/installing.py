"""Environments: rollback, an install with nothing to do and ``--deep``, beside uv and sha256sum on the same files.

What is fair: ``uv pip sync`` makes the change that rollback makes, between two locks that its cache holds unpacked, in
an environment in place, and without another look at the network, for pylocks have addresses. Nothing to do is asked of
both about the same environment and lock; envsmith remembers that the lock is current, and sees when that must be looked
into again. For this one envsmith is installed as its users do it, from PyPI what it needs: finding the modules of an
editable install takes as long as the whole answer.
``--deep`` reads what ``sha256sum`` reads: the files that the RECORDs name.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path

from bench.measure import Comparison, alternate, seconds
from bench.resolving import envsmith
from envsmith.uv.command import find_uv
from tests.install.locked import locked_shop
from tests.install.made import NO_ADDRESS, Shop, made, made_torch

_ROOT = Path(__file__).parents[1]
# Lists and hashes the files of an environment, as `verify --deep` does.
_HASH = """\
import sys
from pathlib import Path
from envsmith.environment.interpreter import Probe
from envsmith.process.runner import Processes
Probe(processes=Processes()).environment(Path(sys.argv[1]), deep=True)
"""
_MANY, _LARGE = 4000, 60_000_000


def compare(folder: Path, env: Mapping[str, str], times: int) -> Iterator[Comparison]:
    """Measure all three."""
    if sys.platform != "linux":
        return
    shop = Shop.opened(folder / "install")
    env = {**env, "UV_CACHE_DIR": shop.project.env["UV_CACHE_DIR"], "UV_PYTHON_DOWNLOADS": "never"}
    pylocks = [_installed(shop, number) for number in (1, 2)]
    yield _rollback(shop, pylocks, env, times)
    yield _deep(shop, env, times)
    yield _idle(folder / "idle", times)


def _installed(shop: Shop, number: int) -> Path:
    """Build the nth state, and return a copy of its pylock that uv finds the files by."""
    many = {f"many/m{item:05}.py": b"x = %d\n" % (item + number) for item in range(_MANY)}
    torch = made_torch(f"2.{number}.0+cpu", more=bytes([number]) * _LARGE)
    wheels = (torch, made("many", f"1.{number}", many))
    shop.stock(*wheels)
    slug = shop.lock(*wheels)
    ran = shop.install()
    if ran.status:
        raise RuntimeError(ran.said)
    lock = (shop.project.root / "lockfiles" / "small" / f"pylock.{slug}.toml").read_text("utf-8")
    pylock = shop.project.root / f"pylock.state{number}.toml"
    pylock.write_text(lock.replace(NO_ADDRESS, shop.wheelhouse.as_uri()), "utf-8")
    return pylock


def _rollback(shop: Shop, pylocks: list[Path], env: Mapping[str, str], times: int) -> Comparison:
    root = shop.project.root
    uv: list[str | Path] = [find_uv(), "--no-config"]
    seconds([*uv, "venv", "--no-project", "--python", sys.executable, "theirs"], root, env)
    sync: list[str | Path] = [
        *uv,
        "pip",
        "sync",
        "--quiet",
        "--preview-features",
        "pylock",
        "--python",
        "theirs",
    ]
    for pylock in pylocks:
        seconds([*sync, pylock], root, env)
    turns = cycle(pylocks)
    mine, their = alternate(
        partial(seconds, [envsmith(), "rollback"], root, env),
        lambda: seconds([*sync, next(turns)], root, env),
        times,
    )
    return Comparison(
        name="rollback : uv pip sync doing the same", ours=mine, theirs=their, unit="s", bound=1.0,
        note=f"{_MANY} small files and {_LARGE // 10**6} MB change",
    )  # fmt: skip


def _deep(shop: Shop, env: Mapping[str, str], times: int) -> Comparison:
    root, prefix = shop.project.root, (shop.project.root / ".venv").resolve()
    listed = root / "files"
    found = (path for path in prefix.glob("lib/*/site-packages/*/**/*") if path.is_file())
    listed.write_text("\0".join(str(path) for path in found if "__pycache__" not in path.parts), "utf-8")
    script = f"xargs -0 {shutil.which('sha256sum')} < {listed} > {root / 'sums'}"
    probe: list[str | Path] = [sys.executable, "-c", _HASH, prefix]
    mine, their = alternate(
        partial(seconds, probe, root, env), partial(seconds, ["sh", "-c", script], root, env), times
    )
    return Comparison(
        name="proof by hash : sha256sum of the files", ours=mine, theirs=their, unit="s", bound=2.0
    )


def _idle(folder: Path, times: int) -> Comparison:
    with locked_shop(folder) as shop:
        root = shop.project.root
        env = {**shop.project.environ(), "PYTHONDONTWRITEBYTECODE": ""}
        words: list[str | Path] = ["install", "own", "--offline", "--wheelhouse", shop.wheelhouse]
        ours = _installed_command(folder / "tool", env)
        seconds([ours, *words], root, env)
        (pylock,) = (root / "lockfiles" / "own").glob("pylock.*.toml")
        uv: list[str | Path] = [
            find_uv(),
            "--no-config",
            "pip",
            "sync",
            "--quiet",
            "--preview-features",
            "pylock",
        ]
        mine, their = alternate(
            partial(seconds, [ours, *words], root, env),
            partial(seconds, [*uv, "--offline", "--python", ".venv", pylock], root, env),
            times,
        )
    return Comparison(
        name="install, nothing to do : uv pip sync", ours=mine, theirs=their, unit="s", bound=2.0
    )


def _installed_command(tool: Path, env: Mapping[str, str]) -> Path:
    """Install a copy of envsmith into an environment of its own, and return its command."""
    source = tool.with_name("source")
    for name in ("envsmith", "profiles"):
        shutil.copytree(_ROOT / name, source / name)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(_ROOT / name, source)
    uv: list[str | Path] = [find_uv(), "--no-config"]
    seconds([*uv, "venv", "--quiet", "--no-project", "--python", sys.executable, tool], tool.parent, env)
    python = tool / "bin" / "python"
    seconds(
        [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, source],
        tool.parent,
        env,
    )
    return python.with_name("envsmith")
