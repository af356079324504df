"""The shims that a profile names, as a package of an installation."""

from __future__ import annotations

from dataclasses import replace

from envsmith.config.profile import Profile
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.shim import PROJECT, ShimPackage, package


def with_shims(pins: Pins, package: ShimPackage | None) -> Pins:
    """Return what is to be installed: the packages of a lock, and the shims where there are any."""
    if package is None:
        return pins
    pin = Pin(name=PROJECT, version=package.version, sha256=())
    return replace(pins, packages=(*pins.packages, pin))


def shims_of(profile: Profile | None) -> ShimPackage | None:
    """Return the shims that the profile asks for, as the package they come as; None where it asks for none."""
    if profile is None or not profile.texts("shims"):
        return None
    from envsmith.shims import environment

    return package(profile.texts("shims"), profile.texts("safe-globals"), environment.sources())
