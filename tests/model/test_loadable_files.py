from __future__ import annotations

import re
from contextlib import nullcontext

import pytest

from envsmith.errors import LockError
from envsmith.lock.file_conflicts import check_files
from envsmith.model.wheel import is_loadable
from tests.fakes import FakeContents
from tests.lock.test_file_conflicts import contents, wheels

PATHS = {
    "cv2/__init__.py": True,
    "cv2/data/model.xml": True,
    "single.py": True,
    "lib.so": True,
    "start.pth": True,
    "tests/__init__.py": False,
    "tests/deep/data.txt": False,
    "docs/conf.py": False,
    "test.py": True,
    "testing/__init__.py": True,
    "LICENSE": False,
    "README.md": False,
    "../../../share/doc/a.txt": False,
    "../../../share/man/man1/a.1": False,
    "../../../share/jupyter/a.json": True,
    "../../../bin/tool": True,
    "..\\..\\Scripts\\tool.exe": True,
    "tests\\a.py": False,
}


@pytest.mark.parametrize("path", PATHS)
def test_what_a_program_may_load(path: str) -> None:
    assert is_loadable(path) is PATHS[path]


@pytest.mark.parametrize("path", PATHS)
def test_a_lock_is_admitted_by_the_same_rule(path: str) -> None:
    within = re.sub(r"^(\.\./)+", "<data>/", path.replace("\\", "/"))
    found = contents(a={within: b"one"}, b={within: b"other"})
    with pytest.raises(LockError, match="LCK022") if is_loadable(path) else nullcontext():
        check_files(wheels("a", "b"), found, FakeContents())
