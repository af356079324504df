"""Lock of one target, and its writers: pylock.toml (PEP 751) and hashed requirements."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from packaging.pylock import Package, Pylock, PylockValidationError

from envsmith.errors import LockError
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.lockfile.toml_text import lines, table
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.package_index import PackageIndex
from envsmith.model.target import Target

FORMAT_VERSION = 2
MADE_WITH = re.compile(r'^pins-sha256 = "(?P<sha256>[0-9a-f]{64})"\r?$', re.MULTILINE)
"""Line of a pylock that binds it to the pins of a requirements file: after a pull there may be others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The verified lock of one target: one file with its hash per package."""

    profile: str
    target: Target
    pylock: Pylock
    plan_digest: str
    requirers: Mapping[str, tuple[str, ...]]
    """project → places of direct requirements, then projects that require it."""
    family: tuple[str, ...]
    """Names of its packages from the plan's slice, and of PyTorch's builds on PyPI."""
    indexes: tuple[str, ...]
    """Addresses of the indexes besides PyPI."""
    decisions: tuple[Decision, ...]
    unsatisfied: tuple[UnmetRequirement, ...] = ()
    """Requirements that are left out on purpose."""
    pages: tuple[str, ...] = ()
    """Addresses of pages of links."""
    package_indexes: tuple[PackageIndex, ...] = ()
    """Those of the project."""
    direct: Mapping[str, str] = field(default_factory=dict)
    """project → the URL in its requirement; a pylock has the file as ``archive``."""
    provided: Mapping[str, ProvidedPackage] = field(default_factory=dict)
    """project → the package, of those that are from no index."""

    def package(self, name: str) -> Package | None:
        """Return a package, or None if it is not locked."""
        return next((package for package in self.pylock.packages if package.name == name), None)

    def version(self, name: str) -> str:
        """Return the pinned version; empty if the package is not locked."""
        package = self.package(name)
        return str(package.version) if package else ""

    def to_toml(self) -> str:
        """Return the pylock; equal locks give equal bytes."""
        values = _given(self.pylock)
        for key in ("lock-version", "requires-python"):
            values |= {key: str(values[key])} if key in values else {}
        if markers := self.pylock.environments:
            values |= {"environments": [str(marker) for marker in markers]}
        # An empty list is a value like the others: the key must be there.
        packages = values.pop("packages") if self.pylock.packages else ()
        tool = dict(values.pop("tool", {}).get("envsmith", {}))
        env, decisions = tool.pop("env", None), tool.pop("decisions", ())
        return "\n".join(
            [
                lines(values),
                *(table("[packages]", self._package(package), ("wheels",)) for package in packages),
                table("tool.envsmith", tool),
                *([table("tool.envsmith.env", env)] if env else ()),
                *(table("[tool.envsmith.decisions]", decision) for decision in decisions),
            ]
        )

    def to_requirements(self) -> str:
        """Return hashed requirements for pip and uv, with the requirers of each pin as comments."""
        torch = self.version("torch")
        others = sorted(name for name, item in self.provided.items() if not item.is_hashed)
        lines = [
            f"# {self.profile} · {self.target.slug}" + (f" · torch {torch}" if torch else ""),
            "# pip install --require-hashes -r THIS_FILE   (or, with uv: uv pip sync the pylock beside it)",
            *(
                [f"# then, without hashes: {', '.join(others)}: {unhashed_name(self.target.slug)}"]
                if others
                else ()
            ),
            *(
                f"{'--index-url' if index.is_default else '--extra-index-url'} {index.url}"
                for index in self.package_indexes
            ),
            *(f"--extra-index-url {url}" for url in self.indexes),
            *(f"--find-links {url}" for url in self.pages),
        ]
        names = {index.url.rstrip("/"): index.name for index in self.package_indexes}
        for package in self.pylock.packages:
            if item := self.provided.get(package.name):
                lines += self._provided_lines(item) if item.is_hashed else ()
                continue
            hashes = sorted(f"--hash={kind}:{value}" for kind, value in package_hashes(package))
            pin, source = f"{package.name}=={package.version}", self.direct.get(package.name)
            lines += [" \\\n    ".join([f"{package.name} @ {source}" if source else pin, *hashes])]
            lines += [f"    # {pin}"] if source else []
            if name := names.get((package.index or "").rstrip("/")):
                lines += [f"    # from {name}"]
            # A line break in the name of a requirements file must not start a new line.
            lines += [f"    # via {' '.join(text.split())}" for text in self.requirers.get(package.name, ())]
        return "\n".join(lines) + "\n"

    def to_unhashed(self) -> str:
        """Return the requirements that pip's hash mode cannot hold; empty without one."""
        found = [item for _, item in sorted(self.provided.items()) if not item.is_hashed]
        lines = [
            f"# {self.profile} · {self.target.slug}: repositories and folders, after the hashed requirements",
            "# pip install --no-deps -r THIS_FILE, in the folder of the project",
            *(line for item in found for line in self._provided_lines(item)),
        ]
        return "\n".join(lines) + "\n" if found else ""

    def _provided_lines(self, item: ProvidedPackage) -> list[str]:
        requirers = (f"    # via {' '.join(text.split())}" for text in self.requirers.get(item.name, ()))
        return [item.line, f"    # {item.pinned}", *requirers]

    def _package(self, package: Package) -> dict[str, Any]:
        values = _given(package)
        values |= {"version": str(package.version)} if package.version else {}
        if package.sdist:
            values["sdist"] = _given(package.sdist)
        for key in ("vcs", "directory", "archive"):
            if key in values:
                values[key] = _given(values[key])
        if package.wheels:
            values["wheels"] = [_given(wheel) for wheel in package.wheels]
        if package.name in self.direct:
            (file,) = values.pop("wheels")
            # Without the size: no index says it, and equal locks have equal bytes.
            values["archive"] = {key: file[key] for key in ("url", "hashes")}
        return values


def unhashed_name(slug: str) -> str:
    """Return the name of a target's file of requirements without hashes."""
    return f"unhashed.{slug}.txt"


def package_hashes(package: Package) -> Iterator[tuple[str, str]]:
    """Yield algorithm and digest (hex) of each file of a package."""
    for wheel in package.wheels or ():
        yield from wheel.hashes.items()
    if package.sdist:
        yield from package.sdist.hashes.items()


def _given(item: Any) -> dict[str, Any]:  # noqa: ANN401 - any class of packaging.pylock
    """Return the values of a part of a pylock by their keys in TOML; `Pylock.to_dict` copies and takes long."""
    found = ((field.name, getattr(item, field.name)) for field in fields(item))
    return {name.replace("_", "-"): value for name, value in found if value is not None}


def read_pylock(text: str, place: str) -> Pylock:
    """Read a pylock (PEP 751).

    Raises:
        LockError: LCK001 when it is malformed.
    """
    try:
        return Pylock.from_dict(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, PylockValidationError, RecursionError) as error:
        raise LockError(
            "LCK001", f"invalid pylock: {error}", where=place, hint="`envsmith lock` replaces it"
        ) from error
