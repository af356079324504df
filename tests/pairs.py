"""Pairs of compiled packages and torch, for tests: written down by hand, apart from the catalog's tables.

Source: METADATA of xformers' and torchaudio's wheels on PyPI; README of torchcodec 0.17.0; read 2026-11-20.
"""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version

_XFORMERS = """
0.0.22 2.0.1, 0.0.22.post7 2.1.0, 0.0.23 2.1.1, 0.0.23.post1 2.1.2, 0.0.24 2.2.0, 0.0.25 2.2.1, 0.0.25.post1 2.2.2,
0.0.26.post1 2.3.0, 0.0.27 2.3.1, 0.0.27.post1 2.4.0, 0.0.27.post2 2.4.0, 0.0.28 2.4.1, 0.0.28.post1 2.4.1,
0.0.28.post2 2.5.0, 0.0.28.post3 2.5.1, 0.0.29 2.5.1, 0.0.29.post1 2.5.1, 0.0.29.post2 2.6.0, 0.0.29.post3 2.6.0,
0.0.30 2.7.0, 0.0.31 2.7.1, 0.0.31.post1 2.7.1, 0.0.32.post1 2.8.0, 0.0.32.post2 2.8.0, 0.0.33 2.9.0,
0.0.33.post1 2.9.0, 0.0.33.post2 2.9.1, 0.0.34 2.10.0, 0.0.35 >=2.10
"""
_TORCHCODEC = """
0.1.1 2.5.*, 0.2.1 2.6.*, 0.3.0 2.7.*, 0.4.0 2.7.*, 0.5 2.7.*, 0.6.0 2.8.*, 0.7.0 2.8.*, 0.8.1 2.9.*, 0.9.1 2.9.*,
0.10.0 2.10.*, 0.11.1 2.11.*, 0.12.0 >=2.11, 0.14.0 >=2.11, 0.15.0 >=2.11, 0.16.0 >=2.11, 0.17.0 >=2.11
"""
_TORCHAUDIO = """
2.0.2 2.0.1, 2.1.0 2.1.0, 2.1.1 2.1.1, 2.1.2 2.1.2, 2.2.0 2.2.0, 2.2.1 2.2.1, 2.2.2 2.2.2, 2.3.0 2.3.0, 2.3.1 2.3.1,
2.4.0 2.4.0, 2.4.1 2.4.1, 2.5.0 2.5.0, 2.5.1 2.5.1, 2.6.0 2.6.0, 2.7.0 2.7.0, 2.7.1 2.7.1, 2.8.0 2.8.0, 2.9.0 2.9.0,
2.9.1 2.9.1, 2.10.0 2.10.0, 2.11.0 >=2.11
"""
_VLLM = "0.8.5 2.6.0, 0.9.2 2.7.0, 0.10.2 2.8.0, 0.11.0 2.8.0, 0.13.0 2.9.0, 0.20.2 2.11.0, 0.33.0 2.14.0"
_TORCHES = """
2.0.1 2.1.0 2.1.1 2.1.2 2.2.0 2.2.1 2.2.2 2.3.0 2.3.1 2.4.0 2.4.1 2.5.0 2.5.1 2.6.0 2.7.0 2.7.1 2.8.0 2.9.0 2.9.1
2.10.0 2.11.0 2.12.0 2.12.1 2.13.0 2.14.0 2.14.1 2.15.0
"""
TORCHES = tuple(_TORCHES.split())


def _read(project: str, text: str) -> list[tuple[str, str, str]]:
    pairs = (pair.split() for pair in text.replace("\n", " ").split(","))
    return [(project, version, torch if torch.startswith(">") else f"=={torch}") for version, torch in pairs]


PAIRS = (
    *_read("xformers", _XFORMERS),
    *_read("torchcodec", _TORCHCODEC),
    *_read("torchaudio", _TORCHAUDIO),
    *_read("vllm", _VLLM),
)
"""Project, version, the torch it goes with."""


def fits(wanted: str, torch: str) -> bool:
    return SpecifierSet(wanted).contains(Version(torch).public)
