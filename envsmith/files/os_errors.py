"""Operating-system errors: translation into messages with hints, and retries of what Windows refuses for a moment."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from envsmith.errors import EnvsmithError, InstallError, ToolError
from envsmith.model.windows_errors import KNOWN, is_full, reason_of, windows_error

T = TypeVar("T")
# No space, over quota, over the file size limit.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Access denied, sharing violation, and a folder whose files are deleted as soon as another program closes them.
_MOMENTARY = (5, 32, 145)
_RETRY_S, _PAUSE_S = 1.0, 0.05


def retried(function: Callable[..., T], *arguments: object) -> T:
    """Call a function; on Windows again for a second while another program has a file open.

    Antivirus software and the indexer open new files for a moment, which then can be neither renamed nor removed.

    Raises:
        OSError: the last one of the function.
    """
    until = time.monotonic() + _RETRY_S
    while True:
        try:
            return function(*arguments)
        except OSError as error:
            if windows_error(error) not in _MOMENTARY or time.monotonic() > until:
                raise
        time.sleep(_PAUSE_S)


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
        hint: used for any error but a full disk, and those of Windows that have their own.
        result: the state after the error, such as ``no file was changed``; part of the message.
        action: the verb of the message.
    """
    try:
        yield
    except OSError as error:
        number, reason = windows_error(error), reason_of(error)
        has_no_space = error.errno in DISK_FULL or is_full(number)
        problem = (
            f"the disk is full: {reason}" if has_no_space else f"cannot {action}: {_lower_first(reason)}"
        )
        _, known_hint = KNOWN.get(number, ("", hint))
        named = "" if isinstance(place, str) else error.filename2 or error.filename or ""
        raise error_class(
            codes[0 if has_no_space else 1],
            f"{problem}; {result}" if result else problem,
            where=str(named or place).removeprefix("\\\\?\\"),  # see `extended`
            hint="free disk space, then run the command again" if has_no_space else known_hint,
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
