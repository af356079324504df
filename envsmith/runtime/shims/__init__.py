"""Adds to packages what they lack, after they are imported; put into environments as ``envsmith_shims``.

Standard library only, and no name of envsmith's: any Python from 3.9 on runs it. ``envsmith_shims.pth`` calls `start`
whenever Python starts, so that this module imports nothing that is not there by then, not even ``__future__``. What is
to be done stands as plain words in ``active.txt``; nothing that people wrote is ever run as code.

``ENVSMITH_SHIMS=off`` in the environment leaves everything as it is.
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
"""The shims that watch in this process."""
added: dict[str, list[str]] = {}
"""Shim → the names it has added in this process."""
failed: dict[str, str] = {}
"""Shim → why it could not do its work."""


def start() -> None:
    """Watch for the modules that the active shims are for.

    In an environment Python reads ``.pth`` files twice (`site.main` and `site.venv`, CPython 3.11): once is enough.
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
    """Return the modules that dotted names may lie in: a class may be inside another one."""
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
    """A finder that finds nothing itself: it lets the others find, and hears when the module has been run.

    Args:
        watched: module → what is called after it has been run, with its name and the module.
    """

    def __init__(self, watched: "dict[str, After]") -> None:
        self._watched = watched
        self._busy: set[str] = set()

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":  # noqa: ANN401 - as importlib has it
        """Return what the other finders say, None for all that is not watched."""
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
        """Let one loader tell when it has run its module; it is as before then."""
        run = getattr(loader, "exec_module", None)
        if run is None or isinstance(loader, type):  # a namespace, or what Python is made of
            return

        def exec_module(module: "Any") -> None:  # noqa: ANN401 - a module
            try:
                run(module)
            finally:
                vars(loader).pop("exec_module", None)
            self._done(name, module)

        try:
            loader.exec_module = exec_module
        except AttributeError:  # it takes no attributes: then its module stays as it is
            failed[name] = f"{type(loader).__name__} cannot be followed"

    def _done(self, name: str, module: "Any") -> None:  # noqa: ANN401 - a module
        try:
            self._watched[name](name, module)
        except Exception as error:  # noqa: BLE001 - a shim must never be the reason why an import fails
            import warnings

            failed[name] = f"{type(error).__name__}: {error}"
            warnings.warn(
                f"envsmith_shims: nothing is added to {name}: {failed[name]}", RuntimeWarning, stacklevel=2
            )
