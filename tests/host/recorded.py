"""Recorded answers of the Windows registry: tests/data/host/recorded.toml."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from envsmith.host.windows import Registry
from tests.host.host_data import text

RECORDED: dict[str, list[dict[str, Any]]] = tomllib.loads(text("recorded.toml"))
_ROOTS = {"HKEY_CURRENT_USER": "HKCU", "HKEY_LOCAL_MACHINE": "HKLM"}
_VALUE = re.compile(r" {4}(\S+) {4}REG_\w+ {4}(.*)")


def registry(name: str) -> Registry:
    """Return a fake registry with the `reg query` output recorded under a name."""
    (recorded,) = (item["text"] for item in RECORDED["registry"] if item["name"] == name)
    values: dict[tuple[str, str, str], object] = {}
    root, key = "", ""
    for line in recorded.splitlines():
        if line.startswith("HKEY_"):
            root, _, key = line.partition("\\")
        elif match := _VALUE.fullmatch(line):
            values[_ROOTS[root], key.lower(), match[1].lower()] = match[2]
    return lambda root, key, name: values.get((root, key.lower(), name.lower()))


def nothing(root: str, key: str, name: str) -> None:
    """Return a fake registry without the value."""
    assert root in _ROOTS.values(), (key, name)
