"""Opcodes of pickles, read without importing or calling anything.

Sources: Python's pickletools; archives written by torch 2.13.0 (2026-11-21).
"""

from __future__ import annotations

import contextlib
import pickletools
import zipfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PLAIN_GLOBALS = ("collections.OrderedDict",)
_MAX_PICKLES = 5
_PICKLE_FILES = ("data.pkl", "constants.pkl")
# A pickle that may call functions of these modules can run any code.
_DANGEROUS = frozenset(
    """
    __builtin__ _pickle asyncio bdb builtins cProfile code codeop commands ctypes importlib marshal
    multiprocessing nt operator os pdb pickle pip posix profile pty pydoc runpy shutil socket subprocess sys
    timeit trace webbrowser zipimport ?
    """.split()  # noqa: SIM905 - a list literal would take a line for each
)
_CONTAINER_TYPES = frozenset(
    ("set", "frozenset", "bytearray", "bytes", "complex", "slice", "range", "object", "list", "dict", "int")
)


def is_dangerous(name: str) -> bool:
    """Say whether a dotted name belongs to a module whose functions can run any code."""
    module, _, rest = name.partition(".")
    return module in _DANGEROUS and not is_harmless(name) and bool(rest)


def is_harmless(name: str) -> bool:
    """Say whether a dotted name is a builtin type without side effects."""
    module, _, rest = name.partition(".")
    return module in ("builtins", "__builtin__") and rest in _CONTAINER_TYPES


def opcodes(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield opcodes with their arguments."""
    with contextlib.suppress(ValueError):  # a truncated pickle: use the part before the end
        for opcode, argument, _ in pickletools.genops(data):
            yield opcode.name, argument


def globals_of(data: bytes) -> list[str]:
    """Return the globals of a pickle as dotted names, in order; unknown parts as ``?``."""
    found: list[str] = []
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    with contextlib.suppress(ValueError):  # a truncated pickle: use the part before the end
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in ("GLOBAL", "INST"):
                found.append(str(argument).replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                found.append(".".join(item if isinstance(item, str) else "?" for item in stack[-2:]))
            _apply(opcode, argument, stack, memo)
    return list(dict.fromkeys(found))


def _apply(opcode: Any, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:  # noqa: ANN401 - pickletools'
    """Apply an opcode to a stack of strings and marks; other items become None."""
    name = opcode.name
    if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
        memo[len(memo) if name == "MEMOIZE" else int(argument)] = stack[-1] if stack else None
        return
    before = opcode.stack_before
    if pickletools.markobject in before:
        while stack and stack.pop() is not pickletools.markobject:
            pass
        before = before[: before.index(pickletools.markobject)]
    top = stack[-1] if stack else None
    del stack[max(len(stack) - len(before), 0) :]
    if name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(memo.get(int(argument)))
    elif name == "DUP":
        stack += [top, top]
    else:
        stack += [_stack_item(item, argument) for item in opcode.stack_after]


def _stack_item(item: Any, argument: Any) -> Any:  # noqa: ANN401 - pickletools'
    """Return the stack item of an opcode's result: a string, a mark, or None."""
    if item is pickletools.markobject:
        return item
    return argument if isinstance(argument, str) else None


def pickles(path: str) -> list[bytes]:
    """Return the pickles of an archive written by `torch.save` or `torch.jit.save`, else those at the start of a file.

    torch before 1.6 wrote several pickles one after another; the one with the most globals comes first.
    """
    if not zipfile.is_zipfile(path):
        return sorted(_consecutive_pickles(path), key=lambda data: -len(globals_of(data)))
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            (name for name in archive.namelist() if name.rpartition("/")[2] in _PICKLE_FILES), reverse=True
        )
        return [archive.read(name) for name in names]


def _consecutive_pickles(path: str) -> Iterator[bytes]:
    with open(path, "rb") as stream:  # noqa: PTH123 - the path is a string
        for _ in range(_MAX_PICKLES):
            begin, is_whole = stream.tell(), False
            with contextlib.suppress(ValueError):
                for _ in pickletools.genops(stream):
                    pass
                is_whole = True
            end = stream.tell()
            stream.seek(begin)
            yield stream.read(end - begin)
            if not is_whole:  # no loader reads past a broken pickle
                return


def is_whole_object(data: bytes) -> bool:
    """Say whether the top-level value of a pickle is an instance of a class, not a plain container."""
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
            return argument.replace(" ", ".") not in _PLAIN_GLOBALS
    return False


def devices(data: bytes) -> set[str]:
    """Return the strings in a pickle that name devices other than the CPU."""
    return {argument for _, argument in opcodes(data) if isinstance(argument, str) and _is_device(argument)}


def _is_device(text: str) -> bool:
    kind, _, number = text.partition(":")
    return kind in ("cuda", "xpu", "mps", "hpu") and (not number or number.isdigit())


def is_torchscript(path: str) -> bool:
    """Say whether a file is a zip archive that contains code."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())
