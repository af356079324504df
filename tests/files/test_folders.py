from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from envsmith.errors import InstallError
from envsmith.files import atomic, os_errors, own_folder


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    place = tmp_path / "file"
    for text in ("one\n", "two\n"):
        atomic.write_atomic(place, text)
        assert place.read_bytes() == text.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_protected_folder_is_removed(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (inner / "file").chmod(0o400)
    inner.chmod(0o500)
    own_folder.remove_folder(tmp_path / "outer")
    assert not (tmp_path / "outer").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "ENV021"), (errno.EDQUOT, "ENV021"), (errno.EROFS, "ENV024")]
)
def test_what_the_system_refuses_is_told_with_its_place(tmp_path: Path, number: int, code: str) -> None:
    with (
        pytest.raises(
            InstallError,
            match=f"{code}: here: .*{os.strerror(number)[1:]}; the current env",
        ),
        os_errors.environment_errors(tmp_path),
    ):
        raise OSError(number, os.strerror(number), "here")
    with (
        pytest.raises(InstallError, match=re.escape(f"{code}: {tmp_path}")),
        os_errors.environment_errors(tmp_path),
    ):
        raise OSError(number, os.strerror(number))
