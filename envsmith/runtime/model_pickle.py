"""Read the opcodes of pickles: nothing in them is imported, and nothing is called.

Sources: Python's pickletools; the archives that torch 2.13.0 writes (2026-11-21).
"""

from __future__ import annotations

import contextlib
import pickletools
import zipfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PLAIN = ("collections.OrderedDict",)
_MOST_PICKLES = 5
_PICKLES = ("data.pkl", "constants.pkl")
# Whoever may call what lies in these may do anything.
_DANGEROUS = frozenset(
    (
        *(
            "os",
            "posix",
            "nt",
            "sys",
            "subprocess",
            "builtins",
            "__builtin__",
            "importlib",
            "runpy",
            "pty",
            "shutil",
        ),
        *("socket", "ctypes", "code", "pickle", "_pickle", "marshal", "operator", "webbrowser", "commands"),
    )
)


_HARMLESS = frozenset(
    ("set", "frozenset", "bytearray", "bytes", "complex", "slice", "range", "object", "list", "dict", "int")
)


def is_dangerous(name: str) -> bool:
    """Say whether a dotted name is of what can run anything."""
    module, _, rest = name.partition(".")
    return module in _DANGEROUS and not is_harmless(name) and bool(rest)


def is_harmless(name: str) -> bool:
    """Say whether a dotted name is of a builtin type that only holds things."""
    module, _, rest = name.partition(".")
    return module in ("builtins", "__builtin__") and rest in _HARMLESS


def opcodes(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield opcodes with their arguments."""
    with contextlib.suppress(ValueError):  # a pickle that breaks off: what came before it counts
        for opcode, argument, _ in pickletools.genops(data):
            yield opcode.name, argument


def globals_of(data: bytes) -> list[str]:
    """Return the dotted names that a pickle asks for, in its order."""
    found: list[str] = []
    texts: list[str] = []
    for name, argument in opcodes(data):
        if name == "GLOBAL":
            found.append(argument.replace(" ", "."))
        elif name == "STACK_GLOBAL":
            found.append(".".join(texts[-2:]))
        elif isinstance(argument, str):
            texts.append(argument)
    return list(dict.fromkeys(found))


def pickles(path: str) -> list[bytes]:
    """Return the pickles of an archive as `torch.save` and `torch.jit.save` write it, else those a file begins with.

    torch before 1.6 wrote several, one after another: that which asks for most comes first.
    """
    if not zipfile.is_zipfile(path):
        return sorted(_in_turn(path), key=lambda data: -len(globals_of(data)))
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            (name for name in archive.namelist() if name.rpartition("/")[2] in _PICKLES), reverse=True
        )
        return [archive.read(name) for name in names]


def _in_turn(path: str) -> Iterator[bytes]:
    with open(path, "rb") as stream:  # noqa: PTH123 - a path of its own is not needed
        for _ in range(_MOST_PICKLES):
            begin = stream.tell()
            with contextlib.suppress(ValueError):
                for _ in pickletools.genops(stream):
                    pass
            end = stream.tell()
            stream.seek(begin)
            yield stream.read(end - begin)


def is_whole_object(data: bytes) -> bool:
    """Say whether what a pickle holds is an object of some class, and no dict."""
    read = list(opcodes(data))
    last = [
        name for name, _ in read if not name.startswith(("STOP", "BINPUT", "LONG_BINPUT", "MEMOIZE", "PUT"))
    ]
    if last and last[-1].startswith("TUPLE"):
        return False
    for name, argument in read:
        if name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_SET"):
            return False
        if name == "GLOBAL":
            return argument.replace(" ", ".") not in PLAIN
    return False


def devices(data: bytes) -> set[str]:
    """Return the texts in a pickle that are names of devices other than the CPU."""
    return {argument for _, argument in opcodes(data) if isinstance(argument, str) and _is_device(argument)}


def _is_device(text: str) -> bool:
    family, _, number = text.partition(":")
    return family in ("cuda", "xpu", "mps", "hpu") and (not number or number.isdigit())


def is_torchscript(path: str) -> bool:
    """Say whether a file is an archive with code in it."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
