"""`envsmith download`: the files of locks, and their download into a wheelhouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.config.mirrors import MirrorRules
from envsmith.download.artifact import Artifact, artifacts_of, is_apart, merge_artifacts
from envsmith.download.locations import Locations, MirroredFiles
from envsmith.download.record import DownloadResult, WheelhouseRecord
from envsmith.download.wheelhouse import change_record, read_record
from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.own_folder import check_links
from envsmith.lockfile.manifest import FILENAME, LockedBuild, Manifest
from envsmith.lockfile.pylock import read_pylock
from envsmith.lockfile.store import read_manifest
from envsmith.lockfile.whole import NO_RULES, LockRules, LockTexts, check, check_profile_name
from envsmith.model.package_index import PackageIndex
from envsmith.model.target import ALIASES
from envsmith.plan.ports import Files

FillWheelhouse = Callable[[Path, Sequence[Artifact], Locations], DownloadResult]
"""Downloads files into a folder, as `WheelhouseDownloader.fill`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededFiles:
    """The files of some locks."""

    artifacts: tuple[Artifact, ...]
    plans: Mapping[str, str]
    """lock → digest of its plan."""
    indexes: tuple[PackageIndex, ...] = ()
    """Those of the projects, besides PyPI and PyTorch's."""
    builds: Mapping[tuple[str, str], LockedBuild] = field(default_factory=dict)
    """Slug and project → the locked build of its source distribution."""
    apart: tuple[str, ...] = ()
    """Names of packages that a wheelhouse cannot have: they are built from their places."""


def needed_files(
    folder: Path, profiles: Sequence[str], targets: Sequence[str], files: Files, rules: LockRules = NO_RULES
) -> NeededFiles:
    """Return the files that locks need.

    Args:
        folder: contains the lock folders of the profiles.
        profiles: their names.
        targets: slugs, or one half of a slug (``cp312``, ``win_amd64``, ``windows``); empty: all.
        files: reads lock folders.
        rules: what is known of files and servers apart from the locks.

    Raises:
        LockError: LCK001 and LCK002 when a file of the lock is malformed; as `whole.check`.
        ToolError: TOL040 when a target is not locked or its pylock is missing; TOL041 and TOL042 when a file of the
            lock cannot be used.
    """
    found: list[Artifact] = []
    plans: dict[str, str] = {}
    builds: dict[tuple[str, str], LockedBuild] = {}
    indexes: dict[PackageIndex, None] = {}
    apart: set[str] = set()
    for profile in profiles:
        texts = files.read_files(folder / profile)
        manifest = read_manifest(texts, str(folder / profile / FILENAME))
        if manifest is None:
            raise _not_locked(profile, f"{profile} is not locked", ())
        check_profile_name(manifest, profile, str(folder / profile / FILENAME))
        for slug in _matching_slugs(manifest, targets, profile):
            lock = f"{profile}/{slug}"
            lock_texts = LockTexts.of(slug, manifest.targets[slug], texts, folder / profile)
            check(slug, manifest, lock_texts, rules, profile=profile)
            text = pylock_text(lock_texts, texts, slug, profile)
            pylock = read_pylock(text, lock)
            found += artifacts_of(pylock, lock)
            apart |= {str(package.name) for package in pylock.packages if is_apart(package)}
            builds |= {(slug, name): build for name, build in manifest.targets[slug].builds.items()}
            plans[lock] = manifest.targets[slug].plan
            indexes |= dict.fromkeys(manifest.targets[slug].package_indexes)
    return NeededFiles(
        builds=builds,
        artifacts=merge_artifacts(found),
        plans=plans,
        indexes=tuple(indexes),
        apart=tuple(sorted(apart)),
    )


def download(
    needed: NeededFiles, wheelhouse: Path, rewrites: MirrorRules, fill: FillWheelhouse
) -> DownloadResult:
    """Download the files of locks into a wheelhouse, and update its record.

    Raises:
        EnvsmithError: that of the only file that failed, or TOL050 with one part for each; the other files are kept;
            TOL019 when a link leads from the working directory to a wheelhouse outside.
    """
    check_links(Path(), wheelhouse)
    read_record(wheelhouse).check(needed.artifacts, needed.plans)
    result = fill(wheelhouse, needed.artifacts, MirroredFiles(rewrites=rewrites))
    present = {item.filename for item in result.files}
    incomplete = {lock for item in needed.artifacts if item.filename not in present for lock in item.locks}
    plans = {lock: plan for lock, plan in needed.plans.items() if lock not in incomplete}

    def add(record: WheelhouseRecord) -> WheelhouseRecord:
        return record.with_files(needed.artifacts, result.files, plans)

    change_record(wheelhouse, add)
    if result.failed:
        raise download_error(result.failed, len(needed.artifacts), "envsmith download")
    return result


def _matching_slugs(manifest: Manifest, targets: Sequence[str], profile: str) -> list[str]:
    """Return the slugs of the targets; each target must match at least one."""
    chosen = dict[str, None]()
    for target in targets or manifest.targets:
        matches = [
            slug
            for slug in manifest.targets
            if target == slug or ALIASES.get(target, target) in slug.split("-", 1)
        ]
        if not matches:
            raise _not_locked(profile, f"{profile} is not locked for {target}", tuple(manifest.targets))
        chosen |= dict.fromkeys(matches)
    return sorted(chosen)


def pylock_text(lock: LockTexts, files: Mapping[str, bytes], slug: str, profile: str) -> str:
    """Return the text of a lock's pylock, which contains file names and URLs.

    Args:
        lock: texts of the lock.
        files: of its folder.
        slug: of the target.
        profile: name of the profile.

    Raises:
        ToolError: TOL040 when it is missing, or was made for other requirements.
    """
    if lock.pylock is not None:
        return lock.pylock
    name = f"pylock.{slug}.toml"
    problem = "was made for other pins" if name in files else "is missing"
    raise ToolError(
        "TOL040",
        f"{name} {problem}: it contains the URLs of the files",
        where=f"{profile}/{slug}",
        hint=f"run `envsmith lock {profile}`: it makes the file from the locked pins, and moves none",
    )


def _not_locked(profile: str, why: str, slugs: Sequence[str]) -> ToolError:
    return ToolError(
        "TOL040",
        why,
        where="envsmith download",
        details=(("locked", " ".join(slugs)),) if slugs else (),
        hint=f"choose one of these with --target, all with --all, or lock others with `envsmith lock {profile}`"
        if slugs
        else f"envsmith lock {profile}",
    )


def download_error(failed: Sequence[EnvsmithError], total: int, where: str) -> EnvsmithError:
    """Return the error for files that could not be downloaded: that of the only file, or one with a part for each.

    Args:
        failed: one error for each file.
        total: number of files needed.
        where: the command.
    """
    if len(failed) == 1:
        return failed[0]
    return ToolError(
        "TOL050",
        f"{len(failed)} of {total} files could not be downloaded",
        where=where,
        parts=tuple(failed),
    )
