"""Findings about installed packages: known failures in output, conflicts of files, mixed torch builds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from packaging.version import InvalidVersion, Version

from envsmith.catalog import Catalog
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment, Import, InstallOrigin
from envsmith.errors import EnvsmithError
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Severity, UnmetRequirement
from envsmith.model.shell import quote_path

MAX_CHARACTERS = 400
# SGR escape sequences: colours and styles.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
GENERAL = ("undefined-symbol",)
"""Failures reported only if no more specific one matches the same line."""
_MAX_NAMED = 3
_WITH_TORCH = ("torchvision", "torchaudio")
# The first versions built for the stable ABI, which work with later versions of torch.
# Source: METADATA and __init__.py of the wheels on PyPI, read 2026-11-20.
_STABLE_ABI = {"torchvision": Version("0.29.1"), "torchaudio": Version("2.11.0")}


def known_failures(text: str, catalog: Catalog) -> Iterator[Finding]:
    """Find known failures in the output of a program.

    Args:
        text: the end of the output.
        catalog: the known failures.

    Yields:
        One finding for each, with the matching line, the cause and a fix.
    """
    text = _COLOURS.sub("", text)
    matched: set[str] = set()
    for failure in catalog.failures():
        line = failure.line(text)
        if not line or (failure.name in GENERAL and line in matched):
            continue
        matched.add(line)
        shown = line if len(line) <= MAX_CHARACTERS else f"{line[:MAX_CHARACTERS]}…"
        yield Finding(
            code="HST050",
            severity="error",
            subject=failure.name,
            message=f"{failure.cause}\nseen: {shown}\nsource: {failure.source} ({failure.retrieved})",
            hint=failure.fix,
        )


def overlaps(condition: InstalledState) -> Iterator[Finding]:
    """Find distributions that install different files at one path: the last one installed overwrites the others."""
    for item in condition.overlaps:
        named = ", ".join(item.paths[:_MAX_NAMED]) + (" and others" if item.count > _MAX_NAMED else "")
        files = "the same file" if item.count == 1 else f"the same {item.count} files"
        text = f"{' and '.join(item.owners)} install {files} with different content: {named}"
        yield _finding("ENV061", item.owners[0], text)


def unsatisfied(texts: Iterable[str], environment: Environment) -> Iterator[Finding]:
    """Find requirements that the lock leaves out on purpose, and that `pip check` reports as missing.

    Args:
        texts: from the manifest: ``timm: torchvision``.
        environment: as installed.
    """
    found = {item.name for item in environment.distributions}
    for item in map(UnmetRequirement.parse, texts):
        if item.requirer in found and item.project not in found:
            text = (
                f"{item.requirer} requires {item.requirement}, which the lock leaves out on purpose; "
                "`pip check` reports it as missing"
            )
            yield _finding("ENV062", item.requirer, text, severity="note")


def origins(pins: Pins, condition: InstalledState) -> Iterator[Finding]:
    """Find locked distributions that were not installed from the locked file."""
    for pin in pins.packages:
        origin = condition.origins.get(pin.name)
        if origin and not _is_locked(pin, origin):
            source = {"folder": "a folder", "vcs": "version control"}.get(origin.kind, "another file")
            text = f"{pin.name} {pin.shown} was installed from {source}: {_without_login(origin.url)}"
            yield _finding("ENV063", pin.name, text)


def _is_locked(pin: Pin, origin: InstallOrigin) -> bool:
    if pin.is_unhashed:
        return origin.is_of(pin.source)
    return origin.kind == "archive" and (not origin.sha256 or origin.sha256 in pin.sha256)


def _without_login(url: str) -> str:
    """Return a URL without user and password."""
    scheme, colon, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{colon}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def failed_runs(runs: Iterable[Import]) -> Iterator[Finding]:
    """Find failed commands of the smoke tests."""
    for item in runs:
        if item.error:
            yield _finding("ENV064", item.name, f"`{item.name}` fails: {item.error}")


def leftovers(condition: InstalledState, environment: Environment) -> Iterator[Finding]:
    """Find folders left by interrupted installs and removals."""
    for item in condition.halves:
        hint = f"delete {quote_path(f'{environment.prefix}/{environment.site}/{item.folder}')}"
        yield _finding("ENV067", item.folder, f"{item.folder}: {item.why}", hint=hint)


def unusable(why: str) -> Finding:
    """Return the finding for an environment that cannot be inspected: its Python was removed or updated."""
    hint = "rebuild it with `envsmith install`, or with the tool that created it"
    return _finding("ENV078", "environment", f"the environment cannot be used: {why}", hint=hint)


def broken(condition: InstalledState, environment: Environment) -> Iterator[Finding]:
    """Find leftovers, distributions with missing files, and programs of other environments."""
    yield from leftovers(condition, environment)
    known = {item.folder for item in condition.halves}
    for found in environment.distributions:
        if found.missing_count and found.folder not in known:
            are = "is" if found.missing_count == 1 else "are"
            text = (
                f"{found.name} {found.version}: {found.missing_count} of {found.files} files {are} missing: "
            )
            named = ", ".join(found.missing[:_MAX_NAMED])
            into = f"uv pip install --python {quote_path(environment.prefix)} --reinstall --no-deps"
            hint = f"{into} {found.name}=={found.version}"
            yield _finding("ENV067", found.name, text + named, hint=hint)
    yield from elsewhere(condition)


def strays(condition: InstalledState) -> Iterator[Finding]:
    """Find code in ``site-packages`` that belongs to no distribution."""
    if condition.strays:
        paths = [item.path for item in condition.strays]
        count, named = len(paths), ", ".join(paths[:_MAX_NAMED])
        are = f"{count} files or folders belong" if count > 1 else "1 file or folder belongs"
        more = f" and {count - _MAX_NAMED} more" if count > _MAX_NAMED else ""
        text = f"{are} to no distribution, but contain{'' if count > 1 else 's'} code: {named}{more}"
        yield _finding("ENV018", paths[0], text)


def elsewhere(condition: InstalledState) -> Iterator[Finding]:
    """Find programs that start the Python of another environment, as after moving or copying it."""
    for python in dict.fromkeys(item.python for item in condition.elsewhere):
        names = [item.program for item in condition.elsewhere if item.python == python]
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        verb = "starts" if len(names) == 1 else "start"
        text = f"{', '.join(names[:_MAX_NAMED])}{more} {verb} {python} instead of this environment's Python"
        hint = "rebuild it in its present folder, as with `envsmith install`: programs contain the path of their Python"
        yield _finding("ENV079", python, f"{text}: the environment was moved or copied", hint=hint)


def shadows(condition: InstalledState) -> Iterator[Finding]:
    """Find modules that are imported instead of installed ones."""
    for item in condition.shadows:
        if item.owner:
            text = f"{item.path} is imported instead of the module {item.module} of {item.owner}"
            hint = f"rename {item.path}, or remove its folder from PYTHONPATH"
            yield _finding("ENV068", item.module, text, hint=hint)
    over = [item for item in condition.shadows if not item.owner]
    if over:
        more = f" and {len(over) - _MAX_NAMED} more" if len(over) > _MAX_NAMED else ""
        named = ", ".join(item.path for item in over[:_MAX_NAMED])
        text = f"{named}{more} {'are' if len(over) > 1 else 'is'} imported instead of the standard library"
        hint = "rename it, or remove its folder from PYTHONPATH; programs started in other folders are not affected"
        yield _finding("ENV068", over[0].module, text, severity="warning", hint=hint)


def _finding(
    code: str, subject: str, message: str, *, severity: Severity = "error", hint: str = ""
) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)


def builds_of(environment: Environment, condition: InstalledState) -> dict[str, Version]:
    """Return the installed versions of the torch family, with local version labels from their files."""
    found = {}
    for item in environment.distributions:
        if item.name not in ("torch", *_WITH_TORCH):
            continue
        try:
            version = Version(item.version)
            built = Version(condition.builds.get(item.name, item.version))
        except InvalidVersion:
            continue
        found[item.name] = version if version.local else built
    return found


def mixed(environment: Environment, condition: InstalledState) -> Iterator[Finding]:
    """Find builds for different backends in the torch family."""
    builds = builds_of(environment, condition)
    torch = _backend(builds.get("torch"))
    for name in _WITH_TORCH:
        other = _backend(builds.get(name))
        if torch is None or other is None or torch == other:
            continue
        text = f"{name} {builds[name]} is built for {other.title}, torch {builds['torch']} for {torch.title}"
        if name == "torchaudio" and torch.family == other.family == "cuda":
            code, problem = "ENV070", "torchaudio cannot be imported with a torch for another CUDA version"
        else:
            code, problem = "ENV060", "their libraries are incompatible"
        hint = _reinstall_command(environment, name, builds[name], torch)
        yield _finding(code, name, f"{text}: {problem}", hint=hint)


def _reinstall_command(environment: Environment, name: str, version: Version, torch: Backend) -> str:
    into = f"uv pip install --python {quote_path(environment.prefix)} --reinstall-package {name} --no-deps"
    return f"{into} --index-url https://download.pytorch.org/whl/{torch} {name}=={version.public}"


def unpaired(environment: Environment, condition: InstalledState, catalog: Catalog) -> Iterator[Finding]:
    """Find versions built for another version of torch than the installed one."""
    builds = builds_of(environment, condition)
    torch = builds.get("torch")
    for name in _WITH_TORCH:
        version = builds.get(name)
        if torch is None or version is None or torch.is_prerelease or version.is_prerelease:
            continue
        public = Version(version.public)
        built_for = [item.torch for item in catalog.releases() if public in item.versions(name)]
        if not built_for or Version(torch.public) in built_for:
            continue
        if public >= _STABLE_ABI[name] and Version(torch.public) > max(built_for):
            continue
        text = f"{name} {public} was built for torch {built_for[-1]}, but torch {torch.public} is installed"
        release = catalog.release(torch)
        matching = release.versions(name)[:1] if release else ()
        hint = (
            f"uv pip install --python {quote_path(environment.prefix)} {name}=={matching[0]}"
            if matching
            else ""
        )
        yield _finding("ENV066", name, text, hint=hint)


def _backend(version: Version | None) -> Backend | None:
    if version is None or not version.local:
        return None
    try:
        return Backend.parse(version.local)
    except EnvsmithError:
        return None
