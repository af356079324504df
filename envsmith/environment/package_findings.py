"""Which known failures the output of a program tells of.

What is wrong with installed packages beside one another: overlaps, leftovers, shadows, foreign origins.


Whether the installed torch family was built to go together: what `pip check` cannot see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from packaging.version import InvalidVersion, Version

from envsmith.catalog import Catalog
from envsmith.environment.installed_state import InstalledState, InstallOrigin
from envsmith.environment.model import Environment, Import
from envsmith.errors import EnvsmithError
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Severity, UnmetRequirement
from envsmith.model.shell import quote_path

MOST_CHARACTERS = 400
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
GENERAL = ("undefined-symbol",)
"""Rows that say nothing where a more particular one has told of the same line."""
_MOST_NAMED = 3
_WITH_TORCH = ("torchvision", "torchaudio")
# From here on they are built for the stable ABI, and later torch does as well.
# Source: METADATA and __init__.py of the wheels on PyPI, read 2026-11-20.
_STABLE_ABI = {"torchvision": Version("0.29.1"), "torchaudio": Version("2.11.0")}


def explain(text: str, catalog: Catalog) -> Iterator[Finding]:
    """Recognise known failures.

    Args:
        text: what the program printed last.
        catalog: the failures that are known.

    Yields:
        One finding for each, with the line it was recognised by, its cause, and what helps.
    """
    text = _COLOURS.sub("", text)
    told: set[str] = set()
    for row in catalog.failures():
        line = row.line(text)
        if not line or (row.name in GENERAL and line in told):
            continue
        told.add(line)
        shown = line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"
        yield Finding(
            code="HST050",
            severity="error",
            subject=row.name,
            message=f"{row.cause}\nseen: {shown}\nsource: {row.source} ({row.retrieved})",
            hint=row.fix,
        )


def overlaps(condition: InstalledState) -> Iterator[Finding]:
    """Find distributions that have different files under one path: whichever was installed last has won."""
    for item in condition.overlaps:
        named = ", ".join(item.paths[:_MOST_NAMED]) + (" and others" if item.count > _MOST_NAMED else "")
        files = "the same file" if item.count == 1 else f"the same {item.count} files"
        text = f"{' and '.join(item.owners)} have different bytes for {files}: {named}"
        yield _finding("ENV061", item.owners[0], text)


def unsatisfied(texts: Iterable[str], environment: Environment) -> Iterator[Finding]:
    """Explain what locked packages require and the lock leaves out on purpose.

    Args:
        texts: as the lock's manifest has them: ``timm: torchvision``.
        environment: what is installed.
    """
    found = {item.name for item in environment.distributions}
    for item in map(UnmetRequirement.parse, texts):
        if item.requirer in found and item.project not in found:
            text = f"{item.requirer} requires {item.requirement}, which the lock leaves out on purpose; "
            told = "`pip check` names it all the same"
            yield _finding("ENV062", item.requirer, text + told, severity="note")


def origins(pins: Pins, condition: InstalledState) -> Iterator[Finding]:
    """Find distributions of the lock that were installed from something else than the locked file."""
    for pin in pins.packages:
        origin = condition.origins.get(pin.name)
        if origin and not _is_locked(pin, origin):
            what = {"folder": "a folder", "vcs": "version control"}.get(origin.kind, "another file")
            text = f"{pin.name} {pin.version} was installed from {what}: {_without_login(origin.url)}"
            yield _finding("ENV063", pin.name, text)


def _is_locked(pin: Pin, origin: InstallOrigin) -> bool:
    return origin.kind == "archive" and (not origin.sha256 or origin.sha256 in pin.sha256)


def _without_login(url: str) -> str:
    """Return an address without the user and password that may stand in it."""
    scheme, colon, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{colon}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def failed_runs(runs: Iterable[Import]) -> Iterator[Finding]:
    """Find commands of the profile's checks that failed."""
    for item in runs:
        if item.error:
            yield _finding("ENV064", item.name, f"`{item.name}` fails: {item.error}")


def leftovers(condition: InstalledState, environment: Environment) -> Iterator[Finding]:
    """Find folders that installs and removals left when they broke off."""
    for item in condition.halves:
        hint = f"delete {quote_path(f'{environment.prefix}/{environment.site}/{item.folder}')}"
        yield _finding("ENV067", item.folder, f"{item.folder}: {item.why}", hint=hint)


def unusable(why: str) -> Finding:
    """Tell of an environment that does not say what is in it: its Python was removed, or updated under it."""
    hint = "`envsmith install` builds it anew; where it was made otherwise, make it again with the Python it was for"
    return _finding("ENV078", "environment", f"the environment cannot be used: {why}", hint=hint)


def broken(condition: InstalledState, environment: Environment) -> Iterator[Finding]:
    """Find such folders, and distributions whose files are not all there."""
    yield from leftovers(condition, environment)
    known = {item.folder for item in condition.halves}
    for found in environment.distributions:
        if found.missing_count and found.folder not in known:
            are = "is" if found.missing_count == 1 else "are"
            text = (
                f"{found.name} {found.version}: {found.missing_count} of {found.files} files {are} missing: "
            )
            named = ", ".join(found.missing[:_MOST_NAMED])
            into = f"uv pip install --python {quote_path(environment.prefix)} --reinstall --no-deps"
            hint = f"{into} {found.name}=={found.version}"
            yield _finding("ENV067", found.name, text + named, hint=hint)
    yield from elsewhere(condition)


def strays(condition: InstalledState) -> Iterator[Finding]:
    """Find code among the packages that was installed by none of them."""
    if condition.strays:
        paths = [item.path for item in condition.strays]
        count, named = len(paths), ", ".join(paths[:_MOST_NAMED])
        what = f"{count} files or folders of code are" if count > 1 else "code is"
        more = f" and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
        text = f"{what} among the packages that no distribution owns: {named}{more}"
        yield _finding("ENV018", paths[0], text)


def elsewhere(condition: InstalledState) -> Iterator[Finding]:
    """Find programs that start another place's Python, as they do in an environment that was moved or copied."""
    for python in dict.fromkeys(item.python for item in condition.elsewhere):
        names = [item.program for item in condition.elsewhere if item.python == python]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        verb = "starts" if len(names) == 1 else "start"
        text = f"{', '.join(names[:_MOST_NAMED])}{more} {verb} {python}, and not this environment's Python"
        hint = "make it anew where it lies, as by `envsmith install`: programs know the place they were installed to"
        yield _finding("ENV079", python, f"{text}: it was moved, or copied from there", hint=hint)


def shadows(condition: InstalledState) -> Iterator[Finding]:
    """Find modules that are imported instead of the installed ones."""
    for item in condition.shadows:
        if item.owner:
            text = f"{item.path} is imported instead of {item.owner}'s module {item.module}"
            hint = f"rename it, or take its folder out of PYTHONPATH: {item.path}"
            yield _finding("ENV068", item.module, text, hint=hint)
    over = [item for item in condition.shadows if not item.owner]
    if over:
        more = f" and {len(over) - _MOST_NAMED} more" if len(over) > _MOST_NAMED else ""
        named = ", ".join(item.path for item in over[:_MOST_NAMED])
        text = f"{named}{more} {'are' if len(over) > 1 else 'is'} imported instead of Python's own, which others need"
        hint = "rename, or take the folder out of PYTHONPATH; programs in another folder are not concerned"
        yield _finding("ENV068", over[0].module, text, severity="warning", hint=hint)


def _finding(
    code: str, subject: str, message: str, *, severity: Severity = "error", hint: str = ""
) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)


def builds_of(environment: Environment, condition: InstalledState) -> dict[str, Version]:
    """Return the versions of the torch family that is installed, with the labels their own files carry."""
    found = {}
    for item in environment.distributions:
        if item.name not in ("torch", *_WITH_TORCH):
            continue
        try:
            version = Version(item.version)
            inside = Version(condition.builds.get(item.name, item.version))
        except InvalidVersion:
            continue
        found[item.name] = version if version.local else inside
    return found


def mixed(environment: Environment, condition: InstalledState) -> Iterator[Finding]:
    """Find builds for different backends in one torch family."""
    builds = builds_of(environment, condition)
    torch = _backend(builds.get("torch"))
    for name in _WITH_TORCH:
        other = _backend(builds.get(name))
        if torch is None or other is None or torch == other:
            continue
        said = f"{name} {builds[name]} is built for {other.title}, torch {builds['torch']} for {torch.title}"
        if name == "torchaudio" and torch.family == other.family == "cuda":
            text = f"{said}: torchaudio refuses to be imported beside another CUDA version"
            yield _torch_error("ENV070", name, text, _cure(environment, name, builds[name], torch))
        else:
            yield _torch_error(
                "ENV060",
                name,
                f"{said}: their libraries do not fit",
                _cure(environment, name, builds[name], torch),
            )


def _cure(environment: Environment, name: str, version: Version, torch: Backend) -> str:
    into = f"uv pip install --python {quote_path(environment.prefix)} --reinstall-package {name} --no-deps"
    return f"{into} --index-url https://download.pytorch.org/whl/{torch} {name}=={version.public}"


def unpaired(environment: Environment, condition: InstalledState, catalog: Catalog) -> Iterator[Finding]:
    """Find versions that were built for another torch than the one installed."""
    builds = builds_of(environment, condition)
    torch = builds.get("torch")
    for name in _WITH_TORCH:
        version = builds.get(name)
        if torch is None or version is None or torch.is_prerelease or version.is_prerelease:
            continue
        public = Version(version.public)
        of = [item.torch for item in catalog.releases() if public in item.versions(name)]
        if not of or Version(torch.public) in of:
            continue
        if public >= _STABLE_ABI[name] and Version(torch.public) > max(of):
            continue
        text = f"{name} {public} was built for torch {of[-1]}, and torch is {torch.public}"
        fits = catalog.release(torch)
        right = fits.versions(name)[:1] if fits else ()
        hint = f"uv pip install --python {quote_path(environment.prefix)} {name}=={right[0]}" if right else ""
        yield _torch_error("ENV066", name, text, hint)


def _backend(version: Version | None) -> Backend | None:
    if version is None or not version.local:
        return None
    try:
        return Backend.parse(version.local)
    except EnvsmithError:
        return None


def _torch_error(code: str, subject: str, message: str, hint: str = "") -> Finding:
    return Finding(code=code, severity="error", subject=subject, message=message, hint=hint)
