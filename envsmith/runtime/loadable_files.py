"""Loadable files: only for these are two owners with different contents a conflict.

Part of `inspect_environment.py` and `installed_files.py`. `lock/file_conflicts.py` admits locks by the same rule, so
that an admitted lock verifies after its install: many wheels have a top-level ``tests/__init__.py`` or LICENSE.

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

_NEVER = ("share/doc/", "share/man/", "share/licenses/")
_TESTS = frozenset({"benchmarks", "doc", "docs", "examples", "test", "tests"})
_ENDINGS = (".py", ".so", ".pyd", ".pth", ".dll", ".dylib")


def is_loadable(path: str) -> bool:
    """Say whether a program may load a file.

    Args:
        path: path in a RECORD, relative to ``site-packages``; data files begin with ``..``.
    """
    path = path.replace("\\", "/")
    if path.startswith("../"):
        return not path.lstrip("./").startswith(_NEVER)
    top, _, rest = path.partition("/")
    if rest and top in _TESTS:
        return False
    return bool(rest) or path.endswith(_ENDINGS)
