"""Lifecycle of a backend: its channels at the cutoff, and its successor."""

from __future__ import annotations

from dataclasses import dataclass

from envsmith.catalog import BackendFacts, Catalog
from envsmith.config.profile import Profile
from envsmith.errors import ResolveError
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChoice:
    """The backend and channel to use, and the decisions that led to them."""

    backend: Backend
    channel: str
    decisions: tuple[Decision, ...]


def settle(profile: Profile, catalog: Catalog, cutoff_utc: str) -> ChannelChoice:
    """Apply the profile's ``on-retired`` rule.

    Args:
        profile: backend, channel and rule.
        catalog: last dates of the channels of each backend.
        cutoff_utc: a channel with a later last date has not ended.

    Raises:
        ResolveError: RES010 when the channel or backend has ended and the rule is ``error``, RES011 when the rule is
            ``successor`` and the catalog knows none.
    """
    facts = catalog.backend(profile.backend)
    backend, channel, decisions = profile.backend, profile.channel, []
    if channel == "nightly" and _ended(facts.nightly_end, cutoff_utc):
        _refuse_if_error(profile, facts, f"{backend} nightlies ended on {facts.nightly_end}")
        if profile.on_retired == "stable":
            channel = "stable"
            decisions.append(_to_stable(facts))
    if _ended(facts.stable_end, cutoff_utc) and (channel == "stable" or profile.on_retired == "successor"):
        _refuse_if_error(profile, facts, f"{backend} ended with torch {facts.last_torch}")
        if profile.on_retired == "successor":
            backend = _follow(facts, catalog, cutoff_utc)
        decisions.append(_at_its_end(facts, backend, catalog))
    return ChannelChoice(backend=backend, channel=channel, decisions=tuple(decisions))


def _ended(end: str | None, cutoff_utc: str) -> bool:
    return end is not None and end <= cutoff_utc[:10]


def _refuse_if_error(profile: Profile, facts: BackendFacts, event: str) -> None:
    if profile.on_retired == "error":
        follows = f"; {facts.successor} follows" if facts.successor else ""
        raise ResolveError(
            "RES010",
            event + follows,
            where=f"profile {profile.name}: backend",
            details=(("source", f"{facts.source}, {facts.retrieved}"),),
            hint='set on-retired = "successor" to use the next backend, or "stable" for its last stable builds',
        )


def _follow(facts: BackendFacts, catalog: Catalog, cutoff_utc: str) -> Backend:
    seen = {facts.backend}
    while _ended(facts.stable_end, cutoff_utc):
        if facts.successor is None or facts.successor in seen:
            raise ResolveError(
                "RES011",
                f"{facts.backend} has ended, and the catalog has no successor for it",
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
        message=f"{facts.backend} nightlies ended on {facts.nightly_end}: using stable builds of {facts.backend}",
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
        message=f"{text}: using {taken}" if changed else text,
        evidence=(f"{facts.source}, {facts.retrieved}",),
    )
