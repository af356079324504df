"""Manifest of a lock folder: inputs, files and results of each of a profile's locks."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from envsmith.errors import EnvsmithError, LockError
from envsmith.model.backend import Backend

if TYPE_CHECKING:  # few locks have any, and `envsmith run` must start fast
    from packaging.requirements import Requirement

    from envsmith.lockfile.provided import ProvidedPackage
    from envsmith.model.package_index import PackageIndex
    from envsmith.model.route import RoutePage

FORMAT_VERSION = 2
FORM_OF_DIGESTS = 1
"""The older form, still read: its digests cover the pylock, its cutoff stands for the time of the lock."""
FILENAME = "manifest.toml"
_COMMENT = "# Written by `envsmith lock`: the inputs, files and decisions of each lock of this profile.\n"
_SLUG = re.compile(r"cp3\d{1,2}t?-[a-z0-9_]+")
_PIN = re.compile(r"(?P<version>[^ ]+) (?P<filename>[^ ]+\.whl) sha256:(?P<sha256>[0-9a-f]{64})")
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_LOCK_FILE = re.compile(r"pylock\.[A-Za-z0-9_-]+\.toml|(?:requirements|unhashed)\.[A-Za-z0-9_-]+\.txt")
_SCRIPT = re.compile(r"activate\.[a-z0-9]+")
_CHANNEL = re.compile(r"[a-z]+")  # becomes part of a path in the catalog
_CUTOFF = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPin:
    """Locked version and wheel of a project of the torch family, with all that its index says of the file.

    With it a lock is complete on a machine whose catalog does not know the file.
    """

    version: str
    filename: str
    sha256: str
    url: str = ""
    """Empty for a wheel from PyPI or a recorded page, and in manifests of form 1."""
    uploaded: str = ""
    """UTC, RFC 3339 with ``Z``; empty if unknown."""

    @classmethod
    def parse(cls, value: object) -> FamilyPin:
        """Read a pin: a table, or the text of form 1, ``version filename sha256:HEX``.

        Raises:
            ValueError: when it is malformed.
        """
        if isinstance(value, Mapping):
            found = cls(**{key: str(item) for key, item in value.items()})
            text = str(found)
        else:
            found, text = None, str(value)
        match = _PIN.fullmatch(text)
        if match is None:
            raise ValueError(f"invalid pin {text!r}, expected version, filename and sha256")
        return found or cls(**match.groupdict())

    def __str__(self) -> str:
        return f"{self.version} {self.filename} sha256:{self.sha256}"

    def to_plain(self) -> dict[str, str]:
        """Return the values for a manifest, without empty ones."""
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedBuild:
    """What the build of one source distribution uses."""

    sha256: str
    """Of the source distribution."""
    requirements: tuple[str, ...]
    """Hashed pins of all packages that the build sees, sorted: ``ninja==1.13.0 --hash=sha256:…``."""
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Programs of the machine without which it fails."""

    def digest(self, target: str) -> str:
        """Return the digest (sha256, hex) of all that decides what comes of the build, but for the machine's programs.

        Args:
            target: slug of the lock's target.
        """
        from json import dumps

        return hashlib.sha256(dumps([target, self.to_plain()], sort_keys=True).encode()).hexdigest()

    def to_plain(self) -> dict[str, object]:
        """Return the values for a manifest, without empty ones."""
        env = [f"{name}={value}" for name, value in sorted(self.env.items())]
        values = {"env": env, "needs": list(self.needs)}
        plain: dict[str, object] = {"sha256": self.sha256, "requirements": list(self.requirements)}
        return plain | {key: value for key, value in values.items() if value}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> LockedBuild:
        """Read the values of a manifest.

        Raises:
            KeyError: when one is missing.
            TypeError: when one has another type.
        """
        return cls(
            sha256=str(values["sha256"]),
            requirements=tuple(map(str, values["requirements"])),
            env=dict(str(item).partition("=")[::2] for item in values.get("env", ())),
            needs=tuple(map(str, values.get("needs", ()))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRecord:
    """Record of one target's lock."""

    plan: str
    """Digest of the plan."""
    inputs: Mapping[str, str | list[str]]
    """Inputs of the plan; read the single values from the properties below."""
    catalog: str
    """Source of the index data with its date: ``embedded 2026-11-20``."""
    family: Mapping[str, FamilyPin]
    packages: int
    """Number of packages."""
    files: Mapping[str, str]
    """filename → sha256."""
    decisions: tuple[Mapping[str, object], ...] = ()
    unsatisfied: tuple[str, ...] = ()
    """Requirements that are left out on purpose: ``timm: torchvision``."""
    builds: Mapping[str, LockedBuild] = field(default_factory=dict)
    """Project → the locked build of its source distribution."""

    @property
    def backend(self) -> Backend:
        """The backend; CPU if none is recorded."""
        return Backend.parse(str(self.inputs.get("backend", "cpu")))

    @property
    def channel(self) -> str:
        """``stable``, ``nightly`` or ``test``."""
        return str(self.inputs.get("channel", "stable"))

    @property
    def env(self) -> dict[str, str]:
        """Environment variables of the profile."""
        return dict(str(item).partition("=")[::2] for item in self.inputs.get("env", ()))

    @property
    def allow_sdist(self) -> tuple[str, ...]:
        """Names of the projects that may be locked as source."""
        return tuple(self.inputs.get("allow-sdist", ()))

    @property
    def from_pypi(self) -> tuple[str, ...]:
        """Names of the torch-family projects taken from PyPI."""
        return tuple(text.partition("==")[0] for text in self.inputs.get("from-pypi", ()))

    @property
    def package_indexes(self) -> tuple[PackageIndex, ...]:
        """The indexes besides PyPI and PyTorch's."""
        if not (texts := self.inputs.get("package-index")):
            return ()
        from envsmith.model.package_index import PackageIndex

        return tuple(PackageIndex.parse(text) for text in texts)

    @property
    def routes(self) -> dict[str, str]:
        """Project → the address of its own index or page."""
        return dict(str(item).partition(" ")[::2] for item in self.inputs.get("route", ()))

    @property
    def requested(self) -> tuple[str, ...]:
        """Normalised names of the direct requirements, without malformed ones."""
        # `envsmith run` must start fast, and needs no names.
        from packaging.utils import canonicalize_name

        return tuple(canonicalize_name(item.name) for item in self._requirements())

    @property
    def urls(self) -> frozenset[str]:
        """URLs of the direct requirements on files."""
        return frozenset(item.url for item in self._requirements() if item.url)

    def _requirements(self) -> Iterator[Requirement]:
        from packaging.requirements import InvalidRequirement, Requirement

        for text in self.inputs.get("requirement", ()):
            with suppress(InvalidRequirement):
                yield Requirement(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedOptions:
    """Options of ``envsmith lock``, by their parameter names, that later commands repeat unless given again."""

    requirements_files: tuple[str, ...] = ()
    """Files given with ``-r``, relative to the project."""
    extras: tuple[str, ...] = ()
    """``*`` alone for every one, like the groups."""
    groups: tuple[str, ...] = ()
    no_default_groups: bool = False
    python: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    backend: str = ""
    allow_sdist: tuple[str, ...] = ()
    allow_build: tuple[str, ...] = ()
    no_project: bool = False
    indexes: tuple[str, ...] = ()
    """``NAME URL``, or ``NAME URL default`` for the one in place of PyPI."""
    as_of: str = ""
    """Cutoff: RFC 3339 with ``Z``."""
    instead_of: Mapping[str, str] = field(default_factory=dict)
    """Option → the profile's own value at the time; the option is forgotten when the profile changes it."""

    def or_else(self, other: RememberedOptions) -> RememberedOptions:
        """Return these options, and those of another for the ones not given."""
        return replace(other, **{name: value for name, value in self._given().items() if value})

    def _given(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def to_plain(self) -> dict[str, object]:
        """Return the values for a manifest, without empty ones."""
        plain = {name.replace("_", "-"): value for name, value in self._given().items() if value}
        return {
            name: list(value)
            if isinstance(value, tuple)
            else dict(value)
            if isinstance(value, Mapping)
            else value
            for name, value in plain.items()
        }

    @classmethod
    def from_plain(cls, values: Mapping[str, object]) -> RememberedOptions:
        """Read the values of a manifest.

        Raises:
            TypeError: when one has another type.
        """
        found: dict[str, Any] = {}
        for item in fields(cls):
            if (value := values.get(item.name.replace("_", "-"))) is None:
                continue
            if item.name == "instead_of":
                found[item.name] = _texts(value)
            elif item.name in ("no_default_groups", "no_project"):
                found[item.name] = value is True
            elif isinstance(value, list):
                found[item.name] = tuple(map(str, value))
            elif item.name in ("backend", "as_of"):
                found[item.name] = str(value)
            else:
                raise TypeError(f"options.{item.name} is {value!r}, expected a list")
        return cls(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The locks of one profile."""

    profile: str
    cutoff_utc: str
    """Time of the newest resolution, or the cutoff if one was given: no locked file was uploaded later."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """With a given cutoff: project → its own later one (``lock -P NAME``)."""
    remembered: RememberedOptions = field(default_factory=RememberedOptions)
    routes: tuple[RoutePage, ...] = ()
    """Pages of routed projects, sorted; valid until an upgrade."""
    targets: Mapping[str, TargetRecord] = field(default_factory=dict)
    """By slug."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Activation script → sha256."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Path of a model file, relative to the project → sha256."""
    metadata: tuple[Mapping[str, Any], ...] = ()
    """Requirements of the locked versions of the torch family: name, version, requires-dist, requires-python."""
    provided: tuple[ProvidedPackage, ...] = ()
    """Packages that are not from an index, as they were when the lock was written."""

    @property
    def given(self) -> tuple[ProvidedPackage, ...]:
        """Those of them that the base interpreter of an environment brings."""
        return tuple(item for item in self.provided if not item.source)

    def to_toml(self) -> str:
        """Return the manifest as TOML; equal manifests give equal bytes."""
        from envsmith.lockfile.toml_text import lines, table

        options = self.remembered.to_plain()
        replaced = options.pop("instead-of", {})
        named: dict[str, Any] = {"options": options, "options.instead-of": replaced}
        named["moved"] = dict(sorted(self.moved.items()))
        named |= {f"routes.{page.project}": page.to_plain() for page in self.routes}
        named |= {"scripts": dict(sorted(self.scripts.items())), "models": dict(sorted(self.models.items()))}
        head = {"form": FORMAT_VERSION, "profile": self.profile, "cutoff-utc": self.cutoff_utc}
        blocks = [_COMMENT + lines(head)]
        blocks += [table(name, values, ("wheels",)) for name, values in named.items() if values]
        blocks += [table("[metadata]", row, _long_lists(row)) for row in self.metadata]
        for row in (item.to_plain() for item in self.provided):
            blocks += [table("[provided]", row, _long_lists(row))]
        for slug, entry in sorted(self.targets.items()):
            blocks += _entry_tables(f"targets.{slug}", entry)
        return "\n".join(blocks)

    @classmethod
    def from_toml(cls, text: str, place: str) -> Manifest:
        """Read a manifest.

        Raises:
            LockError: LCK002 when it is malformed, LCK007 when it has the marks of a merge conflict.
        """
        check_merged(text, place)
        try:
            return _parse(tomllib.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EnvsmithError) as error:
            raise LockError(
                "LCK002",
                f"invalid manifest: {error}",
                where=place,
                hint="restore the committed file, or delete it and run `envsmith lock`",
            ) from error


def check_merged(text: str, place: str) -> None:
    """Check that a file of a lock has no marks of a merge conflict.

    Raises:
        LockError: LCK007 when it has.
    """
    if _CONFLICT.search(text):
        raise LockError(
            "LCK007",
            "unmerged: this file has conflict marks",
            where=place,
            hint="take either side (git checkout --ours or --theirs), then run `envsmith lock`: it keeps every pin "
            "that both sides agree on",
        )


def _entry_tables(name: str, entry: TargetRecord) -> Iterator[str]:
    from envsmith.lockfile.toml_text import table

    head: dict[str, object] = {"plan": entry.plan, "catalog": entry.catalog, "packages": entry.packages}
    if entry.unsatisfied:
        head["unsatisfied"] = list(entry.unsatisfied)
    yield table(name, head)
    yield table(f"{name}.family", {key: pin.to_plain() for key, pin in sorted(entry.family.items())})
    yield table(f"{name}.files", dict(sorted(entry.files.items())))
    yield table(f"{name}.inputs", entry.inputs, _long_lists(entry.inputs))
    for project, build in sorted(entry.builds.items()):
        values = build.to_plain()
        yield table(f"{name}.builds.{project}", values, _long_lists(values))
    for decision in entry.decisions:
        yield table(f"[{name}.decisions]", decision)


def _long_lists(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the keys of lists with several items, for one line per item and readable diffs."""
    return tuple(key for key, value in values.items() if isinstance(value, list) and len(value) > 1)


def _parse(data: Mapping[str, object]) -> Manifest:
    if data["form"] not in (FORM_OF_DIGESTS, FORMAT_VERSION):
        raise ValueError(f"form is {data['form']!r}, expected {FORMAT_VERSION}")
    cutoff = data["cutoff-utc"]
    if not isinstance(cutoff, str) or not _CUTOFF.fullmatch(cutoff):
        raise ValueError(f"cutoff-utc is {cutoff!r}, expected a time such as 2026-11-20T09:00:00Z")
    targets = {}
    for slug, item in data["targets"].items():  # type: ignore[attr-defined]
        if not _SLUG.fullmatch(slug):
            raise ValueError(f"invalid target targets.{slug}")
        try:
            targets[slug] = _entry(item)
        except (ValueError, TypeError) as error:
            raise ValueError(f"targets.{slug}: {error}") from error
    return Manifest(
        profile=str(data["profile"]),
        cutoff_utc=cutoff,
        moved=_texts(data.get("moved", {})),
        # Form 1 has the only option of its time, the requirements files, at the top.
        remembered=RememberedOptions.from_plain(data.get("options", data)),  # type: ignore[arg-type]
        routes=_routes(data.get("routes", {})),
        targets=targets,
        scripts=_files(data.get("scripts", {}), _SCRIPT),
        models=_texts(data.get("models", {})),
        metadata=tuple(_metadata_row(row) for row in data.get("metadata", ())),  # type: ignore[attr-defined]
        provided=_provided(data.get("provided", ())),
    )


def _metadata_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    texts = (row["name"], row["version"], row.get("requires-python", ""), *row["requires-dist"])
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"metadata of {row['name']!r}: expected texts")
    return row


def _entry(item: Mapping[str, object]) -> TargetRecord:
    entry = TargetRecord(
        plan=str(item["plan"]),
        catalog=str(item["catalog"]),
        inputs={
            str(key): [str(part) for part in value] if isinstance(value, list) else str(value)
            for key, value in item["inputs"].items()  # type: ignore[attr-defined]
        },
        family={str(name): FamilyPin.parse(pin) for name, pin in item["family"].items()},  # type: ignore[attr-defined]
        packages=int(item["packages"]),  # type: ignore[call-overload]
        files=_files(item["files"], _LOCK_FILE),
        decisions=tuple(_decision(found) for found in item.get("decisions", ())),  # type: ignore[attr-defined]
        unsatisfied=_unsatisfied(item.get("unsatisfied", ())),
        builds=_builds(item.get("builds", {})),
    )
    _check_inputs(entry)
    return entry


def _builds(values: object) -> Mapping[str, LockedBuild]:
    if not values:
        return {}
    if not isinstance(values, Mapping):
        raise TypeError("builds must be a table")
    return {str(name): LockedBuild.from_plain(build) for name, build in values.items()}


def _check_inputs(entry: TargetRecord) -> None:
    """Refuse values that a profile could not have: they reach shell scripts, paths and the programs of a session.

    Raises:
        ValueError: when there is one.
        ProfileError: PRF010 for an unknown backend.
    """
    _ = entry.backend
    if not _CHANNEL.fullmatch(entry.channel):
        raise ValueError(f"invalid channel {entry.channel[:80]!r}")
    for key in ("env", "allow-sdist", "from-pypi", "requirement", "route", "package-index"):
        if not isinstance(entry.inputs.get(key, []), list):
            raise ValueError(f"inputs.{key} must be a list")  # noqa: TRY004 - like the other problems of a manifest
    _ = entry.package_indexes
    if entry.env:
        # `envsmith run` must start fast, and few locks set variables.
        from envsmith.model.naming import variable_problem

        for name, value in entry.env.items():
            if problem := variable_problem(name, value):
                raise ValueError(f"inputs.env: {problem}")


def _files(value: object, pattern: re.Pattern[str]) -> dict[str, str]:
    """Return filename → sha256. Names become paths in the lock folder: `envsmith lock` writes and removes them."""
    found = _texts(value)
    for name in found:
        if not pattern.fullmatch(name):
            raise ValueError(f"invalid file name {name[:80]!r}")
    return found


def _routes(value: object) -> tuple[RoutePage, ...]:
    if not value:
        return ()
    from envsmith.model.route import RoutePage

    return tuple(RoutePage.from_plain(str(project), values) for project, values in sorted(value.items()))  # type: ignore[attr-defined]


def _provided(rows: object) -> tuple[ProvidedPackage, ...]:
    if not rows:
        return ()
    from envsmith.lockfile.provided import ProvidedPackage

    return tuple(ProvidedPackage.from_plain(row) for row in rows)  # type: ignore[attr-defined]


def _unsatisfied(value: object) -> tuple[str, ...]:
    if not value:
        return ()
    from envsmith.model.finding import UnmetRequirement

    return tuple(str(UnmetRequirement.parse(str(text))) for text in value)  # type: ignore[attr-defined]


def _decision(found: Mapping[str, object]) -> Mapping[str, object]:
    for key in ("subject", "kind", "message"):
        if not isinstance(found[key], str):
            raise TypeError(f"decisions: {key} is {found[key]!r}, expected a string")
    return found


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()}  # type: ignore[attr-defined]
