"""What would change an answer: for each decision that touched a package, the way to another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.version import Version

from envsmith.model.decision import Decision
from envsmith.model.listing import Listing


def ways(name: str, decisions: Iterable[Decision]) -> tuple[str, ...]:
    """Return what would undo what was decided about a package, in sentences without a subject.

    Args:
        name: normalised.
        decisions: those that a lock keeps of it.
    """
    return tuple(dict.fromkeys(way for item in decisions for way in _ways(name, item)))


def _ways(name: str, decision: Decision) -> Iterator[str]:
    keep = f'family.{name} = "keep" in the profile' if name in ("torchvision", "torchaudio") else ""
    if decision.kind == "dropped" and "the profile says" in decision.message:
        yield keep or f"leaving {name} out of what the profile drops"
    elif decision.kind == "dropped":
        yield "a use in the project's files, or a package that requires it"
        yield keep or f"leaving {name} out of the profile's `prune`"
    elif decision.kind == "substituted" and decision.subject == name:
        yield f"naming {name} under `family` in the profile as the member to keep"
    elif "stays: required by" in decision.message:
        yield f"doing without what requires it: {decision.message.partition('required by ')[2]}"
    elif " stays: " in decision.message:
        yield "taking out the uses named here"


def elsewhere(name: str, listings: Iterable[Listing]) -> tuple[str, ...]:
    """Return what asking for other backends would bring of a torch-family project, or that they have none.

    Args:
        name: normalised.
        listings: rows of other backends, stable channel.
    """
    return tuple(f"--backend {listing.backend}: {_newest(name, listing)}" for listing in listings)


def _newest(name: str, listing: Listing) -> str:
    versions = [Version(text) for text in listing.projects.get(name, {})]
    return f"{name} up to {max(versions).public} exists" if versions else f"no {name} exists for it"
