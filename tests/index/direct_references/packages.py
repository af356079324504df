"""Packages with a build backend of their own, so that a build needs no network; repositories and archives of them."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

BACKEND = """
import base64, hashlib, pathlib, re, tomllib, zipfile

WHEEL = ["Wheel-Version: 1.0", "Generator: tiny", "Root-Is-Purelib: true", "Tag: py3-none-any", ""]

def _build(folder, editable):
    data = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    name, version = data["name"].replace("-", "_"), data.get("version", "7.0")
    stem = f"{name}-{version}"
    lines = ["Metadata-Version: 2.1", f"Name: {data['name']}", f"Version: {version}"]
    lines += [f"Requires-Dist: {text}" for text in data.get("dependencies", [])]
    for extra, texts in data.get("optional-dependencies", {}).items():
        lines += [f"Provides-Extra: {extra}", *(f'Requires-Dist: {text}; extra == "{extra}"' for text in texts)]
    held = {f"{stem}.dist-info/METADATA": "\\n".join(lines) + "\\n",
            f"{stem}.dist-info/WHEEL": "\\n".join(WHEEL)}
    here = pathlib.Path.cwd()
    if editable:
        held[f"{name}.pth"] = f"{here}\\n"
    else:
        held[f"{name}.py"] = (here / f"{name}.py").read_text()
    rows = []
    for path, text in held.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    held[f"{stem}.dist-info/RECORD"] = "\\n".join([*rows, f"{stem}.dist-info/RECORD,,", ""])
    filename = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / filename, "w") as archive:
        for path, text in held.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
    return filename

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return _build(folder, False)

def build_editable(folder, config_settings=None, metadata_directory=None):
    return _build(folder, True)
"""
HEAD = '[build-system]\nrequires = []\nbuild-backend = "tiny"\nbackend-path = ["."]\n'


def make_package(
    folder: Path,
    name: str,
    version: str = "1.0",
    requires: Sequence[str] = (),
    more: str = "",
    module: str = "",
) -> Path:
    """Write the sources of a package with one module."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f'"{text}"' for text in requires)
    said = f'version = "{version}"' if version else 'dynamic = ["version"]'
    text = f'{HEAD}[project]\nname = "{name}"\n{said}\ndependencies = [{listed}]\n{more}'
    (folder / "pyproject.toml").write_text(text, "utf-8")
    (folder / "tiny.py").write_text(BACKEND, "utf-8")
    (folder / f"{name.replace('-', '_')}.py").write_text(module or f"version = {version!r}\n", "utf-8")
    return folder


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, without the user's settings."""
    who = {f"GIT_{role}_{key}": "test" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def make_repository(folder: Path) -> str:
    """Make the folder of a package a repository with one commit on `main`, served by a plain file server, too."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    return commit(folder)


def commit(folder: Path) -> str:
    """Commit everything, and return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one more")
    git(folder, "update-server-info")
    return git(folder, "rev-parse", "HEAD")


def make_archive(folder: Path, top: str) -> bytes:
    """Return a .tar.gz with the files of a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and ".git" not in path.parts:
                archive.add(path, f"{top}/{path.relative_to(folder).as_posix()}")
    return buffer.getvalue()
