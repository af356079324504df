"""Packages compiled against torch: the torch versions each release needs, and projects without wheels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from envsmith.catalog.facts import Fact, Pairing, TorchRelease
from envsmith.catalog.table_reader import Row
from envsmith.config.build_settings import BuildSettings
from envsmith.model.backend import Backend
from envsmith.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension(Fact):
    """A range of versions of a project, and the torch versions they were compiled against."""

    project: NormalizedName
    versions: SpecifierSet
    """Without gaps."""
    torch: SpecifierSet

    def describes(self, project: str, version: Version) -> bool:
        """Say whether the row covers a version, whatever its label."""
        return project == self.project and self.versions.contains(version.public, prereleases=True)

    def fits(self, torch: Version) -> bool:
        """Say whether it was compiled against a torch; a nightly counts as its next release."""
        return self.torch.contains(torch.base_version, prereleases=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbuilt(Fact):
    """A project compiled against torch without wheels on PyPI."""

    project: NormalizedName
    page: str = ""
    """Address of the project's own wheels, with ``{torch}`` and ``{backend}`` as placeholders."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBuild(Fact):
    """What the build of a source distribution needs besides what its metadata says."""

    settings: BuildSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CxxAbi(Fact):
    """C++ ABI of GCC, one of two, that some Linux wheels of torch are compiled with."""

    torch: SpecifierSet
    backends: tuple[Backend, ...]
    """Empty means all."""
    machine: str
    """Empty means any."""
    is_cxx11: bool

    def describes(self, torch: Version, target: Target) -> bool:
        """Say whether the row covers a torch on a target."""
        return (
            target.platform.os == "linux"
            and self.torch.contains(torch.base_version, prereleases=True)
            and (not self.backends or target.backend in self.backends)
            and self.machine in ("", target.platform.machine)
        )


def abi(row: Row) -> CxxAbi:
    """Read a row of abi.toml."""
    return CxxAbi(
        torch=row.read("torch", SpecifierSet),
        backends=row.each("backends", Backend.parse),
        machine=row.text("machine", ""),
        is_cxx11=row.flag("cxx11"),
        **row.origin(),
    )


def extension(row: Row) -> Extension:
    """Read a row of extensions.toml."""
    return Extension(
        project=row.read("project", _name),
        versions=row.read("versions", SpecifierSet),
        torch=row.read("torch", SpecifierSet),
        **row.origin(),
    )


def unbuilt(row: Row) -> Unbuilt:
    """Read a row of unbuilt.toml."""
    return Unbuilt(
        project=row.read("project", _name), page=row.text("page", ""), note=row.text("note"), **row.origin()
    )


def source_build(row: Row) -> SourceBuild:
    """Read a row of source_builds.toml."""
    settings = BuildSettings(
        project=row.read("project", _name),
        requires=row.each("requires", str),
        constraints=row.each("constraints", str),
        needs=row.each("needs", str),
    )
    return SourceBuild(settings=settings, **row.origin())


def of_pairings(pairings: Iterable[Pairing]) -> Iterator[Extension]:
    """Yield the constraints on torch that no metadata declares."""
    for pairing in pairings:
        for needed in pairing.needs:
            if needed.name == "torch":
                yield Extension(
                    project=canonicalize_name(pairing.when.name),
                    versions=pairing.when.specifier,
                    torch=needed.specifier,
                    source=pairing.source,
                    retrieved=pairing.retrieved,
                )


def of_releases(releases: Iterable[TorchRelease]) -> Iterator[Extension]:
    """Yield the torch version of each torchaudio and torchvision, oldest first.

    Source: METADATA of their wheels on PyPI (2026-11-21): each names one torch, torchaudio before 2.11 and
    torchvision before 0.29.1.
    """
    for release in releases:
        for project, ended in (("torchaudio", "2.11"), ("torchvision", "0.29.1")):
            for version in reversed(release.versions(project)):
                if version < Version(ended):
                    yield Extension(
                        project=canonicalize_name(project),
                        versions=SpecifierSet(f"=={version}"),
                        torch=SpecifierSet(f"=={release.torch}"),
                        source=release.source,
                        retrieved=release.retrieved,
                    )


def _name(text: str) -> NormalizedName:
    return canonicalize_name(text, validate=True)
