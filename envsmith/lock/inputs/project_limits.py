"""What a project's own files say about targets, backend and indexes, applied to a profile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from packaging.markers import Marker

from envsmith.config.build_settings import BuildSettings
from envsmith.config.profile import Profile
from envsmith.config.requirement import labels
from envsmith.config.requirements.requirements_parser import IndexSource, PyTorchLine, RequirementsFile
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.lockfile.manifest import RememberedOptions
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.shell import quote_path
from envsmith.model.target import Target

NARROWED = "PRF107"
"""Code of the note about targets that the project leaves out."""
_REPLACED = "PRF101"


def fit(
    profile: Profile, file: RequirementsFile, options: RememberedOptions, *, family: Collection[str]
) -> tuple[Profile, tuple[Decision, ...]]:
    """Return the profile for the targets that a project admits, with its own indexes, and the notes on what changed.

    Pythons outside of ``requires-python`` are left out unless none is left, or they were chosen by hand: the plan
    refuses them then. The same holds for targets outside of uv's ``environments``.

    Args:
        profile: with the options of the command line.
        file: what the project says.
        options: of the command line; they win.
        family: projects of PyTorch's index.

    Raises:
        ProfileError: PRF052 when an index holds for some of the targets only.
    """
    notes: list[Decision] = []
    bound = file.requires_python
    pythons = {target.python for target in profile.targets()}
    outside = bound.outside(pythons) if bound else ()
    left = tuple(sorted(pythons - {*outside}))
    if bound and outside and left and not options.python:
        profile = profile.limited(python=left)
        named = " ".join(map(str, outside))
        text = f"without Python {named}: the project's requires-python is {bound.specifier} ({bound.where})"
        notes.append(_note(profile.name, text, NARROWED))
    if file.environments and not options.python and not options.platforms:
        fitting = [target for target in profile.targets() if _is_in(target, file.environments)]
        gone = [target.slug for target in profile.targets() if target not in fitting]
        if fitting and gone:
            profile = profile.limited(
                python=[target.python for target in fitting],
                platforms=[target.platform for target in fitting],
            )
            text = f"without {', '.join(gone)}: not among the environments of the project"
            notes.append(_note(profile.name, text, NARROWED))
    sources = (*file.index_sources, *_other_projects(file.pytorch_lines, family))
    routes = dict(_routes(sources, profile))
    notes += _replaced(file.pytorch_lines, profile, family)
    builds: dict[str, BuildSettings] = {}
    for item in (*file.builds, *profile.build.values()):
        builds[item.project] = builds.get(item.project, item).joined(item)
    described = (*profile.dependency_metadata, *file.described)
    profile = replace(profile, build=builds, dependency_metadata=described)
    return replace(profile, routes={**routes, **profile.routes}), tuple(notes)


def _note(subject: str, text: str, code: str) -> Decision:
    return Decision(subject=subject, kind="noted", message=text, code=code)


def _is_in(target: Target, environments: Iterable[Marker]) -> bool:
    return any(target.satisfies(marker) for marker in environments)


def _other_projects(lines: Iterable[PyTorchLine], family: Collection[str]) -> Iterator[IndexSource]:
    """Yield the projects that are taken from PyTorch's index although PyTorch does not build them."""
    for line in lines:
        if line.project and line.project not in family:
            yield IndexSource(name=line.project, url=line.url, marker=line.marker, origin=line.origin)


def _routes(sources: Iterable[IndexSource], profile: Profile) -> Iterator[tuple[str, str]]:
    for source in sources:
        marker = Marker(source.marker) if source.marker else None
        holds = {target.satisfies(marker) for target in profile.targets()}
        if len(holds) > 1:
            raise ProfileError(
                "PRF052",
                f"{source.name} comes from {source.url} on some of the targets only: {source.marker}",
                where=source.origin,
                hint="lock the others under a profile of their own, or choose with --platform",
            )
        if True in holds:
            yield source.name, source.url


def _replaced(lines: Iterable[PyTorchLine], profile: Profile, family: Collection[str]) -> Iterator[Decision]:
    """Yield a note for each backend that an index of ``[tool.uv]`` names, unless it is the profile's."""
    own = [str(backend) for backend in profile.backends]
    for backend, line in {
        line.backend: line for line in lines if line.project in family and line.backend not in (None, *own)
    }.items():
        text = f"{line.origin}: PyTorch's index {backend} is replaced by the profile's, {' '.join(own)}"
        yield _note(line.url, text, _REPLACED)


def named_backend(file: RequirementsFile, target: Target, files: Collection[str] = ()) -> tuple[str, str]:
    """Return the backend that a label or an index line names for a target, and where; empty without one.

    Args:
        file: what the project or the files say.
        target: for markers.
        files: the requirements files that were named, for the commands of the hint.

    Raises:
        ProfileError: PRF022 when two labels, or two indexes, name different ones.
    """
    plain = [item for item in file.requirements if item.requirement.marker is None]
    for label, origin in labels(plain).values():
        if is_backend(label):
            return label, origin
    lines = [line for line in file.pytorch_lines if line.backend and _holds(line, target)]
    found = {line.backend: line for line in lines if line.backend}
    if len(found) > 1:
        listed = ", ".join(f"{backend} ({line.origin})" for backend, line in found.items())
        named = "".join(f" -r {quote_path(name)}" for name in files)
        commands = "`, or `".join(f"envsmith lock {backend}{named}" for backend in found)
        raise ProfileError(
            "PRF022",
            f"the project names several PyTorch indexes: {listed}",
            hint=f"choose one: `{commands}`",
        )
    return next(((backend, line.origin) for backend, line in found.items()), ("", ""))


def _holds(line: PyTorchLine, target: Target) -> bool:
    return target.satisfies(Marker(line.marker)) if line.marker else True


def is_backend(text: str) -> bool:
    """Return whether a text is the name of a backend."""
    try:
        Backend.parse(text)
    except EnvsmithError:
        return False
    return True
