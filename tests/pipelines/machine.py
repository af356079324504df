"""A machine as a CI service lends it: its own Python, home, cache and clone, and next to nothing in its environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from envsmith.uv.command import find_uv
from tests.repositories import git

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one step did."""

    name: str
    status: int
    out: str


@dataclass(kw_only=True)
class Machine:
    """A folder that stands for a machine."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.root / "work"

    @classmethod
    def fresh(cls, root: Path, origin: Path, **env: str) -> Machine:
        """Make a machine with a clone; its Python knows the packages that envsmith needs, and uv is on PATH."""
        root.mkdir()
        uv = find_uv()
        subprocess.run(
            [uv, "venv", "--quiet", "--no-config", "--python", sys.executable, str(root / "python")],
            check=True,
            timeout=60,
        )
        (site,) = root.glob("python/lib/python*/site-packages")
        (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        for folder in ("home", "temp", "bin"):
            (root / folder).mkdir()
        git(root, "clone", "--quiet", str(origin), str(root / "work"))
        machine = cls(root=root)
        kept = {name: os.environ[name] for name in ("LANG", "SYSTEMROOT") if name in os.environ}
        (root / "bin" / "uv").symlink_to(uv)
        machine.env = {
            **kept,
            "PATH": os.pathsep.join((str(root / "bin"), str(root / "python/bin"), "/usr/bin", "/bin")),
            "HOME": str(root / "home"),
            "CI": "true",
            "NO_PROXY": "127.0.0.1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "UV_PYTHON_DOWNLOADS": "never",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **env,
        }
        return machine

    def script(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        path = self.root / "bin" / name
        path.write_text(text, "utf-8")
        path.chmod(0o755)

    def run(self, text: str, **env: str) -> Step:
        """Run a step's text, as GitHub runs one for bash."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=self.work,
            env={**self.env, **env},
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return Step(
            name=text.split("\n", maxsplit=1)[0], status=done.returncode, out=done.stdout + done.stderr
        )


def load(path: Path) -> dict[str, Any]:
    """Read a YAML file."""
    found = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def run_job(
    machine: Machine, job: Mapping[str, Any], context: dict[str, str]
) -> tuple[list[Step], dict[str, str]]:
    """Do the steps of a GitHub job in their order until one fails; return what they did, and the job's outputs.

    Args:
        machine: where; the clone stands for actions/checkout, its Python for actions/setup-python.
        job: as YAML has it.
        context: what expressions name → its value; outputs of steps are put into it.
    """
    known = {
        "github.workspace": str(machine.work),
        "github.token": "a token",
        **context,
    }
    output, summary = machine.root / "temp/output", machine.root / "temp/summary"
    output.write_text("", "utf-8")
    own = {
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "RUNNER_TEMP": str(machine.root / "temp"),
        **_variables(job, known),
    }
    done: list[Step] = []
    for step in job["steps"]:
        if "uses" in step:
            assert step["uses"].split("@")[0] in ("actions/checkout", "actions/setup-python", "actions/cache")
            continue
        if "if" in step and not _holds(step["if"], known):
            continue
        done.append(machine.run(evaluated(step["run"], known), **own, **_variables(step, known)))
        if done[-1].status:
            break
        for line in output.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            known[f"steps.{step.get('id')}.outputs.{name}"] = value
        output.write_text("", "utf-8")
    outputs = {name: evaluated(text, known) for name, text in job.get("outputs", {}).items()}
    return done, outputs


def evaluated(text: object, known: Mapping[str, str]) -> str:
    """Put values in the place of expressions; what is not known is empty."""
    return _EXPRESSION.sub(
        lambda match: match[1].strip("'") if match[1].startswith("'") else known.get(match[1], ""), str(text)
    )


def _variables(holder: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    return {name: evaluated(text, known) for name, text in holder.get("env", {}).items()}


def _holds(condition: str, known: Mapping[str, str]) -> bool:
    match = re.fullmatch(r"([\w.-]+) (==|!=) '(.*)'", condition)
    assert match, condition
    return (known.get(match[1], "") == match[3]) == (match[2] == "==")
