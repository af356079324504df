from __future__ import annotations

from dataclasses import replace

from envsmith.catalog import Catalog
from envsmith.doctor.repair_plan import RepairInput, RepairPlan, plan_repair
from envsmith.environment.installed_state import (
    ForeignProgram,
    IncompleteDistribution,
    InstalledState,
    Overlap,
    StrayFile,
)
from envsmith.environment.model import Distribution
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Severity
from tests.environment.test_lock_comparison import distribution, environment, pins

CATALOG = Catalog.embedded()
HEADLESS = "opencv-python-headless"


def finding(code: str, subject: str, severity: Severity = "error") -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message="")


def damaged(
    *found: Distribution,
    locked: Pins | None = None,
    findings: tuple[Finding, ...] = (),
    condition: InstalledState | None = None,
    is_managed: bool = False,
) -> RepairInput:
    return RepairInput(
        profile="small" if locked else "",
        is_managed=is_managed,
        environment=environment(*found),
        installed_state=condition or InstalledState(),
        pins=locked,
        backend=Backend.parse("cpu"),
        findings=findings,
    )


def steps(one: RepairPlan) -> list[tuple[str, tuple[str, ...]]]:
    return [(step.kind, step.subjects) for step in one.steps]


def test_what_is_well_needs_nothing() -> None:
    assert plan_repair(damaged(distribution("a", "1"), locked=pins(a="1")), CATALOG) == RepairPlan()
    assert plan_repair(damaged(distribution("a", "1")), CATALOG) == RepairPlan()


def test_ours_is_built_anew_whatever_it_is() -> None:
    for code in ("ENV010", "ENV011", "ENV015", "ENV061"):
        found = (finding(code, "a"), finding("ENV068", "b"), finding("ENV017", "a"))
        done = plan_repair(damaged(locked=pins(a="1"), findings=found, is_managed=True), CATALOG)
        assert steps(done) == [("rebuild", ("small",))]
        assert done.remaining == (found[1],)
    for unable in (finding("ENV068", "b"), finding("ENV017", "a"), finding("ENV011", "pip", "note")):
        assert (
            plan_repair(damaged(locked=pins(a="1"), findings=(unable,), is_managed=True), CATALOG).steps == ()
        )


def test_what_is_not_as_locked_is_installed_by_its_hash_and_what_is_too_much_removed() -> None:
    found = (
        finding("ENV010", "a"),
        finding("ENV015", "b"),
        finding("ENV011", "extra"),
        finding("ENV017", "a"),
    )
    done = plan_repair(
        damaged(distribution("extra", "3"), locked=pins(a="1", b="2"), findings=found), CATALOG
    )
    assert steps(done) == [("remove", ("extra",)), ("install", ("a==1", "b==2"))]
    assert done.steps[1].is_hashed
    assert done.remaining == ()


def test_installers_stay() -> None:
    found = (finding("ENV011", "pip", "note"),)
    assert (
        plan_repair(damaged(distribution("pip", "26"), locked=pins(a="1"), findings=found), CATALOG).steps
        == ()
    )


def test_what_uv_cannot_remove_is_set_aside() -> None:
    half = InstalledState(
        halves=(
            IncompleteDistribution(folder="~umpy", why=""),
            IncompleteDistribution(folder="b-2.dist-info", why=""),
        )
    )
    old = replace(distribution("a", "0.9"), folder="a-0.9.dist-info")
    bare = replace(distribution("c", "3"), has_record=False)
    found = (finding("ENV012", "a"), finding("ENV013", "c"), finding("ENV067", "~umpy"))
    one = damaged(
        distribution("a", "1"), old, bare, locked=pins(a="1", b="2", c="3"), findings=found, condition=half
    )
    assert steps(plan_repair(one, CATALOG)) == [
        ("set aside", ("a-0.9.dist-info", "b-2.dist-info", bare.folder, "~umpy")),
        ("install", ("a==1", "b==2", "c==3")),
    ]


def test_who_shares_files_with_what_is_removed_comes_again() -> None:
    both = (distribution("opencv-python", "4"), distribution(HEADLESS, "4"))
    overlap = InstalledState(
        overlaps=(Overlap(owners=("opencv-python", HEADLESS), count=1, paths=("cv2/x",)),)
    )
    locked = pins(**{HEADLESS: "4"})
    expected = [("remove", ("opencv-python",)), ("install", (f"{HEADLESS}==4",))]
    for found, seen in (
        (finding("ENV011", "opencv-python"), InstalledState()),
        (finding("ENV065", "cv2"), InstalledState()),
    ):
        assert (
            steps(plan_repair(damaged(*both, locked=locked, findings=(found,), condition=seen), CATALOG))
            == expected
        )
    shared = (finding("ENV061", "opencv-python"), finding("ENV011", "opencv-python"))
    done = plan_repair(damaged(*both, locked=locked, findings=shared, condition=overlap), CATALOG)
    assert steps(done) == expected
    assert done.remaining == ()


def test_without_a_lock_one_of_a_family_stays() -> None:
    both = (distribution("opencv-python", "4"), distribution(HEADLESS, "5"))
    done = plan_repair(damaged(*both, findings=(finding("ENV065", "cv2"),)), CATALOG)
    kinds = dict(steps(done))
    assert set(kinds["remove"]) == {"opencv-python", HEADLESS}
    assert kinds["install"] in {("opencv-python==4",), (f"{HEADLESS}==5",)}
    assert not done.steps[1].is_hashed
    onnx = (distribution("onnxruntime", "1"), distribution("onnxruntime-gpu", "2"))
    done = plan_repair(damaged(*onnx, findings=(finding("ENV069", "onnxruntime"),)), CATALOG)
    assert dict(steps(done))["install"] == ("onnxruntime-gpu==2",)


def test_without_a_lock_what_is_broken_comes_again_but_nothing_with_a_label() -> None:
    half = InstalledState(
        halves=(
            IncompleteDistribution(folder="b-2.0.dist-info", why=""),
            IncompleteDistribution(folder="~c", why=""),
        )
    )
    found = (finding("ENV067", "a"), finding("ENV067", "torch"), finding("ENV060", "torchvision"))
    one = damaged(distribution("a", "1"), distribution("torch", "2+cpu"), findings=found, condition=half)
    done = plan_repair(one, CATALOG)
    assert steps(done) == [("set aside", ("b-2.0.dist-info", "~c")), ("install", ("a==1", "b==2.0"))]
    assert done.remaining == found[1:]


def test_code_that_nobody_owns_is_set_aside() -> None:
    strays = (StrayFile(path="a.pth"), StrayFile(path="torch/more.py", owners=("torch", "other")))
    condition = InstalledState(strays=strays)
    found = (finding("ENV018", "a.pth"),)
    done = plan_repair(damaged(locked=pins(a="1", torch="2"), findings=found, condition=condition), CATALOG)
    assert steps(done) == [("set aside", ("a.pth", "torch/more.py")), ("install", ("torch==2",))]
    assert done.remaining == ()
    assert plan_repair(damaged(locked=pins(a="1"), condition=condition), CATALOG).steps == ()


def test_whose_programs_start_another_places_python_comes_again() -> None:
    there = (distribution("a", "1"), distribution("b", "1+cpu"))
    items = [ForeignProgram(program=name, owner=name, python="/old/bin/python") for name in ("a", "b")]
    told = {
        "findings": (finding("ENV079", "/old/bin/python"),),
        "condition": InstalledState(elsewhere=tuple(items)),
    }
    locked = plan_repair(damaged(*there, locked=pins(a="1", b="1+cpu"), **told), CATALOG)  # type: ignore[arg-type]
    assert (steps(locked), locked.remaining) == ([("install", ("a==1", "b==1+cpu"))], ())
    ours = plan_repair(damaged(*there, locked=pins(a="1", b="1+cpu"), is_managed=True, **told), CATALOG)  # type: ignore[arg-type]
    assert (steps(ours), ours.remaining) == ([("rebuild", ("small",))], ())
    unlocked = plan_repair(damaged(*there, **told), CATALOG)  # type: ignore[arg-type]
    assert (steps(unlocked), unlocked.remaining) == ([("install", ("a==1",))], told["findings"])


def test_a_package_from_a_url_is_reinstalled_from_there() -> None:
    """An index may have a stranger's package of that name."""
    source = "https://example.org/six-1.0-py3-none-any.whl"
    locked = Pins(packages=(Pin(name="six", version="1.0", sha256=("a" * 64,), source=source),))
    (step,) = plan_repair(damaged(locked=locked, findings=(finding("ENV010", "six"),)), CATALOG).steps
    assert (step.subjects, step.names) == ((f"six @ {source}",), ("six",))
