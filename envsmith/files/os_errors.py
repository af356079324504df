"""Translation of operating-system errors: full disk, permission denied, and others."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from envsmith.errors import EnvsmithError, InstallError, ToolError

# No space, over quota, over the file size limit.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def translate_os_errors(
    place: Path | str,
    error_class: type[EnvsmithError],
    codes: tuple[str, str],
    *,
    hint: str,
    result: str = "",
    action: str = "write",
) -> Iterator[None]:
    """Raise an `EnvsmithError` for each `OSError`.

    Args:
        place: a path, which gives way to the one that the `OSError` names; a text is used unchanged.
        error_class: the class to raise.
        codes: the code for a full disk, and the code for any other error.
        hint: used for any error but a full disk.
        result: the state after the error, such as ``no file was changed``; part of the message.
        action: the verb of the message.
    """
    try:
        yield
    except OSError as error:
        is_full = error.errno in DISK_FULL
        reason = error.strerror or str(error)
        problem = f"the disk is full: {reason}" if is_full else f"cannot {action}: {_lower_first(reason)}"
        named = "" if isinstance(place, str) else error.filename2 or error.filename or ""
        raise error_class(
            codes[0 if is_full else 1],
            f"{problem}; {result}" if result else problem,
            where=str(named or place),
            hint="free disk space, then run the command again" if is_full else hint,
        ) from error


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def environment_errors(place: Path, action: str = "write") -> AbstractContextManager[None]:
    """Raise ENV021 for a full disk and ENV024 for any other `OSError` in the folder of an environment."""
    return translate_os_errors(
        place,
        InstallError,
        ("ENV021", "ENV024"),
        action=action,
        result="the current environment is unchanged",
        hint="correct the permissions, or choose another place with --prefix",
    )


def lock_folder_errors(folder: Path, action: str) -> AbstractContextManager[None]:
    """Raise TOL011 for a full disk and TOL013 for any other `OSError` in a folder of locks."""
    return translate_os_errors(
        folder,
        ToolError,
        ("TOL011", "TOL013"),
        action=action,
        hint="correct the permissions, or choose another folder with -o",
    )
