"""The profile of an adopted environment: backend, target, and every installed version as a constraint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.environment.model import Interpreter, TorchBuild
from envsmith.errors import EnvsmithError, InstallError, ResolveError
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.model.target import Platform, Target
from envsmith.plan.backend_lifecycle import settle
from envsmith.project.adopt.installed import LEFT_OUT, NOTED, InstalledPackage, InstalledPackages

TOOLS = ("envsmith-torch", "pip", "setuptools", "uv", "wheel")
"""They make environments, and are no requirements unless something else requires them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A profile to be written."""

    name: str
    target: Target
    index: str
    channel: str
    on_retired: str
    packages: tuple[InstalledPackage, ...]
    """Those to lock, sorted by name."""
    family: frozenset[str]
    """Projects whose builds the backend selects."""
    allow_sdist: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()
    """Packages that the image keeps."""
    given_python: str = ""
    """Its interpreter."""
    findings: tuple[Finding, ...] = ()
    """What the lock cannot have, and what of it differs."""

    def requirements(self) -> tuple[str, ...]:
        """Return the packages that no other one requires, and those with a URL."""
        direct = {item.name for item in self.packages if item.url}
        urls = {item.name: f"{item.name} @ {item.url}" for item in self.packages if item.url}
        return tuple(urls.get(name, name) for name in sorted(direct | {*self._top_level()}))

    def versions(self) -> dict[str, str]:
        """Return the version of each package from an index; the label of a torch build is the backend's matter."""
        return {
            item.name: item.version.public if item.name in self.family else str(item.version)
            for item in self.packages
            if not (item.url or item.name in self.given)
        }

    def constraints(self) -> tuple[str, ...]:
        """Return the exact version of each package from an index."""
        return tuple(f"{name}=={version}" for name, version in self.versions().items())

    def overrides(self) -> tuple[str, ...]:
        """Return the exact versions that another installed package does not admit."""
        known = self.versions()
        return tuple(f"{name}=={known[name]}" for name in sorted(self.conflicts() & known.keys()))

    def conflicts(self) -> set[str]:
        """Return the packages whose version another one does not admit."""
        known = {item.name: item.version for item in self.packages}
        return {
            need.name
            for needed in self._required().values()
            for need in needed
            if not need.specifier.contains(known[need.name], prereleases=True)
        }

    def without(self, reasons: Mapping[str, str], own: Collection[str] = ()) -> Draft:
        """Return the draft without some packages.

        Args:
            reasons: package → the rest of a sentence that begins with it.
            own: those installed from the project's own folder: the project is there wherever its lock is.
        """
        found = tuple(
            Finding(
                code=LEFT_OUT,
                severity="note" if name in own else "warning",
                subject=name,
                message=f"{name} {text}",
            )
            for name, text in sorted(reasons.items())
        )
        packages = tuple(item for item in self.packages if item.name not in reasons)
        return replace(self, packages=packages, findings=(*self.findings, *found))

    def with_given(self, names: Iterable[str]) -> Draft:
        """Return the draft with more packages that stay those of the image."""
        notes = tuple(
            Finding(
                code=NOTED, severity="note", subject=name, message=f"{name} stays as the image has it (given)"
            )
            for name in sorted(names)
        )
        return replace(self, given=self.given | {*names}, findings=(*self.findings, *notes))

    def requirers(self, names: Collection[str]) -> dict[str, list[str]]:
        """Return package → those that require it, of some names."""
        found: dict[str, list[str]] = {}
        for name, needed in _active(self.packages, self.target).items():
            for requirement in needed:
                if requirement.name in names and name != requirement.name:
                    found.setdefault(requirement.name, []).append(name)
        return found

    def values(self) -> dict[str, str | tuple[str, ...]]:
        """Return the keys of the profile."""
        platform, alias = self.target.platform, self.target.platform.alias
        values: dict[str, str | tuple[str, ...]] = {
            "summary": f"adopted: {self.target.backend.title}, Python {self.target.python}",
            "backend": str(self.target.backend),
            "channel": self.channel if self.channel != "stable" else "",
            "index": self.index if self.index != "pytorch" else "",
            "on-retired": self.on_retired if self.on_retired != "error" else "",
            "python": (str(self.target.python),),
            "platforms": (alias if alias and Platform.parse(alias) == platform else str(platform),),
            "requirements": self.requirements(),
            "constraints": self.constraints(),
            "overrides": self.overrides(),
            "allow-sdist": self.allow_sdist,
            "given": tuple(sorted(self.given)),
            "given-python": self.given_python,
        }
        return {key: value for key, value in values.items() if value}

    def _required(self) -> dict[str, list[Requirement]]:
        known = {item.name for item in self.packages}
        active = _active(self.packages, self.target)
        return {name: [need for need in needed if need.name in known] for name, needed in active.items()}

    def _top_level(self) -> Iterator[str]:
        """Yield the packages that no other one requires; of those that require each other, the first."""
        edges = {name: {need.name for need in needed} - {name} for name, needed in self._required().items()}
        required = set().union(*edges.values())
        reached: set[str] = set()
        for name in (*sorted(edges.keys() - required), *sorted(required)):
            if name not in reached:
                yield name
                _reach(name, edges, reached)


def _reach(name: str, edges: Mapping[str, set[str]], reached: set[str]) -> None:
    due = [name]
    while due:
        now = due.pop()
        if now not in reached:
            reached.add(now)
            due += edges[now]


def _active(packages: Iterable[InstalledPackage], target: Target) -> dict[str, list[Requirement]]:
    """Return package → its requirements on the target, those of the extras that others ask for included.

    Names in the requirements are normalised.
    """
    packages = tuple(packages)
    extras: dict[str, set[str]] = defaultdict(set)
    while True:
        before = sum(map(len, extras.values()))
        found = {
            item.name: [
                need
                for need in item.requires
                if any(target.satisfies(need.marker, extra) for extra in ("", *extras[item.name]))
            ]
            for item in packages
        }
        for needed in found.values():
            for need in needed:
                extras[need.name] |= need.extras
        if sum(map(len, extras.values())) == before:
            return found


def draft_of(
    installed: InstalledPackages, catalog: Catalog, *, name: str, allow_sdist: tuple[str, ...], now_utc: str
) -> Draft:
    """Return the profile of an environment.

    Args:
        installed: its packages.
        catalog: builds and lifecycles.
        name: of the profile; empty for that of the backend.
        allow_sdist: packages that may be locked as source.
        now_utc: RFC 3339 with ``Z``.

    Raises:
        InstallError: ENV080 for an interpreter that no lock can be made for, or an environment without packages.
    """
    environment, interpreter = installed.environment, installed.environment.interpreter
    platform = _platform(interpreter)
    torch = next((item for item in installed.packages if item.name == "torch"), None)
    own_label = (torch and torch.version.local) or ""
    label = own_label or installed.state.builds.get("torch", "").partition("+")[2]
    on_pypi = catalog.pypi_build("torch", torch.version, platform) if torch and not own_label else None
    backend = _backend(label, environment.torch, on_pypi)
    # A build of its own, in the Python of an image.
    is_image = own_label not in ("", str(backend)) and interpreter.base == environment.prefix
    backend = _nearest(backend, catalog) if is_image else backend
    is_pypi = on_pypi == backend and "torch" not in installed.from_conda
    channel = "nightly" if torch and torch.version.is_devrelease else "stable"
    found = Draft(
        name=name or str(backend),
        target=Target(python=interpreter.python, platform=platform, backend=backend),
        index="pypi" if is_pypi else "pytorch",
        channel=channel,
        on_retired=_on_retired(backend, channel, catalog, now_utc),
        packages=tuple(_normalised(item) for item in installed.packages),
        family=frozenset(project.name for project in catalog.projects()),
        allow_sdist=allow_sdist,
        given_python=interpreter.executable if is_image else "",
        findings=installed.findings,
    )
    found = _without_tools(_family_from_index(found.with_given(["torch"] if is_image else [])))
    if not found.packages:
        raise InstallError("ENV080", "the environment has no packages to adopt", where=environment.prefix)
    return found


def _normalised(item: InstalledPackage) -> InstalledPackage:
    for need in item.requires:
        need.name = canonicalize_name(need.name)
    return item


def _family_from_index(draft: Draft) -> Draft:
    """Take builds of the torch family from the backend's index, whatever URL they were installed from."""
    packages = tuple(replace(item, url="") if item.name in draft.family else item for item in draft.packages)
    return replace(draft, packages=packages)


def _without_tools(draft: Draft) -> Draft:
    others = replace(draft, packages=tuple(item for item in draft.packages if item.name not in TOOLS))
    kept = others.requirers(TOOLS)
    packages = tuple(item for item in draft.packages if item.name not in TOOLS or item.name in kept)
    return replace(draft, packages=packages)


def _platform(interpreter: Interpreter) -> Platform:
    """Return the platform of an interpreter; on a system older than the usual floor, with that of the system."""
    found = Platform(os=interpreter.os, machine=interpreter.machine, floor=interpreter.release)
    usual = (
        Platform.parse(found.alias) if found.os in ("linux", "macos", "windows") and found.alias else found
    )
    chosen = min(usual, found) if found.os != "windows" else usual
    if not interpreter.supports(interpreter.python, chosen):
        raise InstallError(
            "ENV080",
            f"no lock can be made for {interpreter}: PyTorch has no wheels for it",
            where=interpreter.executable,
        )
    return chosen


def _backend(label: str, build: TorchBuild | None, on_pypi: Backend | None) -> Backend:
    """Return the backend of the installed torch by its label, its version.py, or its version; cpu without one."""
    texts = [label]
    if build:
        cuda, hip = build.cuda.split("."), build.hip.split(".")
        texts += [
            f"cu{''.join(cuda[:2])}" if len(cuda) > 1 else "",
            f"rocm{'.'.join(hip[:2])}" if len(hip) > 1 else "",
            "xpu" if build.xpu else "",
        ]
    for text in texts:
        try:
            return Backend.parse(text)
        except EnvsmithError:
            continue
    return on_pypi or Backend.parse("cpu")


def _nearest(backend: Backend, catalog: Catalog) -> Backend:
    """Return the newest backend with an index that is not newer than that of an image; cpu without one."""
    known = (facts.backend for facts in catalog.backends() if facts.backend.family == backend.family)
    return max((item for item in known if not backend < item), default=Backend.parse("cpu"))


def _on_retired(backend: Backend, channel: str, catalog: Catalog, now_utc: str) -> str:
    profile = Profile(name=str(backend), backend=backend, channel=channel, python=(), platforms=())
    try:
        settle(profile, catalog, now_utc)
    except ResolveError:
        return "stable"
    return "error"
