"""Signals that end envsmith: interrupt the main thread, end the programs it started, and exit in bounded time."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from envsmith.errors import INTERRUPTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from types import FrameType

EXIT_AFTER_S = 4.0
"""From the first signal to the exit, whatever the threads of this process wait for."""
_PAUSE_S = 0.01
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_LATE = b"interrupted; no files are half-written\n"


class _State:
    """What the handler has seen; only the main thread changes it."""

    is_received = False
    is_lost = False
    is_ending = False
    holds = 0
    is_pending = False
    attached: subprocess.Popen[bytes] | None = None


_at_interrupt: list[Callable[[], None]] = []


def catch() -> None:
    """Handle the signals that end a process, but leave those ignored that the parent ignores, as nohup does."""
    sys.unraisablehook = _raise_again
    for number in _numbers():
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _handle)
    if os.name == "nt":
        _watch()


def _watch() -> None:
    """Learn of signals in a thread as well: Windows interrupts no wait of the main thread for threads or programs."""
    reader, writer = os.pipe()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _thread.start_new_thread(_wait_for_signal, (reader,))


def release() -> None:
    """Let signals end the process at once, without a message: its work is done."""
    for number in _numbers():
        if signal.getsignal(number) == _handle:
            signal.signal(number, signal.SIG_DFL)


def is_received() -> bool:
    """Return whether a signal has asked this process to end."""
    return _State.is_received


def at_interrupt(end: Callable[[], None]) -> None:
    """Call a function once a signal was received, in a thread of its own."""
    _at_interrupt.append(end)


@contextmanager
def held() -> Iterator[None]:
    """Raise no interrupt inside the block, but after it: what the block starts must be known to be ended."""
    import threading

    if threading.current_thread() is not threading.main_thread():  # handlers run in the main thread only
        yield
        return
    _State.holds += 1
    try:
        yield
    finally:
        _State.holds -= 1
        if _State.is_pending and not _State.holds:
            _State.is_pending = False
            raise KeyboardInterrupt


def pass_to(process: subprocess.Popen[bytes] | None) -> None:
    """Pass signals on to a program of the user that is attached to this terminal and decides itself; None ends that.

    The program stays in our process group: in another one it could not read from the terminal. Thus it receives the
    interrupts of the terminal without our help.
    """
    _State.attached = process


def _numbers() -> list[int]:
    return [int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name)]


def _handle(number: int, _: FrameType | None) -> None:
    """Interrupt the main thread once: a second signal must not interrupt the clean-up, which is bounded in time."""
    if _State.attached is not None:
        if os.name != "nt" and not (number == signal.SIGINT and _is_in_foreground()):
            _State.attached.send_signal(number)
        return
    if _State.is_received and not _State.is_lost:
        return
    _end()
    _State.is_received, _State.is_lost = True, False
    if _State.holds:
        _State.is_pending = True
        return
    raise KeyboardInterrupt


def _end() -> None:
    """Start what ends this process and its programs, once."""
    is_first, _State.is_ending = not _State.is_ending, True
    for function in (*_at_interrupt, _exit_late) if is_first else ():
        _thread.start_new_thread(function, ())  # `threading` takes locks that the interrupted code may hold


def _wait_for_signal(reader: int) -> None:
    while signal.getsignal(os.read(reader, 1)[0]) != _handle or _State.attached is not None:
        pass  # ignored, or for a program of the user
    _end()


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Raise an interrupt again that Python prints and drops: in a finalizer, or a callback of the import system."""
    if _State.is_received and lost.exc_type is KeyboardInterrupt:
        _State.is_lost = True
        _thread.start_new_thread(_interrupt_soon, ())  # here it would be dropped once more
    else:
        sys.__unraisablehook__(lost)


def _interrupt_soon() -> None:
    time.sleep(_PAUSE_S)
    _thread.interrupt_main()


def _is_in_foreground() -> bool:
    """Return whether this process group is the one that the terminal sends its interrupts to."""
    if sys.platform == "win32":
        return True
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False


def _exit_late() -> None:
    """End this process if it has not ended by itself: its files survive that, as they do a kill."""
    time.sleep(EXIT_AFTER_S)
    with suppress(OSError):
        os.write(2, _LATE)
    os._exit(INTERRUPTED)
