"""Catalog of facts: dated tables with their sources, and the snapshot of PyTorch's index."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar, cast

from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import conflict_groups, extensions, fact_rows, failures, lookalikes
from envsmith.catalog.conflict_groups import ConflictGroup
from envsmith.catalog.coverage import Coverage, VersionCoverage, coverage
from envsmith.catalog.extensions import Extension, Unbuilt
from envsmith.catalog.facts import (
    BackendFacts,
    DriverFloor,
    Fact,
    FamilyProject,
    Gpu,
    KernelRow,
    Kernels,
    Pairing,
    PypiBuild,
    PypiWheels,
    TorchRelease,
    Wheels,
)
from envsmith.catalog.failures import BadRelease, Failure
from envsmith.catalog.lookalikes import Lookalike
from envsmith.catalog.table_reader import Row, read_table
from envsmith.config.build_settings import BuildSettings
from envsmith.errors import CatalogError, EnvsmithError
from envsmith.model.backend import Backend, Capability, architecture, read_capability
from envsmith.model.listing import CHANNELS, IndexListing
from envsmith.model.target import Platform, Target

# Words of a GPU's name besides its model: makers, memory, sockets, cooling.
_GPU_EXTRAS = re.compile(
    r"\b(?:nvidia|geforce|tesla|amd|radeon|instinct|intel|laptop|gpu|mobile|generation|edition|graphics|with|max-q|design"
    r"|pcie|sxm\d?|nvl|hbm\d?e?|\d+ ?gb)\b|\(r\)|\(tm\)|[®™]"
)
_GIVEN = "given by name"
__all__ = [
    "BackendFacts",
    "BadRelease",
    "Capability",
    "Catalog",
    "ConflictGroup",
    "Coverage",
    "DriverFloor",
    "Extension",
    "Fact",
    "Failure",
    "FamilyProject",
    "Gpu",
    "KernelRow",
    "Kernels",
    "Lookalike",
    "Pairing",
    "PypiBuild",
    "PypiWheels",
    "TorchRelease",
    "Unbuilt",
    "VersionCoverage",
    "Wheels",
]
T = TypeVar("T")
_ROOT = Path(__file__).parent
CPU_KERNELS = "a CPU build has none by its nature"


def find(text: str, gpus: Iterable[Gpu]) -> Gpu:
    """Return the GPU with a name or a compute capability.

    Raises:
        CatalogError: CAT021 when it is neither a known name nor a capability.
    """
    if capability := read_capability(text):
        name = architecture(capability)
        return Gpu(name=name, capability=capability, source=_GIVEN, retrieved="")
    known = {gpu_model(gpu.name): gpu for gpu in gpus}
    if gpu := known.get(gpu_model(text)) or _series(text, known.values()):
        return gpu
    near = [known[name].name for name in get_close_matches(gpu_model(text), known, n=3)]
    names = f"similar names: {', '.join(near)}; or use" if near else "use"
    command = "`nvidia-smi --query-gpu=name,compute_cap` prints it"
    raise CatalogError(
        "CAT021",
        f"unknown GPU {text!r}",
        hint=f"{names} the compute capability, such as 8.9; {command}",
    )


def gpu_model(name: str) -> str:
    """Return the model in a GPU's name: ``NVIDIA GeForce RTX 4090 Laptop GPU`` → ``rtx4090``."""
    return "".join(_model_words(name))


def _model_words(name: str) -> list[str]:
    text = name.lower().replace("_", " ").replace("-", " ").replace("max q", "")
    return re.findall(r"[^\W_]+", _GPU_EXTRAS.sub(" ", text))  # letters and digits


def _series(text: str, gpus: Iterable[Gpu]) -> Gpu | None:
    """Return a GPU for the name of a series (``RX 7900``) whose members all have one capability."""
    words = _model_words(text)
    members = [gpu for gpu in gpus if words and _model_words(gpu.name)[: len(words)] == words]
    if len({gpu.capability for gpu in members}) != 1:
        return None
    return replace(members[0], name=text.strip(), pci=())


class Catalog:
    """Typed lookups in the tables and the snapshot of a folder.

    Each table is read once, when it is first needed; listings are not cached.

    Args:
        root: folder with the tables and ``snapshot/<channel>/<backend>.json``.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._tables: dict[str, tuple[object, ...]] = {}
        self._texts: dict[tuple[str, str], str] = {}

    @classmethod
    def embedded(cls) -> Catalog:
        """Return the catalog of this package."""
        return cls(_ROOT)

    def _table(self, name: str, key: str, build: Callable[[Row], T], *identity: str) -> tuple[T, ...]:
        if name not in self._tables:
            self._tables[name] = read_table(self._root / f"{name}.toml", key, build, identity)
        return cast("tuple[T, ...]", self._tables[name])

    def backends(self) -> tuple[BackendFacts, ...]:
        """Return the facts of every backend.

        Raises:
            CatalogError: CAT022, here and below, when a table is malformed.
        """
        return self._table("backends", "backend", fact_rows.backend, "backend")

    def backend(self, backend: Backend) -> BackendFacts:
        """Return the lifecycle of a backend.

        Raises:
            CatalogError: CAT020 when the backend is unknown.
        """
        known = {str(facts.backend): facts for facts in self.backends()}
        if facts := known.get(str(backend)):
            return facts
        near = get_close_matches(str(backend), known, n=3) or list(known)
        raise CatalogError(
            "CAT020",
            f"unknown backend {backend}",
            hint=f"known: {', '.join(near)}; `envsmith catalog show` lists all",
        )

    def releases(self) -> tuple[TorchRelease, ...]:
        """Return every stable release of torch, oldest first."""
        return self._table("releases", "release", fact_rows.release, "torch")

    def release(self, torch: Version) -> TorchRelease | None:
        """Return the release of a torch version, whatever its label, or None if it is unknown."""
        public = Version(torch.public)
        return next((release for release in self.releases() if release.torch == public), None)

    def release_date(self, project: str, version: Version) -> str | None:
        """Return the date of the first release of torch with a version of torch, torchvision or torchaudio."""
        if "dates" not in self._tables:  # every wheel without an upload time asks
            dates = {
                (name, found): release.date
                for release in sorted(self.releases(), key=lambda item: item.date, reverse=True)
                for name in ("torch", "torchvision", "torchaudio")
                for found in release.versions(name)
            }
            self._tables["dates"] = (dates,)
        (known,) = cast("tuple[dict[tuple[str, Version], str]]", self._tables["dates"])
        return known.get((project, version))

    def kernel_rows(self) -> tuple[KernelRow, ...]:
        """Return every row of the kernels table."""
        return self._table("kernels", "kernels", fact_rows.kernels, "backends", "platforms", "torch")

    def kernels(self, torch: Version, backend: Backend, platform: Platform) -> Kernels | None:
        """Return the kernels in a torch wheel, or None if they are unknown.

        A nightly has those of its next release; a CPU build has none.
        """
        if backend.family == "cpu":
            return Kernels(capabilities=(), source=CPU_KERNELS, retrieved="")
        found = next((row for row in self.kernel_rows() if row.describes(torch, backend, platform)), None)
        if found is None:
            return None
        return Kernels(
            capabilities=found.capabilities,
            is_complete=found.is_complete,
            source=found.source,
            retrieved=found.retrieved,
        )

    def gpus(self) -> tuple[Gpu, ...]:
        """Return every GPU."""
        groups = self._table("gpus", "gpus", fact_rows.gpus)
        return tuple(gpu for group in groups for gpu in group)

    def gpu_by_pci(self, pci: str) -> Gpu | None:
        """Return the first GPU with a PCI id (``8086:56a0``), or None."""
        return next((gpu for gpu in self.gpus() if pci in gpu.pci), None)

    def gpu(self, name_or_capability: str) -> Gpu:
        """Return a GPU by its name (``RTX 5080``) or capability (``sm_120``, ``12.0``, ``gfx1100``).

        Raises:
            CatalogError: CAT021 when it is neither a known name nor a capability.
        """
        return find(name_or_capability, self.gpus())

    def driver_floors(self) -> tuple[DriverFloor, ...]:
        """Return every row of the drivers table."""
        return self._table("drivers", "driver", fact_rows.driver, "cuda_major", "capability_from")

    def driver_floor(self, backend: Backend, os: str, capability: Capability | None = None) -> str | None:
        """Return the oldest driver version that runs a backend, or None if it needs none or it is unknown.

        Args:
            backend: only CUDA backends have one.
            os: ``linux`` or ``windows``.
            capability: of the GPU, which the driver must support, too.
        """
        if backend.family != "cuda" or os not in ("linux", "windows"):
            return None
        by_toolkit = [floor for floor in self.driver_floors() if floor.cuda_major == backend.version[0]]
        if not by_toolkit:
            return None
        by_gpu = [floor for floor in self.driver_floors() if floor.holds_for(capability)]
        floors = [floor.linux if os == "linux" else floor.windows for floor in (*by_toolkit, *by_gpu)]
        return max(floors, key=Version)

    def oldest_cuda(self, capability: Capability) -> tuple[int, int]:
        """Return the oldest CUDA version that builds for a compute capability; ``(0, 0)`` if unknown."""
        found = (floor.cuda for floor in self.driver_floors() if floor.cuda and floor.holds_for(capability))
        return max(found, default=(0, 0))

    def pairings(self) -> tuple[Pairing, ...]:
        """Return the compatibility constraints that no metadata declares."""
        return self._table("pairings", "pairing", fact_rows.pairing)

    def extensions(self) -> tuple[Extension, ...]:
        """Return the torch versions that packages compiled against torch need, oldest first by project."""
        # Every target of a profile asks several times.
        if "all extensions" not in self._tables:
            own = self._table("extensions", "extension", extensions.extension, "project", "versions")
            others = (*extensions.of_pairings(self.pairings()), *extensions.of_releases(self.releases()))
            self._tables["all extensions"] = (*own, *others)
        return cast("tuple[Extension, ...]", self._tables["all extensions"])

    def unbuilt(self) -> tuple[Unbuilt, ...]:
        """Return the projects compiled against torch without wheels on PyPI."""
        return self._table("unbuilt", "unbuilt", extensions.unbuilt, "project")

    def source_builds(self) -> tuple[BuildSettings, ...]:
        """Return how source distributions are built whose own metadata does not say all of it."""
        rows = self._table("source_builds", "build", extensions.source_build, "project")
        return tuple(row.settings for row in rows)

    def placeholders(self) -> tuple[Lookalike, ...]:
        """Return the projects on PyPI that only name the one that is meant."""
        return tuple(item for item in self.lookalikes() if item.meant)

    def lookalikes(self) -> tuple[Lookalike, ...]:
        """Return the projects on PyPI with names like those of the torch family."""
        return self._table("lookalikes", "lookalike", lookalikes.read_lookalike, "project")

    def meant_project(self, name: str) -> str:
        """Return the project of the torch family that a name is a misspelling of; empty if it is none."""
        meant = lookalikes.find_meant(name, tuple(item.name for item in self.projects()))
        if not meant:
            return ""
        known = {item.project for item in self.lookalikes()} | {item.project for item in self.unbuilt()}
        return "" if name in known or any(item.project == name for item in self.extensions()) else meant

    def is_cxx11(self, torch: Version, target: Target) -> bool | None:
        """Say whether a torch has the newer C++ ABI of GCC; None off Linux and if it is unknown."""
        found = self._table("abi", "abi", extensions.abi, "torch", "backends", "machine")
        return next((row.is_cxx11 for row in found if row.describes(torch, target)), None)

    def pypi_builds(self) -> tuple[PypiBuild, ...]:
        """Return the backends of wheels on PyPI."""
        return self._table("pypi_builds", "build", fact_rows.pypi_build, "project", "versions", "platforms")

    def pypi_build(self, name: str, version: Version, platform: Platform) -> Backend | None:
        """Return the backend of a project's wheel on PyPI, or None if it is unknown."""
        project = canonicalize_name(name)
        found = (row.backend for row in self.pypi_builds() if row.describes(project, version, platform))
        return next(found, None)

    def pypi_wheels(self) -> tuple[PypiWheels, ...]:
        """Return the platforms and Pythons of torch's wheels on PyPI."""
        return self._table("pypi_wheels", "wheels", fact_rows.pypi_wheels, "torch", "platforms", "pythons")

    def families(self) -> tuple[ConflictGroup, ...]:
        """Return the groups of projects of which only one can be installed."""
        return self._table("families", "family", conflict_groups.read, "folder", "name")

    def bad_releases(self) -> tuple[BadRelease, ...]:
        """Return the releases that are known to fail on some system."""
        return self._table("bad_releases", "bad", failures.read_bad_release, "project", "versions", "os")

    def failures(self) -> tuple[Failure, ...]:
        """Return the known messages of programs that fail because of their environment, specific ones first."""
        return self._table("failures", "failure", failures.read_failure, "name")

    def projects(self) -> tuple[FamilyProject, ...]:
        """Return the projects of the torch family."""
        return self._table("projects", "project", fact_rows.project, "name")

    def listing(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the listing of a channel and backend, or None if the snapshot has none.

        Raises:
            CatalogError: CAT011 when the file is malformed, or of another channel or backend.
        """
        text, place = self._listing_text(channel, backend), f"snapshot/{channel}/{backend}.json"
        if text is None:
            return None
        try:
            listing = IndexListing.from_json(text)
        except EnvsmithError as error:
            raise CatalogError("CAT011", error.message, where=place, hint=error.hint) from error
        if (listing.channel, listing.backend) != (channel, backend):
            raise CatalogError("CAT011", f"it is the listing of {listing.index}", where=place)
        return listing

    def _listing_text(self, channel: str, backend: Backend) -> str | None:
        """Return the text of a listing, or None if the snapshot has none."""
        path = self._root / "snapshot" / channel / f"{backend}.json"
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogError("CAT011", f"cannot be read: {error}", where=path.name) from error

    def published_hashes(self, channel: str, backend: Backend, filename: str) -> frozenset[str]:
        """Return every sha256 on record for a file of an index, withdrawn ones included; empty if it is unknown.

        Only the entry of this file is parsed.
        """
        key = (channel, str(backend))
        if key not in self._texts:
            self._texts[key] = self._listing_text(channel, backend) or ""
        place = self._texts[key].find(f'["{filename}", ')
        if place < 0:
            return frozenset()
        entry, _ = json.JSONDecoder().raw_decode(self._texts[key], place)
        return frozenset(filter(None, (entry[1], *(entry[4] if len(entry) > 4 else ()))))

    def listings(self) -> tuple[tuple[str, Backend], ...]:
        """Return channel and backend of every listing, in the order of the backends table."""
        backends = [facts.backend for facts in self.backends()]
        return tuple(
            (channel, backend)
            for channel in CHANNELS
            for backend in backends
            if (self._root / "snapshot" / channel / f"{backend}.json").is_file()
        )

    @property
    def retrieved(self) -> str:
        """Date of the snapshot, ``2026-11-20``."""
        return self._table("snapshot", "snapshot", fact_rows.snapshot)[0].retrieved

    def coverage(self) -> tuple[Coverage, ...]:
        """Return the coverage of every listing; this reads all of them."""
        found = (self.listing(channel, backend) for channel, backend in self.listings())
        return tuple(coverage(listing) for listing in found if listing)
