"""Finds out what this machine is: system, C library, drivers, GPUs."""

from __future__ import annotations

from envsmith.adapters.host import this_platform
from envsmith.model.host import Host


def detect() -> Host:
    """Describe this machine."""
    return Host.of_platform(this_platform())
