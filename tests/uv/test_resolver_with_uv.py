"""Real uv with slices only, without network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.errors import NoSolutionError, ResolveError
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Target
from envsmith.plan.model import ResolutionPlan
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from tests.index_server import FILES_HOST, INDEX_HOST, IndexProxy, Reply
from tests.plan.made import asked, plan, row, target

TAGS = "cp312-cp312-manylinux_2_28_x86_64.whl"
NAMES = (
    f"torch-2.11.0+cu128-{TAGS}",
    f"torch-2.10.0+cu128-{TAGS}",
    f"torchvision-0.26.0+cu128-{TAGS}",
    "torch-2.11.0+cu128-cp312-cp312-win_amd64.whl",
)
# Each has a hash of its own: uv takes equal hashes for the same file, and its metadata for the same, too.
ROWS = tuple(row(name, sha256=str(number) * 64) for number, name in enumerate(NAMES))
METADATA = (
    VersionMetadata(name="torch", version="2.11.0+cu128", requires_dist=()),
    VersionMetadata(name="torch", version="2.10.0+cu128", requires_dist=()),
    VersionMetadata(name="torchvision", version="0.26.0+cu128", requires_dist=("torch==2.11.0",)),
)


def sliced(*requirements: str, where: Target | None = None) -> ResolutionPlan:
    given = plan(*requirements, rows=ROWS, where=where)
    return replace(given, slice=replace(given.slice, metadata=METADATA))


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UvResolver:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return UvResolver(Processes(), executable=find_uv(), slices=tmp_path / "slices", offline=True)


def pins(found: UvResolver, given: ResolutionPlan) -> dict[str, str]:
    return {package.name: str(package.version) for package in found.resolve(given).packages}


def test_the_slice_answers(uv: UvResolver) -> None:
    answer = uv.resolve(sliced("torchvision", "torch"))
    assert {item.name: str(item.version) for item in answer.packages} == {
        "torch": "2.11.0+cu128",
        "torchvision": "0.26.0+cu128",
    }
    assert [wheel.url for wheel in answer.packages[0].wheels or ()] == [ROWS[0].url]
    assert answer.requirers == {"torch": ("torchvision",), "torchvision": ()}


def test_each_target_gets_its_own_wheel(uv: UvResolver) -> None:
    answer = uv.resolve(sliced("torch", where=target(platform="windows")))
    assert [wheel.filename for wheel in answer.packages[0].wheels or ()] == [NAMES[3]]


def test_wheels_for_a_later_glibc_only(uv: UvResolver) -> None:
    later = row("torch-2.11.0+cu128-cp312-cp312-manylinux_2_34_x86_64.whl")
    given = plan("torch", rows=(later,))
    metadata = (VersionMetadata(name="torch", version="2.11.0+cu128", requires_dist=()),)
    given = replace(given, slice=replace(given.slice, metadata=metadata))
    with pytest.raises(NoSolutionError) as caught:
        uv.resolve(given)
    assert caught.value.later_platforms == ("manylinux_2_34_x86_64",)
    at_34 = replace(given, target=target(platform="manylinux_2_34_x86_64"))
    assert pins(uv, at_34) == {"torch": "2.11.0+cu128"}


def threaded(*names: str) -> ResolutionPlan:
    """Return a plan for Python 3.13t with wheels of torch."""
    rows = tuple(row(name, sha256=str(number) * 64) for number, name in enumerate(names))
    given = plan("torch", rows=rows, where=target(python="3.13t"))
    versions = {str(item.version) for item in rows}
    metadata = tuple(VersionMetadata(name="torch", version=text, requires_dist=()) for text in versions)
    return replace(given, slice=replace(given.slice, metadata=metadata))


GIL, THREADED = "cp313-cp313-manylinux_2_28_x86_64.whl", "cp313-cp313t-manylinux_2_28_x86_64.whl"


def test_a_free_threaded_python_gets_its_own_wheels(uv: UvResolver) -> None:
    """The newest version has none for it."""
    given = threaded(*(f"torch-2.9.0+cu128-{tags}" for tags in (GIL, THREADED)), f"torch-2.11.0+cu128-{GIL}")
    answer = uv.resolve(given)
    assert [wheel.filename for wheel in answer.packages[0].wheels or ()] == [f"torch-2.9.0+cu128-{THREADED}"]
    assert answer.requirers == {"torch": ()}
    again = uv.find_files(given, {"torch": "2.9.0+cu128"})
    assert [wheel.filename for wheel in again.packages[0].wheels or ()] == [f"torch-2.9.0+cu128-{THREADED}"]
    (together,) = uv.resolve_together([given]) or ()
    assert together == answer


def test_a_package_without_a_wheel_for_a_free_threaded_python_is_named(uv: UvResolver) -> None:
    with pytest.raises(NoSolutionError) as caught:
        uv.resolve(threaded(f"torch-2.10.0+cu128-{GIL}", f"torch-2.11.0+cu128-{GIL}"))
    assert caught.value.without_wheel == ("torch",)
    assert "experimental" not in str(caught.value.details)


def test_constraints_limit_and_excludes_remove(uv: UvResolver) -> None:
    assert pins(uv, replace(sliced("torch"), constraints=asked("torch<2.11"))) == {"torch": "2.10.0+cu128"}
    assert pins(uv, replace(sliced("torch", "torchvision"), excludes=("torchvision",))) == {
        "torch": "2.11.0+cu128"
    }


def test_a_moved_cutoff_leaves_the_slice_alone(uv: UvResolver) -> None:
    """`lock -P torch`: its rows were cut off when they were planned, and have no upload time for uv."""
    given = replace(sliced("torch"), moved={"torch": "2026-11-21T00:00:00Z"})
    assert pins(uv, given) == {"torch": "2.11.0+cu128"}


def test_an_empty_page_hides_what_other_indexes_have(uv: UvResolver) -> None:
    """torchaudio is on PyPI, but this plan may not use any."""
    with pytest.raises(ResolveError) as caught:
        uv.resolve(sliced("torch", "torchaudio"))
    assert caught.value.code == "RES050"


def test_the_user_s_own_settings_are_shut_out(
    uv: UvResolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config" / "uv"
    settings.mkdir(parents=True)
    lowest = '[pip]\nresolution = "lowest"\n'
    (settings / "uv.toml").write_text(f'constraint-dependencies = ["torch<2.11"]\n{lowest}')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name, value in {
        "UV_RESOLUTION": "lowest",
        "UV_EXCLUDE": "x",
        "UV_CONSTRAINT": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[tool.uv.pip]\nresolution = "lowest"\n')
    monkeypatch.chdir(folder)
    assert pins(uv, sliced("torch")) == {"torch": "2.11.0+cu128"}


class YankedSix(IndexProxy):
    """PyPI with one project, of which version 1.0 is yanked."""

    reason: str | bool = True

    def answer(self, method: str, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        assert (method, host) in {("GET", INDEX_HOST), ("GET", FILES_HOST)}, headers
        if path.endswith(".metadata"):
            version = path.split("-")[1]
            return Reply(status=200, body=f"Metadata-Version: 2.1\nName: six\nVersion: {version}\n".encode())
        files = [
            {
                "filename": name,
                "url": f"https://{FILES_HOST}/{name}",
                "hashes": {"sha256": version[0] * 64},
                "upload-time": "2026-01-01T00:00:00Z",
                "core-metadata": True,
                "yanked": self.reason if version == "1.0" else False,
            }
            for version in ("0.9", "1.0")
            for name in [f"six-{version}-py3-none-any.whl"]
        ]
        page = {"meta": {"api-version": "1.1"}, "name": "six", "versions": ["0.9", "1.0"], "files": files}
        headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        return Reply(status=200, body=json.dumps(page).encode(), headers=headers)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [(True, ""), ("", ""), ("wrong file", "wrong file"), ('a "b"\nsecond (line)', 'a "b"\nsecond (line)')],
)
def test_uv_tells_which_versions_are_yanked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str | bool, expected: str
) -> None:
    with YankedSix() as index:
        index.reason = reason
        for name, text in index.environ(cache=tmp_path / "uv").items():
            monkeypatch.setenv(name, text)
        found = UvResolver(Processes(), executable=find_uv(), slices=tmp_path / "slices")
        answer = found.resolve(plan("six==1.0"))
        assert [str(item.version) for item in answer.packages] == ["1.0"]
        assert answer.yanked == {"six": expected}
        answer = found.resolve(plan("six"))
        assert [str(item.version) for item in answer.packages] == ["0.9"]
        assert answer.yanked == {}


def test_preferred_versions_are_kept_while_they_satisfy_what_is_asked(uv: UvResolver) -> None:
    older = replace(sliced("torch"), preferences={"torch": "2.10.0+cu128", "elsewhere": "1.0"})
    assert pins(uv, older) == {"torch": "2.10.0+cu128"}
    assert pins(uv, replace(older, requirements=asked("torch>=2.11"))) == {"torch": "2.11.0+cu128"}
    both = replace(older, requirements=asked("torch", "torchvision"))
    assert pins(uv, both) == {"torch": "2.11.0+cu128", "torchvision": "0.26.0+cu128"}


def test_provided_packages_are_resolved_with_all_others_and_looked_for_nowhere(uv: UvResolver) -> None:
    """Also in a joint run, and with a version that only a build tells; without network, as all tests here."""
    helper = ProvidedPackage(
        name="my-helper",
        version="1.0",
        requires_dist=("torch<2.11", 'brought>=1 ; extra == "all"', "unbuilt"),
        provides_extra=("all",),
        source="./helper",
    )
    brought = ProvidedPackage(name="brought", version="1.5a0+ngc.1")
    unbuilt = ProvidedPackage(name="unbuilt", source="git+https://host.invalid/unbuilt@abc")
    given = replace(
        sliced("my-helper[all]", "torchvision<1", "unbuilt>=3"), provided=(brought, helper, unbuilt)
    )
    given = replace(
        given, slice=replace(given.slice, metadata=(*METADATA[:2], replace(METADATA[2], requires_dist=())))
    )
    torch = {"torch": "2.10.0+cu128"}
    found = uv.resolve(given)
    assert found.versions() == {
        **torch, "brought": "1.5a0+ngc.1", "my-helper": "1.0", "torchvision": "0.26.0+cu128"
    }  # fmt: skip
    unknown = next(item for item in found.packages if item.name == "unbuilt")
    assert (unknown.version, unknown.wheels) == (None, None)
    assert found.requirers["brought"] == ("my-helper",)
    plain = replace(given, requirements=asked("brought", "unbuilt>=3"))
    answers = uv.resolve_together([plain, replace(plain, target=target(platform="windows"))])
    assert answers
    assert [item.versions() for item in answers] == [{"brought": "1.5a0+ngc.1"}] * 2
    with pytest.raises(ResolveError) as refused:
        uv.resolve(replace(given, requirements=asked("my-helper>=2")))
    assert "my-helper" in str(dict(refused.value.details)["because"])
