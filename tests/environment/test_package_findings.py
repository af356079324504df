from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from envsmith.environment import package_findings
from envsmith.environment.installed_state import (
    ForeignProgram,
    IncompleteDistribution,
    InstalledState,
    Overlap,
    Shadow,
    StrayFile,
)
from envsmith.environment.model import Import, InstallOrigin
from tests.environment.test_lock_comparison import distribution, environment, pins
from tests.values import HEX


def test_overlaps_name_both_and_some_files() -> None:
    item = Overlap(owners=("opencv-python", "opencv-python-headless"), count=7, paths=("a", "b", "c", "d"))
    (found,) = package_findings.overlaps(InstalledState(overlaps=(item,)))
    assert (found.code, found.severity) == ("ENV061", "error")
    assert found.message == (
        "opencv-python and opencv-python-headless install the same 7 files with different content: a, b, c and others"
    )
    assert list(package_findings.overlaps(InstalledState())) == []


def test_what_is_left_out_on_purpose_is_explained_only_where_it_is() -> None:
    both = environment(distribution("timm", "1"), distribution("torchvision", "1"))
    one = environment(distribution("timm", "1"))
    (found,) = package_findings.unsatisfied(["timm: torchvision>=0.16"], one)
    assert (found.code, found.severity) == ("ENV062", "note")
    assert "timm requires torchvision>=0.16, which the lock leaves out on purpose" in found.message
    assert list(package_findings.unsatisfied(["timm: torchvision>=0.16"], both)) == []
    assert list(package_findings.unsatisfied(["timm: torchvision>=0.16"], environment())) == []


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (InstallOrigin(kind="archive", url="https://example.org/a.whl", sha256=HEX), ""),
        (InstallOrigin(kind="archive", url="https://example.org/a.whl"), ""),
        (InstallOrigin(kind="archive", url="https://example.org/a.whl", sha256="0" * 64), "another file"),
        (InstallOrigin(kind="folder", url="file:///src/a"), "a folder: file:///src/a"),
        (InstallOrigin(kind="vcs", url="https://me:secret@example.org/a.git?token=1"), "example.org/a.git"),
    ],
)
def test_origins(origin: InstallOrigin, told: str) -> None:
    found = list(package_findings.origins(pins(a="1"), InstalledState(origins={"a": origin, "b": origin})))
    assert [item.code for item in found] == (["ENV063"] if told else [])
    assert all(told in item.message and "secret" not in item.message for item in found)


def test_a_failed_run_is_told_and_others_are_not() -> None:
    runs = (Import(name="python -m a"), Import(name="python -m b", error="status 3: no"))
    assert [item.message for item in package_findings.failed_runs(runs)] == [
        "`python -m b` fails: status 3: no"
    ]


def test_what_is_broken_is_named_once() -> None:
    whole = distribution("a", "1")
    lacking = replace(whole, missing=("a/x.so",), missing_count=1)
    half = IncompleteDistribution(folder=lacking.folder, why="it has no METADATA")
    assert list(package_findings.broken(InstalledState(), environment(whole))) == []
    (found,) = package_findings.broken(InstalledState(), environment(lacking))
    assert found.code == "ENV067"
    assert found.message == "a 1: 1 of 5 files is missing: a/x.so"
    assert found.hint == "uv pip install --python /env --reinstall --no-deps a==1"
    (found,) = package_findings.broken(InstalledState(halves=(half,)), environment(lacking))
    assert found.hint == f"delete /env/lib/{lacking.folder}"


def test_shadows() -> None:
    item = Shadow(module="torch", owner="torch", path="/p/torch.py")
    (found,) = package_findings.shadows(InstalledState(shadows=(item,)))
    assert found.message == "/p/torch.py is imported instead of the module torch of torch"
    assert list(package_findings.shadows(InstalledState())) == []


def test_an_environment_that_gives_no_answer() -> None:
    found = package_findings.unusable("/srv/app/.venv/bin/python: cannot start: No such file or directory")
    assert (found.code, found.severity) == ("ENV078", "error")
    assert "cannot be used: /srv/app/.venv/bin/python: cannot start" in found.message
    assert "envsmith install" in found.hint


def test_code_that_nobody_owns_is_named_and_counted() -> None:
    (one,) = package_findings.strays(InstalledState(strays=(StrayFile(path="a.pth"),)))
    assert (one.code, one.subject) == ("ENV018", "a.pth")
    assert one.message == "1 file or folder belongs to no distribution, but contains code: a.pth"
    (many,) = package_findings.strays(InstalledState(strays=tuple(StrayFile(path=name) for name in "abcd")))
    assert many.message.startswith("4 files or folders belong to no distribution")
    assert many.message.endswith("a, b, c and 1 more")
    assert list(package_findings.strays(InstalledState())) == []


def test_a_path_with_a_space_stays_one_word() -> None:
    lacking = replace(distribution("a", "1"), missing=("a/x.so",), missing_count=1)
    place = replace(environment(lacking), prefix="/my proj/.venv")
    (found,) = package_findings.broken(InstalledState(), place)
    assert shlex.split(found.hint)[4] == "/my proj/.venv"
    (found,) = package_findings.leftovers(
        InstalledState(halves=(IncompleteDistribution(folder="~a", why="left"),)), place
    )
    assert shlex.split(found.hint) == ["delete", "/my proj/.venv/lib/~a"]


def test_programs_of_another_place_are_told_together() -> None:
    items = [ForeignProgram(program=name, owner="torch", python="/old/bin/python") for name in "abcde"]
    (found,) = package_findings.elsewhere(InstalledState(elsewhere=tuple(items)))
    assert (found.code, found.subject, found.severity) == ("ENV079", "/old/bin/python", "error")
    assert found.message.startswith("a, b, c and 2 more start /old/bin/python instead of this environment's")
    (one,) = package_findings.broken(InstalledState(elsewhere=(items[0],)), environment())
    assert one.message.startswith("a starts /old/bin/python")
    assert list(package_findings.elsewhere(InstalledState())) == []


def test_modules_over_pythons_own_are_one_warning() -> None:
    items = [
        Shadow(module=name, owner="", path=f"/p/{name}.py") for name in ("random", "token", "typing", "wave")
    ]
    (found,) = package_findings.shadows(InstalledState(shadows=tuple(items)))
    assert (found.code, found.severity, found.subject) == ("ENV068", "warning", "random")
    assert found.message.startswith(
        "/p/random.py, /p/token.py, /p/typing.py and 1 more are imported instead of the standard"
    )
    (one,) = package_findings.shadows(InstalledState(shadows=(items[0],)))
    assert one.message.startswith("/p/random.py is imported")
