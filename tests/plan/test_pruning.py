from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from envsmith.model.finding import Decision
from envsmith.model.usage import Area, Certainty, UnreadFile, Usage, Use
from envsmith.plan.pruning import candidates, judge, propose, settle, withdraw
from tests.values import asked, package, plan, profile, resolution


def use(
    module: str = "torchvision", line: int = 1, *, certainty: Certainty = "certain", area: Area = "sources"
) -> Use:
    return Use(file="a.py", line=line, module=module, kind="import", certainty=certainty, area=area)


def usage(*uses: Use, unread: tuple[UnreadFile, ...] = ()) -> Usage:
    return Usage(uses=uses, unread=unread, files_read=41)


def settled(
    found: Usage, *packages: str, requirers: Mapping[str, tuple[str, ...]] | None = None
) -> list[Decision]:
    proposed = propose(judge("torchvision", ["torchvision"], found))
    answer = resolution(
        *(package(f"{name}-1.0-py3-none-any.whl") for name in packages), requirers=requirers or {}
    )
    return list(settle(replace(plan("torch", "ultralytics"), decisions=(proposed,)), answer).decisions)


def test_it_goes_where_nothing_uses_and_nothing_requires_it() -> None:
    (decision,) = settled(usage(), "torch")
    assert (decision.kind, decision.code) == ("dropped", "RES114")
    assert decision.message == "torchvision dropped: not used (41 files scanned), and no package requires it"
    assert decision.evidence == ("files read: 41", "uses: 0", "required by: 0 packages")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (usage(use()), "used"),
        (usage(use(certainty="conditional")), "used if installed"),
        (usage(use(area="tests")), "used in tests"),
        (usage(use(area="beside")), "used outside the source folders"),
        (usage(use(certainty="string")), "named in a string"),
        (
            usage(unread=(UnreadFile(file="b.py", reason="line 3: no", modules=("torchvision",)),)),
            "could not be read",
        ),
        (usage(unread=(UnreadFile(file="b.py", reason="denied"),)), "could not be read"),
    ],
)
def test_it_stays_on_any_sign_of_a_use(found: Usage, said: str) -> None:
    (decision,) = settled(found, "torch", "torchvision")
    assert (decision.kind, decision.code) == ("noted", "RES115")
    assert said in decision.message
    assert decision.evidence


def test_it_stays_for_a_requirer_which_is_named_with_what_brings_it_in() -> None:
    requirers = {"torchvision": ("timm",), "timm": ("ultralytics",), "ultralytics": ()}
    (decision,) = settled(usage(), "torchvision", "timm", "ultralytics", requirers=requirers)
    assert (decision.kind, decision.code) == ("noted", "RES115")
    assert decision.message == "torchvision stays: required by timm"
    assert decision.evidence[-1] == "timm ← ultralytics, required at requirements.in:1"


def test_requirers_in_a_circle_end() -> None:
    requirers = {"torchvision": ("a",), "a": ("b",), "b": ("a",)}
    (decision,) = settled(usage(), "torchvision", "a", "b", requirers=requirers)
    assert decision.evidence[-1] == "a ← b"


def test_a_plan_without_proposals_stays_as_it_is() -> None:
    before = plan("torch")
    assert settle(before, resolution()) is before


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, ()),
        ({"family": {"torchvision": "auto"}}, ("torchvision",)),
        ({"family": {"torchvision": "auto", "torchaudio": "auto"}}, ("torchaudio", "torchvision")),
        ({"family": {"torchvision": "drop"}, "later": {"prune": ("torchvision", "xformers")}}, ("xformers",)),
        ({"later": {"prune": ("torchtext",)}}, ()),
        ({"later": {"prune": {"odd": 1}}}, ()),
    ],
)
def test_only_what_is_asked_for_and_let_go_is_looked_at(more: dict[str, Any], names: tuple[str, ...]) -> None:
    requirements = asked("torch", "torchvision==0.1", "torchaudio", "xformers")
    assert candidates(profile(**more), requirements) == names


def test_the_first_places_are_evidence_and_the_rest_a_number() -> None:
    verdict = judge("torchvision", ["torchvision"], usage(*(use(line=line) for line in range(1, 9))))
    assert verdict.evidence == (
        "a.py:1 (import: torchvision)",
        "a.py:2 (import: torchvision)",
        "a.py:3 (import: torchvision)",
        "and 5 more",
    )


def test_any_of_a_projects_modules_is_a_use() -> None:
    assert judge("attrs", ["attr", "attrs"], usage(use("attrs.define"))).answer == "used"


def test_what_is_not_needed_is_not_asked_for_but_still_bound() -> None:
    requirements = asked("torch==2.1.2", "torchvision[x]==0.16.2", "torchaudio")
    kept, limiting = withdraw(requirements, {"torchvision", "torchaudio"})
    assert [str(item.requirement) for item in kept] == ["torch==2.1.2"]
    assert [str(item.requirement) for item in limiting] == ["torchvision==0.16.2"]
    assert limiting[0].origin == "requirements.in:1"
    assert withdraw(requirements, ()) == (requirements, ())
