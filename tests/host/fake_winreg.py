"""Python's ``winreg`` on a machine that has no registry: the functions and names that are used, on a dict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from envsmith.host.system_probes import PATH_KEYS

Key = tuple[str, str]
NAMES = {"HKCU": "HKEY_CURRENT_USER", "HKLM": "HKEY_LOCAL_MACHINE"}


@dataclass
class FakeWinreg:
    """A registry; as the real one it knows values by name in any case of letters."""

    values: dict[tuple[str, str, str], tuple[object, int]]
    """Root, key, name in small letters → value and type."""
    protected: frozenset[str] = frozenset()
    """Roots that this user may not write."""
    HKEY_CURRENT_USER: str = "HKCU"
    HKEY_LOCAL_MACHINE: str = "HKLM"
    REG_SZ: int = 1
    REG_EXPAND_SZ: int = 2
    KEY_QUERY_VALUE: int = 0x0001
    KEY_SET_VALUE: int = 0x0002
    accesses: list[int] = field(default_factory=list)

    @contextmanager
    def OpenKey(self, root: str, key: str, reserved: int, access: int) -> Iterator[tuple[Key, int]]:  # noqa: N802
        assert reserved == 0
        if access != self.KEY_QUERY_VALUE and root in self.protected:
            raise PermissionError(5, "Access is denied")
        if not any(place[:2] == (root, key) for place in self.values):
            raise FileNotFoundError(2, "The system cannot find the file specified")
        yield (root, key), access

    def QueryValueEx(self, opened: tuple[Key, int], name: str) -> tuple[object, int]:  # noqa: N802
        (root, key), access = opened
        assert access & self.KEY_QUERY_VALUE
        try:
            return self.values[root, key, name.lower()]
        except KeyError:
            raise FileNotFoundError(2, "The system cannot find the file specified") from None

    def SetValueEx(self, opened: tuple[Key, int], name: str, reserved: int, kind: int, value: str) -> None:  # noqa: N802
        (root, key), access = opened
        assert access & self.KEY_SET_VALUE
        assert reserved == 0
        self.values[root, key, name.lower()] = value, kind

    def ask(self, root: str, key: str, name: str) -> object:
        """Answer as `registry.ask` does."""
        return self.values.get((root, key, name.lower()), (None, 0))[0]


def with_paths(
    user: str = "", machine: str = "", *, kind: int = 2, protected: frozenset[str] = frozenset()
) -> FakeWinreg:
    """Return a registry with PATH in its two scopes; a scope without a text has the key, and no value."""
    values: dict[tuple[str, str, str], tuple[object, int]] = {}
    for scope, text in (("user", user), ("machine", machine)):
        root, key = PATH_KEYS[scope]
        values[root, key, "temp"] = (r"C:\Temp", 2)
        if text:
            values[root, key, "path"] = (text, kind)
    return FakeWinreg(values=values, protected=protected)


def text_of(registry: FakeWinreg, scope: str) -> tuple[object, int]:
    """Return PATH as it is kept."""
    root, key = PATH_KEYS[scope]
    return registry.values[root, key, "path"]
