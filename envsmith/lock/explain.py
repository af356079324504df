"""What would change an answer: for each decision that touched a package, the way to another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.version import Version

from envsmith.model.decision import Decision
from envsmith.model.listing import Listing

# Codes of decisions, as docs/reference/findings.md has them.
_DROPPED_BY_PROFILE, _SUBSTITUTED, _DROPPED, _STAYS = "RES101", "RES111", "RES114", "RES115"


def ways(name: str, decisions: Iterable[Decision]) -> tuple[str, ...]:
    """Return what would undo what was decided about a package, in sentences without a subject.

    Args:
        name: normalised.
        decisions: those that a lock keeps of it.
    """
    return tuple(dict.fromkeys(way for item in decisions for way in _ways(name, item)))


def _ways(name: str, decision: Decision) -> Iterator[str]:
    keep = f'family.{name} = "keep" in the profile' if name in ("torchvision", "torchaudio") else ""
    if decision.code == _DROPPED_BY_PROFILE:
        yield keep or f"leaving {name} out of what the profile drops"
    elif decision.code == _DROPPED:
        yield "a use in the project's files, or a package that requires it"
        yield keep or f"leaving {name} out of the profile's `prune`"
    elif decision.code == _SUBSTITUTED and decision.subject == name:
        yield f"naming {name} under `family` in the profile as the member to keep"
    elif decision.code == _STAYS:
        # Who requires it stands in the sentence alone; where nobody does, uses of it keep it.
        requirers = decision.message.partition(" stays: required by ")[2]
        yield (
            f"doing without what requires it: {requirers}" if requirers else "taking out the uses named here"
        )


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
