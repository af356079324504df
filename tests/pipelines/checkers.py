"""The programs that users of the CI services run over their files, as they come with the development requirements."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

SCRIPTS = sysconfig.get_path("scripts")
# The schemas lie in the package; nothing is to be fetched, and nobody's proxy is asked.
_ENV = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


def schema(service: str, *paths: Path) -> str:
    """Judge files by the schema that a service publishes; return what is wrong, empty where nothing is."""
    words = {
        "github": ["vendor.github-workflows"],
        "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
        "azure": ["vendor.azure-pipelines", "--data-transform", "azure-pipelines"],
    }[service]
    return _run("check-jsonschema", "--builtin-schema", *words, *map(str, paths))


def actionlint(*paths: Path) -> str:
    """Judge GitHub workflows by actionlint, their scripts by ShellCheck; return what is wrong."""
    return _run("actionlint", "-shellcheck", _program("shellcheck"), *map(str, paths))


def _run(name: str, *words: str) -> str:
    done = subprocess.run(
        [_program(name), *words], env=_ENV, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr or f"ended with {done.returncode}"


def _program(name: str) -> str:
    found = shutil.which(name, path=SCRIPTS)
    assert found, f"{name} is not there: make setup"
    return found
