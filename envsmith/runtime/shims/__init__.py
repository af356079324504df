"""Import hook of the shims, called after a package is imported; installed as ``envsmith_shims``.

Standard library only, no import of envsmith: runs on Python 3.9 and later. ``envsmith_shims.pth`` calls `start` each
time Python starts, so this module imports only modules that are loaded by then, not even ``__future__``. ``active.txt``
lists the shims and globals as plain text; no user input is run as code.

``ENVSMITH_SHIMS=off`` in the environment disables all shims.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    After: TypeAlias = Callable[[str, Any], None]

ACTIVE = "active.txt"
LEGACY, SAFE = "torchaudio-legacy-api", "torch-safe-globals"

active: list[str] = []
"""Shims active in this process."""
added: dict[str, list[str]] = {}
"""Shim → names that it added in this process."""
failed: dict[str, str] = {}
"""Shim, module or name → reason for a failure."""


def start() -> None:
    """Watch for the modules of the active shims.

    Python reads the ``.pth`` files of a virtual environment twice (`site.main` and `site.venv`, CPython 3.11); the
    second call does nothing.
    """
    if os.environ.get("ENVSMITH_SHIMS") == "off" or any(isinstance(one, Watch) for one in sys.meta_path):
        return
    try:
        with open(os.path.join(os.path.dirname(__file__), ACTIVE), encoding="utf-8") as stream:  # noqa: PTH118, PTH120, PTH123
            lines = stream.read().split("\n")
    except (OSError, ValueError):
        return
    active[:] = [line[5:] for line in lines if line.startswith("shim ")]
    names = [line[7:] for line in lines if line.startswith("global ")]
    watched: dict[str, After] = {}
    if LEGACY in active:
        watched["torchaudio"] = _torchaudio
    if SAFE in active and names:
        allow = _allowing(names)
        watched = {**dict.fromkeys(modules_of(names), allow), "torch.serialization": allow, **watched}
    if watched:
        sys.meta_path.insert(0, Watch(watched))


def modules_of(names: list[str]) -> set[str]:
    """Return the possible modules of dotted names; a class may be nested in another."""
    found: set[str] = set()
    for name in names:
        parts = name.split(".")
        found.update(".".join(parts[:length]) for length in range(1, len(parts)))
    return found


def _torchaudio(_: str, module: "Any") -> None:  # noqa: ANN401 - a module
    from .torchaudio_legacy_api import extend

    added[LEGACY] = extend(module)


def _allowing(names: list[str]) -> "After":
    def allow(_: str, module: "Any") -> None:  # noqa: ANN401, ARG001 - a module
        if "torch.serialization" in sys.modules:
            from .torch_safe_globals import allow

            allow(names, added.setdefault(SAFE, []), failed)

    return allow


class Watch:
    """Finder that delegates to the other finders and calls back after a watched module has run.

    Args:
        watched: module → callback, called with its name and the module after it has run.
    """

    def __init__(self, watched: "dict[str, After]") -> None:
        self._watched = watched
        self._busy: set[str] = set()

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":  # noqa: ANN401 - as importlib has it
        """Return the spec of another finder for a watched module; None for other modules."""
        if name not in self._watched or name in self._busy:
            return None
        self._busy.add(name)
        try:
            for finder in list(sys.meta_path):
                find = getattr(finder, "find_spec", None)
                spec = find(name, path, target) if find is not None and finder is not self else None
                if spec is not None:
                    self._follow(name, spec.loader)
                    return spec
        finally:
            self._busy.discard(name)
        return None

    def _follow(self, name: str, loader: "Any") -> None:  # noqa: ANN401 - any loader
        """Wrap a loader's `exec_module` once; the wrapper removes itself after the module has run."""
        run = getattr(loader, "exec_module", None)
        if run is None or isinstance(loader, type):  # a namespace package, or a built-in or frozen module
            return

        def exec_module(module: "Any") -> None:  # noqa: ANN401 - a module
            try:
                run(module)
            finally:
                vars(loader).pop("exec_module", None)
            self._done(name, module)

        try:
            loader.exec_module = exec_module
        except AttributeError:  # a loader with slots: its module stays unchanged
            failed[name] = f"{type(loader).__name__} cannot be wrapped"

    def _done(self, name: str, module: "Any") -> None:  # noqa: ANN401 - a module
        try:
            self._watched[name](name, module)
        except Exception as error:  # noqa: BLE001 - a shim must never make an import fail
            import warnings

            failed[name] = f"{type(error).__name__}: {error}"
            warnings.warn(
                f"envsmith_shims: shim for {name} failed: {failed[name]}", RuntimeWarning, stacklevel=2
            )
