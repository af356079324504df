"""Import hook of the shims, called after a package is imported; installed as ``envsmith_shims``.

Standard library only, no import of envsmith: runs on Python 3.9 and later. ``envsmith_shims.pth`` calls `start` each
time Python starts, so this module imports only modules that are loaded by then, not even ``__future__``. ``active.txt``
lists the shims with the modules to watch for, and the globals, as plain text; no user input is run as code.

``ENVSMITH_SHIMS=off`` in the environment disables all shims.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ACTIVE = "active.txt"

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
    shims = [line.split()[1:] for line in lines if line.startswith("shim ")]
    active[:] = [name for name, *_ in shims]
    watched: dict[str, list[str]] = {}
    for name, *modules in shims:
        for module in modules:
            watched.setdefault(module, []).append(name)
    if watched:
        sys.meta_path.insert(0, Watch(watched, [line[7:] for line in lines if line.startswith("global ")]))


class Watch:
    """Finder that delegates to the other finders and applies shims after a watched module has run.

    Args:
        watched: module → shims to apply after it has run.
        names: dotted names of the profile's safe globals.
    """

    def __init__(self, watched: dict[str, list[str]], names: list[str]) -> None:
        self._watched = watched
        self._names = names
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
        from importlib import import_module

        try:
            for shim in self._watched[name]:
                code = import_module(f".{shim.replace('-', '_')}", __name__)
                code.apply(module, self._names, added.setdefault(shim, []), failed)
        except Exception as error:  # noqa: BLE001 - a shim must never make an import fail
            import warnings

            failed[name] = f"{type(error).__name__}: {error}"
            warnings.warn(
                f"envsmith_shims: shim for {name} failed: {failed[name]}", RuntimeWarning, stacklevel=2
            )
