"""uv, Poetry, PDM and envsmith at the first command, on the declarations of real projects (tests/first_contact).

``python -m bench.other_tools [CASE…]`` prints the table of docs/reference/benchmarks.md, and on standard error what the
tools said. PyTorch's index is replayed over loopback for all tools; PyPI is asked. Each tool runs in a folder, home
and caches of its own. The cases have no source: a version that only a build tells is written into the project for the
others. PyTorch's index is configured as the documentation of the tool says, for the backend of the case,
and its server in the files of the case is replaced:

- uv: a project gets ``[[tool.uv.index]]`` and ``[tool.uv.sources]``, then ``uv lock``; requirements files go to
  ``uv pip compile --index URL``.
- Poetry: an explicit source for the direct requirements on torch's projects, then ``poetry lock``; requirements files
  go to ``poetry init`` and ``poetry add --lock``.
- PDM: a source with ``include_packages``, then ``pdm lock``; requirements files to ``pdm init`` and ``pdm import``.
- envsmith: the command of the case; ``ENVSMITH_PYTORCH_INDEX`` stands for PyTorch's server.

A first command is right if it ends with exit code 0, locks what the case asks for, and has no wrong build: a
version of torch, torchvision or torchaudio with another build than the backend's on Linux.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import HOST
from envsmith.uv.command import find_uv
from tests.first_contact.test_cases import CASES, PIN, is_satisfied
from tests.replay import ReplayIndex

FAMILY = ("torch", "torchvision", "torchaudio")
LIMIT_S = 240
_INDEXES = {"cosyvoice": "cu121", "index-tts": "cu128", "pyannote-audio": "cpu"}
"""Backends of the cases whose command does not name one."""


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A version in a lock, and the filenames that the lock has for it, if it has any."""

    name: str
    version: str
    files: tuple[str, ...] = ()

    def is_wrong(self, backend: str) -> bool:
        """Return whether it is another build than the backend's, on Linux."""
        is_linux = not self.files or any("linux" in name for name in self.files)
        return self.name in FAMILY and is_linux and self.version.partition("+")[2] != backend


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case, in a folder of its own."""

    folder: Path
    spec: Mapping[str, Any]
    backend: str
    url: str
    """Of PyTorch's index for the backend."""

    @property
    def pyproject(self) -> Path:
        """Its pyproject.toml."""
        return self.folder / "pyproject.toml"

    @property
    def is_file(self) -> bool:
        """Whether the command names a requirements file."""
        return " -r " in self.spec["command"]

    def option(self, name: str, default: str) -> str:
        """Return the value of an option of the command."""
        words = self.spec["command"].split()
        return words[words.index(name) + 1] if name in words else default

    def requirements(self) -> list[str]:
        """Return the direct requirements: of the file, or of the project with its chosen extra."""
        if self.is_file:
            lines = (self.folder / "requirements.txt").read_text("utf-8").splitlines()
            return [line for line in lines if line.strip() and not line.startswith(("#", "-"))]
        project = tomllib.loads(self.pyproject.read_text("utf-8"))["project"]
        extra = project.get("optional-dependencies", {}).get(self.option("--extra", ""), [])
        return [*project.get("dependencies", []), *extra]

    def direct(self) -> list[str]:
        """Return the direct requirements on torch's projects."""
        return [text for text in self.requirements() if canonicalize_name(_name(text)) in FAMILY]


def _name(text: str) -> str:
    try:
        return Requirement(text).name
    except InvalidRequirement:
        return ""


def _append(path: Path, text: str) -> None:
    path.write_text((path.read_text("utf-8") if path.exists() else "") + "\n" + text, "utf-8")


def _uv(case: Case) -> list[list[str]]:
    uv = str(find_uv())
    if case.is_file:
        platform = ["--universal"] if "windows" in case.spec["command"] else []
        return [
            [
                uv,
                "pip",
                "compile",
                "requirements.txt",
                "--index",
                case.url,
                "-o",
                "locked.txt",
                "--python-version",
                case.option("--python", "3.12"),
                *platform,
            ]
        ]
    if "[tool.uv" not in case.pyproject.read_text("utf-8"):
        sources = "".join(f'{name} = {{ index = "pytorch" }}\n' for name in FAMILY)
        index = f'[[tool.uv.index]]\nname = "pytorch"\nurl = "{case.url}"\nexplicit = true\n'
        _append(case.pyproject, f"[tool.uv.sources]\n{sources}{index}")
    return [[uv, "lock"]]


def _poetry(case: Case) -> list[list[str]]:
    commands = []
    source = f'[[tool.poetry.source]]\nname = "pytorch"\nurl = "{case.url}"\npriority = "explicit"\n'
    if case.is_file:
        python = case.option("--python", "3.12")
        bound = f">={python},<3.{int(python.partition('.')[2]) + 1}"
        commands = [["poetry", "init", "-n", "--name", "case", "--python", bound]]
        commands += [["poetry", "source", "add", "--priority", "explicit", "pytorch", case.url]]
        if case.direct():
            commands += [["poetry", "add", "--lock", "--source", "pytorch", *case.direct()]]
        return [
            *commands,
            ["poetry", "add", "--lock", *(text for text in case.requirements() if text not in case.direct())],
        ]
    named = {canonicalize_name(_name(text)) for text in case.direct()}
    table = "".join(f'{name} = {{ source = "pytorch" }}\n' for name in sorted(named))
    _append(case.pyproject, f"[tool.poetry.dependencies]\n{table}{source}")
    return [["poetry", "lock"]]


def _pdm(case: Case) -> list[list[str]]:
    commands = []
    if case.is_file:
        commands = [["pdm", "init", "-n"], ["pdm", "import", "-f", "requirements", "requirements.txt"]]
    source = f'[[tool.pdm.source]]\nname = "pytorch"\nurl = "{case.url}"\nverify_ssl = false\n'
    tables = f"{source}include_packages = {json.dumps(FAMILY)}\n"
    if case.is_file:
        append = f"open('pyproject.toml', 'a').write({tables!r})"
        return [*commands, [sys.executable, "-c", append], ["pdm", "lock"]]
    _append(case.pyproject, tables)
    return [["pdm", "lock"]]


def _envsmith(case: Case) -> list[list[str]]:
    return [[sys.executable, "-m", "envsmith", *case.spec["command"].split()[1:]]]


TOOLS: Mapping[str, Callable[[Case], list[list[str]]]] = {
    "uv": _uv,
    "Poetry": _poetry,
    "PDM": _pdm,
    "envsmith": _envsmith,
}


def locked(folder: Path) -> Iterator[Locked]:
    """Yield what the locks in a folder hold."""
    for path in (folder / "uv.lock", folder / "poetry.lock", folder / "pdm.lock"):
        for package in tomllib.loads(path.read_text("utf-8")).get("package", ()) if path.exists() else ():
            rows = [*package.get("wheels", ()), *package.get("files", ())]
            files = tuple(str(row.get("file") or row.get("url", "")).rpartition("/")[2] for row in rows)
            version = str(package.get("version", "0"))
            yield Locked(name=canonicalize_name(package["name"]), version=version, files=files)
    for path in (folder / "locked.txt", *folder.glob("lockfiles/*/requirements.*linux*.txt")):
        for name, version in PIN.findall(path.read_text("utf-8")) if path.exists() else ():
            yield Locked(name=canonicalize_name(name), version=version)


def play(tool: str, case: Case, env: Mapping[str, str]) -> str:
    """Run the first command of a tool, and return what to write into its cell."""
    commands, begun, status, said = TOOLS[tool](case), time.monotonic(), 0, ""
    for command in commands:
        left = LIMIT_S - (time.monotonic() - begun)
        try:
            done = subprocess.run(
                command, cwd=case.folder, env=env, capture_output=True, encoding="utf-8", timeout=left, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"no, over {LIMIT_S} s"
        status, said = done.returncode, done.stdout + done.stderr
        if status:
            break
    seconds = time.monotonic() - begun
    sys.stderr.write(f"== {tool} {case.folder.name}: {status}\n{said[-1500:]}\n")
    found = list(locked(case.folder))
    must = case.spec["or-must" if case.spec["outcome"] == "refuses" else "must"]
    lacks = [
        text for text in must if not any(is_satisfied(text, {item.name: item.version}) for item in found)
    ]
    wrong = sum(item.is_wrong(case.backend) for item in found)
    if status:
        listed = tool == "envsmith" and not _missing(case.spec, " ".join(said.split()))
        return f"{'refusal as wanted' if listed else 'fails'}, {seconds:.0f} s"
    if lacks or not found:
        return f"no: lacks {', '.join(lacks) or 'everything'}, {seconds:.0f} s" + _builds(wrong)
    return f"{'no' if wrong else 'yes'}, {seconds:.0f} s{_builds(wrong)}"


def _builds(wrong: int) -> str:
    return f", {wrong} wrong builds" if wrong else ""


def _missing(spec: Mapping[str, Any], said: str) -> list[str]:
    """Return what a refusal should say and does not: the case's words, or the packages without a wheel."""
    wanted = spec.get("say" if spec["outcome"] == "refuses" else "lists", [r"RES061.*hint: envsmith lock"])
    return [text for text in wanted if not re.search(text, said)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.other_tools")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], help="[default: all]")
    parser.add_argument("--tool", choices=TOOLS, action="append", help="may be repeated [default: all]")
    words = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="envsmith-bench-"))
    try:
        _measure(scratch, words.cases or list(CASES), words.tool or list(TOOLS))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _measure(scratch: Path, names: list[str], chosen: list[str]) -> None:
    uv, bins = str(find_uv()), []
    for tool, wanted in (("poetry", "poetry"), ("pdm", "pdm[locked]")):
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, scratch / tool], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", scratch / tool, wanted], check=True)
        bins.append(scratch / tool / "bin")
        sys.stdout.write(_said([bins[-1] / tool, "--version"]))
    print("| case | " + " | ".join(chosen) + " |\n|---|" + "---|" * len(chosen), flush=True)
    with ReplayIndex() as replay:
        backends = {name: _INDEXES.get(name) or (CASES[name] and _backend(name)) for name in names}
        for backend in sorted({value for value in backends.values() if value}):
            if listing := Catalog.embedded().listing("stable", Backend.parse(backend)):
                # Rows of triton are gathered for some Pythons only; PyPI has the same files for all.
                projects = {name: found for name, found in listing.projects.items() if "triton" not in name}
                replay.add_listing(dataclasses.replace(listing, projects=projects))
        for name in names:
            cells = []
            for tool in chosen:
                folder = scratch / f"{name}-{tool}"
                shutil.copytree(CASES[name], folder, ignore=shutil.ignore_patterns("case.toml"))
                for path in folder.iterdir() if tool != "envsmith" else ():
                    path.write_text(path.read_text("utf-8").replace(f"{HOST}/whl", replay.base), "utf-8")
                spec = tomllib.loads((CASES[name] / "case.toml").read_text("utf-8"))
                backend = str(backends[name])
                if tool != "envsmith":
                    _complete(folder / "pyproject.toml")
                case = Case(folder=folder, spec=spec, backend=backend, url=f"{replay.base}/{backend}")
                home = scratch / "home" / f"{name}-{tool}"
                home.mkdir(parents=True)
                cells.append(play(tool, case, _environ(home, bins, replay.base)))
                for used in (folder, home):  # caches of gigabytes
                    shutil.rmtree(used, ignore_errors=True)
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _complete(pyproject: Path) -> None:
    """Give a project without source a version."""
    if pyproject.exists():
        text = pyproject.read_text("utf-8")
        text = re.sub(r'^dynamic = \["version"\]', 'version = "0"', text, flags=re.MULTILINE)
        pyproject.write_text(text, "utf-8")


def _backend(name: str) -> str:
    spec = tomllib.loads((CASES[name] / "case.toml").read_text("utf-8"))
    return str(spec["command"].split()[2])


def _said(command: list[str | Path]) -> str:
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def _environ(home: Path, bins: list[Path], base: str) -> dict[str, str]:
    own = ("UV_", "ENVSMITH_", "PIP_", "PYTHON", "VIRTUAL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    path = os.pathsep.join([*map(str, bins), kept.get("PATH", "")])
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": path,
        "ENVSMITH_PYTORCH_INDEX": base,
        "NO_COLOR": "1",
    }


if __name__ == "__main__":
    main()
