"""Errors: each has a stable code, a place, what is wrong, and a hint saying what to do."""

from __future__ import annotations

from typing import Self

OK, NO, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: done; the answer is no; it could not be done; interrupted."""


class EnvsmithError(Exception):
    """Stop the work, and say why in a way people can act on.

    Args:
        code: stable identifier, documented in docs/reference/findings.md.
        message: what is wrong, in one sentence, without the place.
        where: the place, outermost part first, such as ``profiles/cu128.toml:7: backend``.
        hint: what to do about it; empty where nothing sensible can be said.
        details: further lines, each a label and a text (``("exists", "cu132 · torch 2.15.0: cp311 cp312")``).
        parts: the single problems, where several were found at once.
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
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint
        self.details = details
        self.parts = parts

    def at(self, place: str) -> Self:
        """Put an outer place before the place known so far, and return the same error."""
        self.where = f"{place}: {self.where}" if self.where else place
        return self

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.code}: {place}{self.message}"

    def to_json(self) -> dict[str, object]:
        """Return the error as plain values for ``--json``."""
        return {
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "hint": self.hint,
            "details": [{"label": label, "text": text} for label, text in self.details],
            "parts": [part.to_json() for part in self.parts],
        }


class ProfileError(EnvsmithError):
    """PRF: a profile, a requirements file or a pyproject.toml is malformed."""


class ResolveError(EnvsmithError):
    """RES: the answer is no: no such build, no kernels, no solution."""

    exit_code = 1


class NoSolutionError(ResolveError):
    """RES050: the resolver proved that the requirements have no solution."""


class LockError(EnvsmithError):
    """LCK: a lock is not true, not readable or not written."""

    exit_code = 1


class CatalogError(EnvsmithError):
    """CAT: a catalog table, a snapshot or an index page is malformed, or lacks what was looked up."""


class HostError(EnvsmithError):
    """HST: the machine cannot be described, or no build fits it."""


class ToolError(EnvsmithError):
    """TOL: a tool, the network or the disk failed."""


class InstallError(EnvsmithError):
    """ENV: an environment cannot be built, proved or switched to; what was there is unchanged."""


class NoMatchingTargetError(LockError):
    """LCK004: none of the locked targets fits an interpreter."""


class VerificationError(InstallError):
    """ENV001: a new environment does not match its lock, or one of its smoke tests fails."""
