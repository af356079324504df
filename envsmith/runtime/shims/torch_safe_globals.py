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
    from typing import Any


def allow(names: list[str], done: list[str], failed: dict[str, str]) -> None:
    """Add the names whose modules are imported.

    Args:
        names: dotted names from the profile.
        done: names added already; extended.
        failed: name → reason why it cannot be added; extended.
    """
    # None before torch 2.4, and while torch is being imported; in that case `allow` is called again.
    add: Any = getattr(sys.modules.get("torch.serialization"), "add_safe_globals", None)
    for name in names if add else ():
        found = None if name in done else _found(name)
        if found is None:
            continue
        if not callable(found):
            failed[name] = "is not a class or function"
        elif f"{found.__module__}.{found.__qualname__}" == name:
            add([found])
            done.append(name)
        elif "uple" in str(getattr(add, "__annotations__", "")):  # newer torch accepts (object, name) pairs
            add([(found, name)])
            done.append(name)
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
