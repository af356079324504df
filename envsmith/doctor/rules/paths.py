"""What is wrong with the lists of folders that a session searches for programs and libraries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from envsmith.activate.model import Taken
from envsmith.model.finding import Finding

_SCOPES = {"machine": "the machine's Path", "user": "the user's Path", "process": "this session's PATH"}
_INNER = ("/site-packages/", "/dist-packages/")


def path(scopes: Mapping[str, Iterable[Taken]], *, is_windows: bool) -> Iterator[Finding]:
    """Find folders of environments on PATH.

    Args:
        scopes: ``machine``, ``user``, ``process`` → entries that no session should have, and why; off Windows there
            is but the last.
        is_windows: whether the system looks for libraries on PATH, too.
    """
    seen: set[str] = set()
    for scope in _SCOPES:
        for item in scopes.get(scope, ()):
            entry = item.entry or ""
            key = entry.replace("\\", "/").rstrip("/").lower()
            if item.variable != "PATH" or key in seen or not entry or "twice" in item.reason:
                continue
            seen.add(key)
            yield _on_path(entry, item.reason, scope, is_windows=is_windows)


def _on_path(entry: str, reason: str, scope: str, *, is_windows: bool) -> Finding:
    is_inner = any(text in f"{entry}/".replace("\\", "/").lower() for text in _INNER)
    why = reason
    if is_inner and is_windows:
        why = "Windows loads torch's libraries from there before torch has prepared them: WinError 1114"
    return Finding(
        code="HST014",
        severity="error" if is_inner and is_windows else "warning",
        subject=entry,
        message=f"{entry} is on {_SCOPES[scope]}: {why}",
        hint=_cure(scope, reason),
    )


def _cure(scope: str, reason: str) -> str:
    if scope == "process":
        where = "leave it out where PATH is set: in a shell's start-up file"
        return f"{where}; `envsmith activate` and `envsmith run` do without it"
    if "relative" in reason:  # it is nobody's environment, and may be a slip of the pen
        return f"mend it under Environment Variables ({scope} scope) in the system settings; then open a new shell"
    return f"`envsmith doctor path --fix` takes it out of {_SCOPES[scope]}, after showing it; then open a new shell"


def libraries(taken: Iterable[Taken], built_for: str) -> Iterator[Finding]:
    """Find folders on the linker's lists that hold another CUDA than the environment's, or another environment.

    Args:
        taken: entries that no session in the environment should have, and why.
        built_for: what the environment's torch was built for, ``CUDA 12.8``; empty where nothing says it.
    """
    for item in taken:
        if item.variable == "PATH" or item.entry is None or "twice" in item.reason:
            continue
        named = item.entry or "an empty entry"
        beside = f"; torch here is built for {built_for}" if built_for else ""
        yield Finding(
            code="HST015",
            severity="warning",
            subject=item.entry,
            message=f"{named} is on {item.variable}: {item.reason}{beside}",
            hint=f"unset {item.variable}, or enter the environment by `envsmith activate` or `envsmith run`",
        )
