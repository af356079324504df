"""Shim ``torch-safe-globals``: add a profile's classes and functions to torch's safe globals.

A name is added once its module is imported. The shim imports nothing and never disables ``weights_only``: a name whose
module the program does not import stays refused.

Sources: torch 2.13.0 and 2.8.0, ``torch/serialization.py`` (`add_safe_globals`, since 2.4.0) and
``torch/_weights_only_unpickler.py`` (a name is looked up as ``{__module__}.{__qualname__}``, or as the given name in a
pair), read in their wheels 2026-11-21.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def apply(module: Any, names: list[str], added: list[str], failed: dict[str, str]) -> None:  # noqa: ANN401, ARG001
    """Add the names whose modules are imported.

    Args:
        module: ignored: torch's or one of the names'.
        names: dotted names from the profile.
        added: names added already; extended.
        failed: name → reason why it cannot be added; extended.
    """
    # None before torch 2.4, and while torch is being imported; in that case `apply` is called again.
    add: Any = getattr(sys.modules.get("torch.serialization"), "add_safe_globals", None)
    for name in names if add else ():
        found = None if name in added else _found(name)
        if found is None:
            continue
        if not callable(found):
            failed[name] = "is not a class or function"
        elif f"{found.__module__}.{found.__qualname__}" == name:
            add([found])
            added.append(name)
        elif "uple" in str(getattr(add, "__annotations__", "")):  # newer torch accepts (object, name) pairs
            add([(found, name)])
            added.append(name)
        else:
            failed[name] = (
                f"is now {found.__module__}.{found.__qualname__}; this torch does not accept another name for it"
            )


def _found(name: str) -> Any:  # noqa: ANN401 - any object
    """Return the object of a dotted name if its module is imported; import nothing."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:length]))
        if module is not None:
            found = vars(module).get(parts[length])
            for part in parts[length + 1 :]:
                found = vars(found).get(part) if isinstance(found, type) else None
            return found
    return None


def check(
    module: Any,  # noqa: ANN401, ARG001 - a module
    package: str,
    names: Sequence[str],
    files: Sequence[str],
    error_of: Callable[[Any], str],
) -> dict[str, Any]:
    """Return whether torch refuses the names in checkpoints, and its errors with the shim.

    Files are scanned, not loaded. The modules of names are imported first, as a program that uses them would.

    Args:
        module: ignored: torch.serialization.
        package: torch and its version.
        names: dotted names of classes and functions.
        files: paths of checkpoints: only the names in them are needed.
        error_of: calls a function and returns its error, empty without one.
    """
    import io

    torch: Any = sys.modules["torch"]
    refused = {}
    for name in names:
        missing = _import_parent(name, error_of)
        if why := error_of(lambda one=name: torch.load(io.BytesIO(_checkpoint(one)), weights_only=True)):
            refused[name] = missing or why
    accepted = [name for name in names if name not in refused]
    reasons = [f"{package} refuses {', '.join(refused)}"] if refused else []
    reasons += [f"{package} loads {', '.join(accepted)} without it"] if accepted else []
    answer = {
        "is_needed": bool(refused),
        "reasons": reasons or ["the profile lists no safe-globals"],
        "failures": [f"{name} is refused even with the shim: {refused[name]}" for name in sorted(refused)],
    }
    return {**answer, **_check_files(torch, package, refused, files, error_of)} if files else answer


def _check_files(
    torch: Any,  # noqa: ANN401 - a module
    package: str,
    refused: dict[str, str],
    files: Sequence[str],
    error_of: Callable[[Any], str],
) -> dict[str, Any]:
    """Return whether torch refuses the names in given checkpoints; for an unreadable one, the error in parentheses."""
    used: set[str] = set()
    reasons = []
    for file in sorted(set(files)):
        found: list[str] = []
        why = error_of(
            lambda to=found, at=file: to.extend(torch.serialization.get_unsafe_globals_in_checkpoint(at))
        )
        names = [f"({why})"] if why else sorted(found)
        used.update(names if not why else ())
        reasons.append(
            f"{package} refuses in {file}: {', '.join(names)}"
            if names
            else f"{package} loads {file} without it"
        )
    if unused := [name for name in refused if name not in used]:
        reasons.append(f"not in these checkpoints: {', '.join(unused)}")
    if missing := sorted(used - set(refused)):
        reasons.append(f"not allowed by the profile: {', '.join(missing)}")
    return {"is_needed": bool(used & set(refused)), "reasons": reasons}


def _import_parent(name: str, error_of: Callable[[Any], str]) -> str:
    """Import the module of a dotted name; return the error if no part of the name is a module."""
    import importlib

    parts = name.split(".")
    modules = [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
    errors = []
    for module in modules:
        why = error_of(lambda one=module: importlib.import_module(one))
        if not why:
            return ""
        errors.append(f"its module cannot be imported: {why}")
    return errors[0] if errors else ""


def _checkpoint(name: str) -> bytes:
    """Return a checkpoint as `torch.save` writes it, containing a reference to one global.

    Source: files written by torch 2.13.0 (2026-11-21); the opcodes of Python's pickletools.
    """
    import io
    import zipfile

    module, _, attribute = name.rpartition(".")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"q\x00.")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return held.getvalue()
