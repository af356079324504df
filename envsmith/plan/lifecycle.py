"""What a profile's channel and backend are at the cutoff: alive, ended, or followed by another."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.catalog import BackendFacts, Catalog
from envsmith.config.profile import Profile
from envsmith.errors import ResolveError
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChoice:
    """The backend and channel that are really taken, and what was decided on the way."""

    backend: Backend
    channel: str
    decisions: tuple[Decision, ...]


def settle(profile: Profile, catalog: Catalog, cutoff_utc: str) -> ChannelChoice:
    """Follow the profile's ``on-retired`` rule.

    Args:
        profile: names backend, channel and the rule.
        catalog: knows when each channel of a backend ended.
        cutoff_utc: what ended later is still alive.

    Raises:
        ResolveError: RES010 where the channel or backend has ended and the profile says ``error``,
            RES011 where it says ``successor`` and none is known.
    """
    facts = catalog.backend(profile.backend)
    backend, channel, decisions = profile.backend, profile.channel, []
    if channel == "nightly" and _ended(facts.nightly_end, cutoff_utc):
        _refuse_if_asked(profile, facts, f"{backend} nightlies ended on {facts.nightly_end}")
        if profile.on_retired == "stable":
            channel = "stable"
            decisions.append(_to_stable(facts))
    if _ended(facts.stable_end, cutoff_utc) and (channel == "stable" or profile.on_retired == "successor"):
        _refuse_if_asked(profile, facts, f"{backend} ended with torch {facts.last_torch}")
        if profile.on_retired == "successor":
            backend = _follow(facts, catalog, cutoff_utc)
        decisions.append(_at_its_end(facts, backend, catalog))
    return ChannelChoice(backend=backend, channel=channel, decisions=tuple(decisions))


def _ended(end: str | None, cutoff_utc: str) -> bool:
    return end is not None and end <= cutoff_utc[:10]


def _refuse_if_asked(profile: Profile, facts: BackendFacts, what: str) -> None:
    if profile.on_retired == "error":
        follows = f"; {facts.successor} follows" if facts.successor else ""
        raise ResolveError(
            "RES010",
            what + follows,
            where=f"profile {profile.name}: backend",
            details=(("source", f"{facts.source}, {facts.retrieved}"),),
            hint='set on-retired = "successor" to move on, or "stable" to stay on its last stable builds',
        )


def _follow(facts: BackendFacts, catalog: Catalog, cutoff_utc: str) -> Backend:
    seen = {facts.backend}
    while _ended(facts.stable_end, cutoff_utc):
        if facts.successor is None or facts.successor in seen:
            raise ResolveError(
                "RES011",
                f"{facts.backend} has ended, and the catalog knows no backend that follows it",
                where=str(facts.backend),
                hint='set on-retired = "stable", or choose another backend: `envsmith catalog show`',
            )
        seen.add(facts.successor)
        facts = catalog.backend(facts.successor)
    return facts.backend


def _to_stable(facts: BackendFacts) -> Decision:
    return Decision(
        subject=f"nightly/{facts.backend}",
        kind="substituted",
        code="RES103",
        message=f"{facts.backend} nightlies ended on {facts.nightly_end}: taking stable builds of {facts.backend}",
        evidence=(f"{facts.source}, {facts.retrieved}",),
    )


def _at_its_end(facts: BackendFacts, taken: Backend, catalog: Catalog) -> Decision:
    text = f"{facts.backend.title} · torch {facts.last_torch} is its last"
    successor = facts.successor
    if successor:
        floor = catalog.driver_floor(successor, "linux")
        text += f"; {successor} follows" + (f" (driver ≥ {floor})" if floor else "")
    changed = taken != facts.backend
    return Decision(
        subject=str(facts.backend),
        kind="substituted" if changed else "noted",
        code="RES105" if changed else "RES104",
        message=f"{text}: taking {taken}" if changed else text,
        evidence=(f"{facts.source}, {facts.retrieved}",),
    )
