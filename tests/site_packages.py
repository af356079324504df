"""Distributions in ``site-packages``."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from envsmith.environment.model import EnvironmentLayout
from tests.environment.test_model_interpreter import LINUX


def layout_of(site: Path, **values: Any) -> EnvironmentLayout:
    """Return the layout of an environment whose packages are in a folder."""
    known = {"prefix": site, "purelib": site, "platlib": site, "scripts": site, "user_site": site}
    lists = {
        "stdlib": [],
        "stdlib_names": sorted(sys.stdlib_module_names - {*sys.builtin_module_names}),
        "suffixes": EXTENSION_SUFFIXES,
    }
    return EnvironmentLayout.from_json({**known, **lists, "is_virtual": True, "interpreter": LINUX, **values})


def write_distribution(site: Path, name: str, files: Mapping[str, bytes], *, version: str = "1.0") -> Path:
    """Install a distribution by hand, and return its ``.dist-info``."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    wheel = b"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    held = {**files, f"{info.name}/METADATA": metadata, f"{info.name}/WHEEL": wheel}
    rows = []
    for path, data in held.items():
        place = site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    (info / "RECORD").write_text("".join([*rows, f"{info.name}/RECORD,,\n"]), "utf-8")
    return info
