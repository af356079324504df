"""Tells torch which classes and functions of checkpoints a profile allows, each when its module has been imported.

Nothing is imported for it, and ``weights_only`` is never turned off: a name whose module the program does not import
stays refused.

Sources: torch 2.13.0 and 2.8.0, ``torch/serialization.py`` (`add_safe_globals`, from 2.4.0 on) and
``torch/_weights_only_unpickler.py`` (a name is looked up as ``{__module__}.{__qualname__}``, or as the text beside it
where pairs are taken), read in their wheels 2026-11-21.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def allow(names: list[str], done: list[str], failed: dict[str, str]) -> None:
    """Allow those names whose modules are there by now.

    Args:
        names: dotted, as a profile lists them.
        done: those allowed already; what is allowed now is added.
        failed: why a name cannot be allowed is put here.
    """
    # None where torch is before 2.4, or is being imported: then this is called again.
    add: Any = getattr(sys.modules.get("torch.serialization"), "add_safe_globals", None)
    for name in names if add else ():
        found = None if name in done else _found(name)
        if found is None:
            continue
        if not callable(found):
            failed[name] = "is no class or function"
        elif f"{found.__module__}.{found.__qualname__}" == name:
            add([found])
            done.append(name)
        elif "uple" in str(getattr(add, "__annotations__", "")):  # it takes a name beside the thing
            add([(found, name)])
            done.append(name)
        else:
            failed[name] = (
                f"is now {found.__module__}.{found.__qualname__}, and this torch takes no second name"
            )


def _found(name: str) -> Any:  # noqa: ANN401 - whatever a name stands for
    """Return what a dotted name stands for, as far as that is imported; no module is asked to import more."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:length]))
        if module is not None:
            found = vars(module).get(parts[length])
            for part in parts[length + 1 :]:
                found = vars(found).get(part) if isinstance(found, type) else None
            return found
    return None
