"""Say which files a program may load: of others two packages may bring different ones, and it does no harm.

Part of `probe.py` and `condition.py`. A lock is admitted by the same rule (`lock/file_conflicts.py`), so that what can
be locked can be installed and is found well: many wheels have ``tests/__init__.py`` or a LICENSE at their top.

Standard library only, and no name of envsmith's: any Python from 3.9 on runs it.
"""

from __future__ import annotations

_NEVER = ("share/doc/", "share/man/", "share/licenses/")
_TESTS = frozenset({"benchmarks", "doc", "docs", "examples", "test", "tests"})
_ENDINGS = (".py", ".so", ".pyd", ".pth", ".dll", ".dylib")


def is_loaded(path: str) -> bool:
    """Say whether a program may load a file.

    Args:
        path: as a RECORD has it: relative to ``site-packages``, of data files with ``..`` before it.
    """
    path = path.replace("\\", "/")
    if path.startswith("../"):
        return not path.lstrip("./").startswith(_NEVER)
    top, _, rest = path.partition("/")
    if rest and top in _TESTS:
        return False
    return bool(rest) or path.endswith(_ENDINGS)
