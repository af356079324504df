"""Names of the packages in a conda environment file, for the message that it is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FILES = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
_KEY = re.compile(r"(?P<indent>\s*)(?P<dash>-\s+)?(?P<key>[A-Za-z_-]+)\s*:\s*(?:#.*)?")
_ITEM = re.compile(r"\s*-\s+(?P<text>[^\s#].*)")
# `conda-forge::numpy=1.26=py312_0`
_CONDA = re.compile(r"(?:.*::)?(?P<name>[A-Za-z0-9_.-]+)")
_RENAMED = {"pytorch": "torch", "pytorch-gpu": "torch", "pytorch-cpu": "torch", "opencv": "opencv-python"}
# Parts of the environment that wheels bring along, or that a lock does not contain.
_NOT_TAKEN = re.compile(r"(?:python|pip|cuda.*|cudatoolkit.*|cudnn|nccl|mkl|pytorch-cuda|pytorch-mutex|_.*)")


@dataclass(kw_only=True)
class CondaNames:
    """The packages of a conda environment file."""

    conda: list[str] = field(default_factory=list)
    """As their names on PyPI, where these are known to differ; without those that wheels bring along."""
    pip: list[str] = field(default_factory=list)
    """Requirements, as written."""


def read_conda_names(text: str) -> CondaNames:
    """Return the packages under ``dependencies``, as far as the file is written in the usual way.

    The file is not parsed as YAML: this needs no more than its lists.
    """
    found = CondaNames()
    for is_pip, item in _items(text):
        if is_pip:
            found.pip.append(item)
        elif (match := _CONDA.match(item)) and not _NOT_TAKEN.fullmatch(match["name"]):
            name = match["name"].lower()
            found.conda.append(_RENAMED.get(name, name))
    return found


def _items(text: str) -> Iterator[tuple[bool, str]]:
    """Yield each item of the list, and whether it belongs to pip."""
    is_inside = is_pip = False
    pip_indent = 0
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if key := _KEY.fullmatch(line):
            if not key["indent"] and not key["dash"]:
                is_inside, is_pip = key["key"] == "dependencies", False
            elif is_inside and key["key"] == "pip":
                is_pip, pip_indent = True, indent
        elif is_inside and (item := _ITEM.fullmatch(line)):
            is_pip = is_pip and indent > pip_indent
            yield is_pip, item["text"].partition(" #")[0].strip().strip("'\"")
        elif not indent:
            is_inside = False
