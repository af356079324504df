"""Errors with a stable code, a place, a message and a hint."""

from __future__ import annotations

import re
from typing import Self

OK, NO, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: done; the answer is no; failed; interrupted."""


_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(\S*?)([\"'`)\]},.;:]*)(?=\s|$)")
# `user:password@host` and `//token@host` without a scheme, or in a URL after another one.
_USER = re.compile(
    r"(?:(?<![\w@/.+%-])|(?<=:/))[^\s/@:'\"`]+:[^\s/@]+@(?=[\w.-]+)|(?<=//)[^\s/@'\"`]+@(?=[\w.-])"
)
_KEPT_FRAGMENT = re.compile(r"(?:sha\d+|md5|egg|subdirectory)=[\w.+/-]*")


def redact(text: str) -> str:
    """Return a text without users, passwords and queries in its URLs, also in URLs that are cut or malformed."""
    if "://" not in text and "@" not in text:
        return text
    return _USER.sub("***@", _URL.sub(_redacted, text))


def _redacted(match: re.Match[str]) -> str:
    scheme, rest, end = match.groups()
    rest, mark, fragment = rest.partition("#")
    rest, question, _ = rest.partition("?")
    authority, slash, path = rest.partition("/")
    user, _, host = authority.rpartition("@")
    port = host.rpartition("]")[2].partition(":")[2]
    if ":" in user and re.search("@.*[./]", path):  # a password with @ and a slash, or `@REF` of git
        authority, slash, path = "***", "", ""
    elif user or "@" in authority:
        authority = host
    elif port and not port.isdigit():  # a password with a slash, or cut before its end
        authority, slash, path = "***", "", ""
    tail = f"{mark}{fragment}" if _KEPT_FRAGMENT.fullmatch(fragment) else ""
    return f"{scheme}{authority}{slash}{path}{question and '?***'}{tail}{end}"


class EnvsmithError(Exception):
    """Base class of all errors for users; texts are redacted, for they may repeat a URL with credentials.

    Args:
        code: stable identifier, documented in docs/reference/findings.md.
        message: the problem in one sentence, without the place.
        where: the place, outermost part first, such as ``profiles/cu128.toml:7: backend``.
        hint: how to solve it; may be empty.
        details: further lines, each a label and a text (``("exists", "cu132 · torch 2.15.0: cp311 cp312")``).
        parts: the single problems, if several were found at once.
    """

    exit_code = 2

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str = "",
        hint: str = "",
        details: tuple[tuple[str, str], ...] = (),
        parts: tuple[EnvsmithError, ...] = (),
    ) -> None:
        super().__init__(redact(message))
        self.code = code
        self.message = redact(message)
        self.where = redact(where)
        self.hint = redact(hint)
        self.details = tuple((label, redact(text)) for label, text in details)
        self.parts = parts

    def at(self, place: str) -> Self:
        """Prepend an outer place, and return the same error."""
        place = redact(place)
        self.where = f"{place}: {self.where}" if self.where else place
        return self

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.code}: {place}{self.message}"

    def to_json(self) -> dict[str, object]:
        """Return the error as values for ``--json``."""
        return {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "hint": self.hint,
            "details": [{"label": label, "text": text} for label, text in self.details],
            "parts": [part.to_json() for part in self.parts],
        }


class ProfileError(EnvsmithError):
    """PRF: malformed profile, requirements file or pyproject.toml."""


class ResolveError(EnvsmithError):
    """RES: no such build, no kernels, or no solution."""

    exit_code = 1
    later_platforms: tuple[str, ...] = ()
    """Platform tags with a later floor for which all missing wheels exist; empty if some do not."""


class NoSolutionError(ResolveError):
    """RES050: the resolver proved that the requirements have no solution."""

    without_wheel: tuple[str, ...] = ()
    """Projects that have no wheel for the target and may not be locked as source."""
    served_elsewhere: tuple[str, ...] = ()
    """Projects with wheels for other platforms only."""


class LockError(EnvsmithError):
    """LCK: a lock cannot be verified, read or written."""

    exit_code = 1


class CatalogError(EnvsmithError):
    """CAT: malformed catalog table, snapshot or index page, or an entry missing in it."""


class HostError(EnvsmithError):
    """HST: the machine cannot be described, or no build fits it."""


class ToolError(EnvsmithError):
    """TOL: failure of a tool, the network or the disk."""


class InstallError(EnvsmithError):
    """ENV: an environment cannot be built, verified or switched to; the current one is unchanged."""


class ChangedFileError(CatalogError):
    """CAT042: the index gives a published file another hash than those on record."""


class NoMatchingTargetError(LockError):
    """LCK004: none of the locked targets fits an interpreter."""


class VerificationError(InstallError):
    """ENV001: a new environment does not match its lock, or one of its smoke tests fails."""
