"""What ``envsmith lock`` shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envsmith.cli import render
from envsmith.errors import EnvsmithError
from envsmith.workflows.locking import LockedProfile, LockedTarget
from envsmith.workflows.planning import Wanted

_HEADLINES = ("RES103", "RES104", "RES105")


def sources(told: list[EnvsmithError], quiet: bool) -> None:
    """Say once, on standard error, why PyTorch's live index was not used."""
    while told:
        error = told.pop(0)
        if not quiet:
            text = (
                f"PyTorch's index was not read ({error.message}); `envsmith catalog refresh` when it answers"
            )
            render.labelled("catalog", text, error.code, err=True)


def outcome(wanted: Wanted, found: LockedProfile | EnvsmithError) -> None:
    """Print one profile's result, or its error."""
    if isinstance(found, EnvsmithError):
        render.error(found, command="lock", as_json=False)
        return
    head = [decision for decision in found.decisions if decision.code in _HEADLINES]
    label = wanted.profile.name
    if len(label) >= render.LABEL:
        render.say(label)
        label = ""
    for decision in head:
        render.labelled(label, decision.message, f"note {decision.code}")
        label = ""
    if not head:
        render.labelled(label, f"{wanted.profile.backend.title} · catalog {found.catalog_name}")
    render.table(
        ("target", "torch", "torchvision", "torchaudio", "packages", "took"),
        [_row(target, wanted) for target in found.targets],
    )
    render.decisions(found.decisions)


def _row(target: LockedTarget, wanted: Wanted) -> tuple[str, ...]:
    pins = {name: pin.split(" ")[0] for name, pin in target.entry.family.items()}
    family = wanted.profile.family
    shown = [
        pins.get(name) or ("dropped" if family.get(name) == "drop" else "-")
        for name in ("torch", "torchvision", "torchaudio")
    ]
    took = f"{target.seconds:.1f} s" if target.lock else "unchanged"
    return (target.slug, *shown, str(target.entry.packages), took)


def written(done: Sequence[LockedProfile], *, dry_run: bool) -> None:
    """Say what was written where, and as of when."""
    for found in done:
        count = len(found.targets)
        text = f"{found.folder.as_posix()}: {count} locks, {count} requirements files"
        if dry_run:
            text = f"nothing (dry run); it would be {text}"
        elif not found.written:
            text = f"nothing: {found.folder.as_posix()} is current"
        render.labelled("wrote", f"{text} · as of {found.manifest.cutoff_utc}")


def envelope(done: Iterable[LockedProfile], failed: Sequence[EnvsmithError]) -> None:
    """Print the JSON document."""
    data = [
        {
            "profile": found.profile,
            "folder": found.folder.as_posix(),
            "cutoff_utc": found.manifest.cutoff_utc,
            "catalog": found.catalog_name,
            "written": list(found.written),
            "decisions": [decision.to_json() for decision in found.decisions],
            "targets": [
                {
                    "target": target.slug,
                    "plan": target.entry.plan,
                    "family": dict(target.entry.family),
                    "packages": target.entry.packages,
                    "seconds": round(target.seconds, 3),
                    "is_unchanged": target.lock is None,
                }
                for target in found.targets
            ],
        }
        for found in done
    ]
    worst = max((error.exit_code for error in failed), default=0)
    render.envelope("lock", ("ok", "no", "failed")[worst], data, failed)
