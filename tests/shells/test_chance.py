"""Sessions put together by chance, the same in every run: each shell does what the rules in Python say.

Lists are set in the session itself, not only inherited, are edited meanwhile, and one session follows another.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from envsmith.activate.model import EnvironmentPaths
from envsmith.activate.scripts import plan_session
from envsmith.activate.session import outer_session
from tests.shells.drivers import DRIVERS, Driver, Session, plain_environment
from tests.shells.places import ENVSMITH, PROFILE, made_project

TIMES = 25
LISTS = ("PATH", "LD_LIBRARY_PATH")
ENTRIES = ("/usr/bin", "/bin", "/a b", "/(x)", "/it's", "/a&b;c", "/*", "/q/site-packages/x")


@dataclass(frozen=True, kw_only=True)
class Trip:
    """One session: what is there before, what is edited in it, and what must be inside and after."""

    before: dict[str, str]
    edits: dict[str, str]
    inside: dict[str, str]
    after: dict[str, str]


def edited(value: str, entries: list[str], chance: random.Random) -> str:
    """Take entries out of a list, put others in, and move some."""
    parts = value.split(":") if value else []
    for _ in range(chance.randrange(4)):
        parts = chance.choice(
            [parts[1:], parts[:-1], [chance.choice(entries), *parts], [*parts, "/new"], parts[::-1]]
        )
    return ":".join(parts)


def trip(place: EnvironmentPaths, entries: list[str], chance: random.Random) -> Trip:
    """Make a session up, and say what the rules make of it."""
    # The last entry of PATH is always taken out: a PATH that is right already need not be noted as changed.
    path = [*chance.choices([*entries, place.bin], k=chance.randrange(1, 6)), entries[-1]]
    before = {"PATH": ":".join(path), "PYTHONPATH": "/was"}
    before["LD_LIBRARY_PATH"] = ":".join(chance.choices(entries, k=chance.randrange(1, 4)))
    session = plan_session(PROFILE, place, before, has_file=os.path.exists)
    inside = session.over(before)
    edits = {name: edited(inside.get(name, ""), entries, chance) for name in LISTS if chance.random() < 0.7}
    edits = {name: value for name, value in edits.items() if value}
    changed = [*session.values, *session.unset]
    notes = {"_ENVSMITH_CHANGED": " ".join(changed)}
    notes |= {f"_ENVSMITH_WAS_{name}": before[name] for name in changed if name in before}
    notes |= {f"_ENVSMITH_NOW_{name}": value for name, value in session.values.items()}
    return Trip(before=before, edits=edits, inside=inside, after=outer_session({**inside, **notes, **edits}))


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda item: item.name, indirect=True)
def test_every_shell_does_as_the_rules_say(driver: Driver, around: Path, tmp_path: Path) -> None:
    project = made_project(tmp_path / "project", around)
    prefix = str(project.root / ".venv")
    place = EnvironmentPaths(prefix=prefix, bin=f"{prefix}/bin")
    chance = random.Random(5)  # noqa: S311 - no secret
    entries = [*ENTRIES, f"{around}/other/bin", "/usr/local/cuda-11.8/lib64", "/y/dist-packages/z"]
    trips = [trip(place, entries, chance) for _ in range(TIMES)]
    run = tmp_path / "run"
    run.mkdir()
    env = plain_environment(PATH="/usr/bin:/bin", ENVSMITH_PREFIX=prefix, ENVSMITH_QUIET="1", PYTHONPATH="/p")
    steps = Session(driver=driver, folder=run, env=env)
    for number, one in enumerate(trips):
        for name, value in one.before.items():
            steps.do("set", name, value)
        steps.do("activate", str(ENVSMITH.script(project, driver)))
        steps.do("dump", str(run / f"inside{number}.env"))
        for name, value in one.edits.items():
            steps.do("set", name, value)
        steps.do("deactivate")
        steps.do("dump", str(run / f"after{number}.env"))
    steps.run(status=None)
    for number, one in enumerate(trips):
        for label, expected in (("inside", one.inside), ("after", one.after)):
            found = steps.variables(f"{label}{number}")
            names = (*LISTS, "PYTHONPATH", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV")
            got, wanted = ({name: which.get(name) for name in names} for which in (found, expected))
            assert got == wanted, f"{label} {number}: {one}"
