"""Packages of the profile's ``given``: as recorded by the lock, else as the image has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from envsmith.config.profile import Profile
from envsmith.environment import given
from envsmith.environment.interpreter import Probe
from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.model.finding import Decision
from envsmith.plan.model import LockRequest


def recorded_given(profile: Profile, manifest: Manifest | None) -> tuple[ProvidedPackage, ...]:
    """Return the given packages as a lock records them; those that it does not have are without version."""
    recorded = {item.name: item for item in (manifest.given if manifest else ())}
    return tuple(recorded.get(name, ProvidedPackage(name=name)) for name in profile.given)


def with_given(request: LockRequest, python: str, probe: Probe) -> LockRequest:
    """Return a request with the given packages of an image, unless its lock records them.

    Args:
        request: with the recorded ones.
        python: interpreter of the image, typed; empty for that of the profile, else python3.
        probe: starts the interpreter.

    Raises:
        InstallError: ENV084 when the image lacks one, or is for none of the targets.
    """
    profile = request.profile
    others = tuple(item for item in request.provided if item.name not in profile.given)
    found = tuple(item for item in request.provided if item.name in profile.given)
    if found and (python or any(not item.version for item in found)):
        base = given.base_of(python or given.outside_project(profile.given_python), probe)
        found = given.read_given(profile.given, base, probe)
        interpreter = probe.interpreter(interpreter_path(base))
        if not any(interpreter.supports(item.python, item.platform) for item in profile.targets()):
            raise InstallError(
                given.CODE,
                f"the interpreter with the given packages is {interpreter}, and fits no target of {profile.name}",
                where=interpreter.executable,
                hint="set python and platforms of the profile to those of the image",
            )
    return replace(
        request,
        provided=(*others, *found),
        notes=(*request.notes, *(_note(item) for item in found)),
    )


def _note(item: ProvidedPackage) -> Decision:
    message = f"{item.name} {item.version} is given by the image: not locked, its requirements are"
    return Decision(subject=item.name, kind="noted", message=message, code="PRF120")


def read_all(requests: Sequence[LockRequest], python: str) -> tuple[LockRequest, ...]:
    """Return requests with the given packages of the image, as `with_given`."""
    if not any(item.profile.given for item in requests):
        return tuple(requests)
    from envsmith.process.runner import Processes

    processes = Processes()
    try:
        return tuple(map(partial(with_given, python=python, probe=Probe(processes=processes)), requests))
    finally:
        processes.close()
