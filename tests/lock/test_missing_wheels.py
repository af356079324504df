from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from packaging.pylock import PackageWheel

from envsmith.catalog import Catalog
from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.lock.missing_wheels import MissingWheelsError, explain
from envsmith.lock.output import add_command
from envsmith.model.listing import VersionMetadata
from envsmith.plan.model import Resolution, ResolutionPlan
from tests.plan.made import as_source, package, plan, resolution, target
from tests.values import HEX

LATER = "; has one for --platform manylinux_2_34_x86_64"


class SourcesResolver:
    """Solves once sources are allowed: argbind and jieba at first, then what argbind requires."""

    def __init__(self, later: NoSolutionError | None = None) -> None:
        self.later = later

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        if self.later:
            raise self.later
        packages = [package("six", "1.0"), as_source("argbind", "0.3.9"), as_source("jieba", "0.42.1")]
        if any("docstring-parser" in item.requires_dist for item in plan.sdist_metadata()):
            packages.append(as_source("docstring-parser", "1.1"))
        return resolution(*packages, requirers={"argbind": ("audiotools",), "docstring-parser": ("argbind",)})

    def find_files(self, plan: ResolutionPlan, versions: Mapping[str, str]) -> Resolution:
        """Jieba has wheels for later versions of glibc; nothing has others."""
        assert plan.target.platform.floor > (2, 39)
        assert set(versions) == {"argbind", "docstring-parser", "jieba"}
        names = (
            "manylinux_2_39_x86_64.manylinux_2_34_x86_64",
            "manylinux_2_36_x86_64",
            "manylinux_2_31_aarch64",
        )
        wheels = [
            PackageWheel(name=f"jieba-0.42.1-cp312-cp312-{name}.whl", url="x", hashes={"sha256": HEX})
            for name in names
        ]
        return resolution(replace(package("jieba", "0.42.1"), wheels=wheels))


class Archives:
    """Knows what argbind requires; jieba tells it only by a build."""

    def metadata(self, *, name: str, version: str, url: str, sha256: str) -> VersionMetadata:  # noqa: ARG002
        if name == "jieba":
            raise ResolveError("RES060", "unknown")
        needs = ("docstring-parser",) if name == "argbind" else ()
        return VersionMetadata(name=name, version=version, requires_dist=needs)


def lacking(*names: str) -> NoSolutionError:
    error = NoSolutionError("RES050", "no solution", details=(("because", "a needs b"),))
    error.without_wheel = names
    return error


def explained(
    error: NoSolutionError, later: NoSolutionError | None = None, python: str = "3.12"
) -> EnvsmithError:
    return explain(
        plan("jieba==0.42.1", where=target(python=python)),
        error,
        resolver=SourcesResolver(later),  # type: ignore[arg-type]
        sdists=Archives(),  # type: ignore[arg-type]
        catalog=Catalog.embedded(),
    )


def test_all_packages_without_a_wheel_are_told_together() -> None:
    error = explained(lacking("jieba"))
    assert isinstance(error, MissingWheelsError)
    assert (error.code, error.message) == ("RES061", "3 packages have no wheel for this target")
    assert [text for label, text in error.details if label == "no wheel"] == [
        "argbind 0.3.9, required by audiotools",
        "docstring-parser 1.1, required by argbind",
        f"jieba 0.42.1, required at requirements.in:1{LATER}; what it requires is known only after a build",
    ]


def test_the_command_that_admits_them_is_whole() -> None:
    error = explained(lacking("jieba"))
    whole = ResolveError("RES002", "2 targets", parts=(error, replace_hint(explained(lacking("jieba")))))
    add_command(whole, ("lock", "cu128", "-r", "my file.txt"))
    assert whole.hint == (
        "envsmith lock cu128 -r 'my file.txt' --allow-sdist argbind --allow-sdist docstring-parser"
        " --allow-sdist jieba --allow-build jieba"
    )
    assert [part.hint for part in whole.parts] == ["", ""]


def replace_hint(error: EnvsmithError) -> EnvsmithError:
    error.hint = "another"
    return error


def test_a_conflict_behind_them_is_told_as_well() -> None:
    error = explained(lacking("jieba"), lacking("jieba", "argbind"))
    assert error.details == (("no wheel", "argbind"), ("no wheel", "jieba"), ("then", "a needs b"))


@pytest.mark.parametrize("names", [(), ("pytorch",)])
def test_another_cause_stays_as_it_is(names: tuple[str, ...]) -> None:
    """A stand-in for torch is never advised as source: its own error names the package that is meant."""
    error = lacking(*names)
    assert explained(error) is error


def test_without_a_wheel_for_a_free_threaded_python_sources_are_not_advised() -> None:
    without = NoSolutionError("RES050", "the requirements have no solution")
    without.without_wheel = ("pyyaml",)
    found = explained(without, python="3.13t")
    assert (found.code, found.message) == (
        "RES061",
        "no wheel of pyyaml fits a free-threaded Python (cp313t) on manylinux_2_28_x86_64",
    )
    add_command(found, ["lock", "mine"])
    assert "allow-sdist" not in found.hint
    assert "drop 3.13t from `python`" in found.hint
