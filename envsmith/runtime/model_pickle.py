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
        *(
            "asyncio",
            "bdb",
            "cProfile",
            "codeop",
            "multiprocessing",
            "pdb",
            "pip",
            "profile",
            "pydoc",
            "timeit",
        ),
        *("trace", "zipimport", "?"),
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
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    with contextlib.suppress(ValueError):  # a pickle that breaks off: what came before it counts
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in ("GLOBAL", "INST"):
                found.append(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                found.append(".".join(item if isinstance(item, str) else "?" for item in stack[-2:]))
            _move(opcode, argument, stack, memo)
    return list(dict.fromkeys(found))


def _move(opcode: Any, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:  # noqa: ANN401 - pickletools'
    """Do to a stack of texts what an opcode does: what is no text, and a mark, is told apart and no more."""
    name = opcode.name
    if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
        memo[len(memo) if name == "MEMOIZE" else int(argument)] = stack[-1] if stack else None
        return
    before = opcode.stack_before
    if pickletools.markobject in before:
        while stack and stack.pop() is not pickletools.markobject:
            pass
        before = before[: before.index(pickletools.markobject)]
    kept = stack[-1] if stack else None
    del stack[max(len(stack) - len(before), 0) :]
    if name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(memo.get(int(argument)))
    elif name == "DUP":
        stack += [kept, kept]
    else:
        stack += [_pushed(item, argument) for item in opcode.stack_after]


def _pushed(item: Any, argument: Any) -> Any:  # noqa: ANN401 - pickletools'
    """Return what stands on the stack for a thing: a text, a mark, or None."""
    if item is pickletools.markobject:
        return item
    return argument if isinstance(argument, str) else None


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
            begin, is_whole = stream.tell(), False
            with contextlib.suppress(ValueError):
                for _ in pickletools.genops(stream):
                    pass
                is_whole = True
            end = stream.tell()
            stream.seek(begin)
            yield stream.read(end - begin)
            if not is_whole:  # no loader comes past it, and what lies behind begins anywhere
                return


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
