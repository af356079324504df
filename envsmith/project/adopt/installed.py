"""Installed packages of any environment, each with its origin: an index, a URL, a folder, conda.

Source: PyPA specification of ``direct_url.json``; conda-meta of conda 25.9 (both read 2026-11-30).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.environment.installed_state import InstalledState
from envsmith.environment.interpreter import Probe
from envsmith.environment.model import Environment, EnvironmentLayout
from envsmith.environment.prefix import includes_system_packages, interpreter_path
from envsmith.errors import InstallError
from envsmith.files.text import read_regular
from envsmith.model.finding import Finding, Severity
from envsmith.model.shim import is_shims

LEFT_OUT, NOTED = "ENV081", "ENV082"
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackage:
    """One distribution, as its metadata describe it."""

    name: str
    """Normalised."""
    version: Version
    requires: tuple[Requirement, ...] = ()
    url: str = ""
    """Where it is from, in the form of a requirement: ``git+https://…@COMMIT``; empty for an index."""
    sha256: str = ""
    """Of the local file that it was installed from: an index that has this file is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackages:
    """The packages of an environment."""

    environment: Environment
    state: InstalledState
    packages: tuple[InstalledPackage, ...]
    """Sorted by name, each name once."""
    local: Mapping[str, str]
    """Packages that only this machine has → how they were installed."""
    from_conda: frozenset[str]
    findings: tuple[Finding, ...]
    """What a lock cannot contain, and what of it differs from the environment."""


def read_installed(prefix: Path, probe: Probe, *, deep: bool) -> InstalledPackages:
    """Read an environment; only its interpreter is started, without any of its packages.

    Args:
        prefix: its root, or a link to it.
        probe: starts its interpreter.
        deep: compare the hash of every file with its RECORD, not only its size.

    Raises:
        InstallError: ENV080 when there is no environment at the prefix, ENV023 and ENV029 when its interpreter does
            not respond.
    """
    layout = _layout(prefix, probe)
    environment = probe.environment(prefix, deep=deep, layout=layout)
    state = probe.condition(layout)
    infos = {path.name: path for site in layout.site_folders for path in Path(site).glob("*-info")}
    reading = _Reading(environment=environment, state=state, infos=infos)
    conda = dict(_conda_packages(prefix))
    wheels = {name for packages in conda.values() for name in packages}
    from_conda = frozenset(
        item.name for item in reading.packages.values() if infos[reading.folders[item.name]].name in wheels
    )
    without = sorted(name for name, packages in conda.items() if not packages)
    notes: list[Finding] = [*reading.findings]
    if without:
        more = f" and {len(without) - _MOST_NAMED} more" if len(without) > _MOST_NAMED else ""
        text = (
            f"{len(without)} conda packages are not Python wheels: {', '.join(without[:_MOST_NAMED])}{more}"
        )
        text = f"{text}; the lock has nothing in their place"
        notes.append(_finding(NOTED, "conda", text, "warning"))
    notes += [
        _noted(
            name, f"{name} {reading.packages[name].version} was built by conda; the lock has a wheel instead"
        )
        for name in sorted(from_conda)
    ]
    if includes_system_packages(prefix):
        text = f"packages of {layout.interpreter.base} can be imported as well; they are not adopted"
        notes.append(_noted("pyvenv.cfg", text))
    return InstalledPackages(
        environment=environment,
        state=state,
        packages=tuple(item for _, item in sorted(reading.packages.items())),
        local=reading.local,
        from_conda=from_conda,
        findings=tuple(notes),
    )


def _layout(prefix: Path, probe: Probe) -> EnvironmentLayout:
    if not interpreter_path(prefix).exists():
        raise InstallError(
            "ENV080",
            "not an environment: its interpreter is missing" if prefix.is_dir() else "no such folder",
            where=str(prefix),
            hint="name an environment: envsmith adopt PREFIX",
        )
    layout = probe.layout(prefix)
    if Path(layout.prefix).resolve() != prefix.resolve():
        raise InstallError(
            "ENV080",
            f"not an environment of its own: its interpreter belongs to {layout.prefix}",
            where=str(prefix),
            hint=f"envsmith adopt {layout.prefix}",
        )
    return layout


class _Reading:
    """Reads all distributions."""

    def __init__(self, *, environment: Environment, state: InstalledState, infos: Mapping[str, Path]) -> None:
        self.packages: dict[str, InstalledPackage] = {}
        self.folders: dict[str, str] = {}
        self.local: dict[str, str] = {}
        self.findings: list[Finding] = []
        self._state = state
        found = [(item.name, item.version, item.folder) for item in environment.distributions]
        found += _without_wheel_record(infos.values())
        broken = {item.folder: item.why for item in state.halves}
        for name, version, folder in found:
            if folder in broken:
                self.findings.append(_left_out(name, f"{folder}: {broken[folder]}"))
            elif not is_shims(folder):
                self._add(name, version, infos[folder])

    def _add(self, name: str, version: str, info: Path) -> None:
        try:
            name, parsed = canonicalize_name(name, validate=True), Version(version)
        except (InvalidName, InvalidVersion):
            text = f"{info.name}: {name!r} {version!r} is not the name and version of a package"
            self.findings.append(_left_out(name, text))
            return
        known = self.packages.get(name)
        if known:
            text = f"{name} is installed twice: {known.version} and {parsed}"
            self.findings.append(_noted(name, text))
            if parsed <= known.version:
                return
        package = InstalledPackage(
            name=name,
            version=parsed,
            requires=tuple(_requirements(self._state.requires.get(name, ()))),
        )
        self.folders[name] = info.name
        self.packages[name] = self._with_origin(package, info)

    def _with_origin(self, package: InstalledPackage, info: Path) -> InstalledPackage:
        """Return a package with its URL; one that only this machine has is added to `local`."""
        try:
            data = dict(json.loads(read_regular(info / "direct_url.json")))
            url, rest = str(data["url"]), data.get("subdirectory")
            vcs, archive = data.get("vcs_info"), data.get("archive_info")
            if vcs is not None and vcs["vcs"] == "git":
                within = f"#subdirectory={rest}" if rest else ""
                return replace(package, url=f"git+{url}@{vcs['commit_id']}{within}")
        except FileNotFoundError:
            return package
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            self.local[package.name] = "from a place that is not recorded: direct_url.json cannot be read"
            return package
        if vcs is not None:
            self.local[package.name] = f"from version control other than git, {url}"
        elif archive is None:
            editable = ", editable" if (data.get("dir_info") or {}).get("editable") else ""
            self.local[package.name] = f"from a folder, {url.removeprefix('file://')}{editable}"
        elif not url.startswith(("http://", "https://")):
            self.local[package.name] = f"from a file of this machine, {url.removeprefix('file://')}"
            return replace(package, sha256=_sha256(archive))
        else:
            digest = _sha256(archive)
            return replace(package, url=f"{url}#sha256={digest}" if digest and "#" not in url else url)
        return package


def _sha256(archive: Any) -> str:  # noqa: ANN401 - JSON of any installer
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    found = hashes.get("sha256", "") if isinstance(hashes, dict) else ""
    return str(found or (archive or {}).get("hash", "").partition("sha256=")[2])


def _requirements(texts: Iterable[str]) -> Iterator[Requirement]:
    for text in texts:
        try:
            yield Requirement(text)
        except (
            InvalidRequirement
        ):  # then nothing is known to require it: it becomes a requirement of the profile
            continue


def _without_wheel_record(infos: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and folder of distributions that setuptools or a Linux distribution installed."""
    for info in infos:
        if info.name.endswith(".egg-info"):
            name, _, rest = info.name.removesuffix(".egg-info").partition("-")
            yield name, rest.partition("-py")[0], info.name


def _conda_packages(prefix: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each conda package with the ``.dist-info`` and ``.egg-info`` folders among its files."""
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            data = json.loads(read_regular(path))
            name, files = str(data["name"]), [str(file) for file in data.get("files", ())]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            name, files = path.stem, []
        parts = {part for file in files for part in file.split("/")}
        yield name, sorted(part for part in parts if part.endswith((".dist-info", ".egg-info")))


def _left_out(subject: str, text: str) -> Finding:
    return _finding(LEFT_OUT, subject, text, "warning")


def _noted(subject: str, text: str) -> Finding:
    return _finding(NOTED, subject, text, "note")


def _finding(code: str, subject: str, text: str, severity: Severity) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=text)
