"""A network with loopback only, for this process and the programs it starts."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import MutableMapping

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_SIOCSIFFLAGS = 0x8914  # linux/sockios.h
_IFF_UP = 1  # linux/if.h
REFUSING = "http://127.0.0.1:9"
"""A proxy that does not exist; connections to it are refused at once."""


def leave_network() -> bool:
    """Move this thread, its later threads and programs into a network namespace of their own.

    Returns:
        Whether the system allowed it: Linux allows it to root, and to others in some containers.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        return False
    # Loopback is down in a new namespace.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
    return True


def refuse_by_proxy(environ: MutableMapping[str, str] = os.environ) -> None:
    """Lead programs that honour proxy settings to a proxy that refuses them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        environ[name] = environ[name.lower()] = REFUSING
    environ["NO_PROXY"] = environ["no_proxy"] = "127.0.0.1,localhost"
