from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.errors import LockError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.resolve import ResolveTools
from envsmith.plan.model import LockRequest
from tests.fakes import FakeContents, FakeResolver
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, OTHER_HEX, asked, package, profile

ONE = profile(on_retired="stable")
FIGHTING = {"a-1.0-py3-none-any.whl": {"x.py": b"a"}, "b-1.0-py3-none-any.whl": {"x.py": b"b"}}


def lock(tools: ResolveTools, pool: ThreadPoolExecutor, *texts: str) -> tuple[str, ...]:
    wanted = LockRequest(profile=ONE, requirements=asked(*texts))
    done = lock_profile(wanted, LockOptions(now_utc=CUTOFF), Path("mine"), tools, pool=pool)
    return done.targets[0].unchecked


def test_a_lock_whose_wheels_fight_is_not_written(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    answers = {
        "a": package("a-1.0-py3-none-any.whl"),
        "b": package("b-1.0-py3-none-any.whl", sha256=OTHER_HEX),
    }
    own = replace(tools, resolver=FakeResolver(answers=answers), contents=FakeContents(FIGHTING))
    with pytest.raises(LockError) as caught:
        lock(own, pool, "a", "b")
    assert caught.value.code == "LCK022"
    assert tools.files.read_files(Path("mine")) == {}


def test_what_could_not_be_compared_is_told(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    assert lock(tools, pool, "a", "b") == ("a", "b")


def test_a_lock_that_holds_is_not_compared_again(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    lock(tools, pool, "a")
    assert isinstance(tools.contents, FakeContents)
    tools.contents.asked.clear()
    assert lock(tools, pool, "a") == ()
    assert tools.contents.asked == []
