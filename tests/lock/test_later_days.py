"""Committed locks on later days: recorded pages that have changed since, real commands, real uv."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import parse_wheel_filename

from envsmith.uv.command import find_uv
from tests.commands import Project, Ran
from tests.index_recording import Recording
from tests.index_server import IndexReplay
from tests.record_index import PROFILES
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

ROOT = Path(__file__).parents[2]
PROFILE = "cpu-minimal"
EMBEDDED = ("--catalog", "embedded")
WORDS = ("lock", PROFILE, *EMBEDDED)
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def slugs_of(profile: str) -> list[str]:
    """Return the targets of a shipped lock."""
    files = (ROOT / "lockfiles" / profile).glob("requirements.*")
    return sorted(path.name.removeprefix("requirements.").removesuffix(".txt") for path in files)


SLUGS = slugs_of(PROFILE)


def committed(project: Project) -> dict[str, bytes]:
    """Return the lockfiles that git does not ignore."""
    folder = project.root / "lockfiles"
    paths = [path for path in folder.glob("*/*") if not path.name.startswith("pylock.")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def pinned(project: Project, profile: str, slug: str) -> dict[str, tuple[str, set[str]]]:
    """Return project → version and hashes of a requirements file."""
    text = project.locks(profile)[f"requirements.{slug}.txt"].decode()
    return {
        name: (version, set(re.findall("[0-9a-f]{64}", hashes)))
        for name, version, hashes in _PIN.findall(text)
    }


@pytest.fixture
def clone(tmp_path: Path) -> Project:
    """Shipped profiles with their committed locks, as git has them: without pylocks."""
    for name in ("profiles", "lockfiles"):
        shutil.copytree(ROOT / name, tmp_path / "clone" / name, ignore=shutil.ignore_patterns("pylock.*"))
    return Project(root=tmp_path / "clone")


@pytest.fixture
def pages() -> Recording:
    """The pages of the committed lock's day, to be changed by a test."""
    return Recording.read("shipped")


@pytest.fixture
def run(clone: Project, pages: Recording, tmp_path: Path) -> Callable[..., Ran]:
    """Run envsmith in the clone, on the pages as they are then."""

    def runs(*words: str) -> Ran:
        with IndexReplay(pages, adds_sidecars=True) as index:
            # An empty cache: no page of an earlier command is read again.
            shutil.rmtree(tmp_path / "uv", ignore_errors=True)
            clone.env |= index.environ(cache=tmp_path / "uv")
            ran = clone.run(*words)
        assert not index.missed
        return ran

    return runs


def row(pages: Recording, name: str, version: str, part: str = ".whl") -> dict[str, Any]:
    (found,) = (
        item
        for item in pages.projects[name]
        if item["filename"].split("-")[1] == version and part in item["filename"]
    )
    return found


def add_newer(pages: Recording, uploaded: str) -> None:
    """Add a newer release of each project whose metadata is recorded."""
    for name, rows in [*pages.projects.items()]:
        known = [row["filename"] for row in rows if row["url"] in pages.wheels]
        if newest := max((parse_wheel_filename(filename)[1] for filename in known), default=None):
            later = (*newest.release[:-1], newest.release[-1] + 1)
            pages.add_later(name, ".".join(map(str, later)), uploaded)


def assert_built(project: Project, slugs: list[str], profile: str = PROFILE) -> None:
    """The pylocks of some targets, and of no other, have exactly the committed pins and hashes."""
    built = [name for name in project.locks(profile) if name.startswith("pylock.")]
    assert built == [f"pylock.{slug}.toml" for slug in slugs]
    for slug in slugs:
        pins = project.pins(profile, slug)
        lines = pinned(project, profile, slug)
        assert {name: pin.version for name, pin in pins.items()} == {
            name: version for name, (version, _) in lines.items()
        }
        assert all(pin.sha256 in lines[name][1] for name, pin in pins.items())


def test_newer_files_and_yanked_ones_move_no_pin_of_the_shipped_locks(
    clone: Project, pages: Recording, run: Callable[..., Ran]
) -> None:
    """Newer releases that were uploaded before the cutoff, a newer file of a pinned version, a yanked pin."""
    before = committed(clone)
    add_newer(pages, "2026-11-01T00:00:00Z")
    pages.add("jinja2", "3.1.6", ["MarkupSafe>=2.0"], tags="1-py3-none-any")
    row(pages, "sympy", "1.14.0")["yanked"] = "wrong\nresults"
    ran = run("lock", *PROFILES, *EMBEDDED)
    assert ran.status == 0, ran.said
    assert committed(clone) == before
    for profile in PROFILES:
        assert_built(clone, slugs_of(profile), profile)
    assert ran.said.count("sympy 1.14.0 is yanked: wrong results") == len(PROFILES)
    assert "RES117" in ran.said
    assert "moved" not in ran.said
    shutil.rmtree(clone.root / "lockfiles")
    ran = run(*WORDS, "--as-of", "2026-11-20T09:00:00Z")
    assert ran.status == 0, ran.said
    fresh = pinned(clone, PROFILE, SLUGS[0])
    found = {name: fresh[name][0] for name in ("filelock", "sympy", "markupsafe")}
    expected = {"filelock": "4.2.13", "sympy": "1.14.1", "markupsafe": "3.0.5"}
    assert found == expected, "the pages do have newer releases"


@pytest.mark.parametrize("left", ["releases", "page", "nothing"])
def test_a_release_that_is_gone_is_named_and_nothing_moves(
    clone: Project, pages: Recording, run: Callable[..., Ran], left: str
) -> None:
    before = committed(clone)
    if left == "releases":
        pages.add_later("mpmath", "1.4.1", "2026-11-01T00:00:00Z")
    pages.projects["mpmath"] = [
        item for item in pages.projects["mpmath"] if "-1.3.0" not in str(item["filename"])
    ]
    if left == "nothing":
        del pages.projects["mpmath"]
        pages.absent.append("mpmath")
    ran = run(*WORDS)
    assert ran.status == 1, ran.said
    assert "mpmath 1.3.0: the index no longer has the locked file; the pin stays" in ran.said
    assert ran.said.count("LCK025") == 1
    assert committed(clone) == before
    assert_built(clone, [])
    assert clone.run(*WORDS, "--check").status == 0, "the lock is current all the same"


def test_without_the_file_of_one_target_the_others_are_built(
    clone: Project, pages: Recording, run: Callable[..., Ran]
) -> None:
    before = committed(clone)
    pages.add_later("markupsafe", "3.0.5", "2026-11-01T00:00:00Z")
    pages.projects["markupsafe"].remove(row(pages, "markupsafe", "3.0.4", "cp312-cp312-win_amd64"))
    ran = run(*WORDS, "--json")
    assert ran.status == 1, ran.said
    targets = json.loads(ran.out)["data"][0]["targets"]
    assert {item["target"]: item["unserved"] for item in targets if item["unserved"]} == {
        "cp312-win_amd64": ["markupsafe 3.0.4"]
    }
    assert committed(clone) == before
    assert_built(clone, [slug for slug in SLUGS if slug != "cp312-win_amd64"])
    ran = run(*WORDS)
    assert "markupsafe 3.0.4: the index no longer has the locked file (cp312-win_amd64)" in ran.said
    assert f"hint: envsmith lock {PROFILE} -P markupsafe" in ran.said
    ran = run(*WORDS, "-P", "markupsafe")
    assert ran.status == 0, ran.said
    assert_built(clone, SLUGS)
    after = committed(clone)
    changed = {name for name in before if before[name] != after[name]}
    files = ("manifest.toml", *(f"requirements.{slug}.txt" for slug in SLUGS))
    assert changed == {f"{PROFILE}/{name}" for name in files}
    texts = [
        data.decode().replace("markupsafe==3.0.5", "markupsafe==3.0.4")
        for name, data in after.items()
        if "/requirements." in name
    ]
    hashes = re.compile(r"(?<=markupsafe==3.0.4 \\\n).*\n")
    assert [hashes.sub("", text) for text in texts] == [
        hashes.sub("", data.decode()) for name, data in before.items() if "/requirements." in name
    ]


THEN, NOW = "2026-11-20T09:00:00Z", "2026-11-25T00:00:00Z"
SLUG = "cp312-manylinux_2_28_x86_64"
ASKED = ("torch", "transformers", "scikit-learn")
BROUGHT = {"fastapi", "starlette", "opentelemetry-api"}
"""Beside packages that are locked already: annotated-doc, pydantic."""


@pytest.fixture(scope="module")
def days() -> tuple[Recording, Recording]:
    """The index of two days; later every project has a newer release, and transformers needs newer tokenizers."""
    then = Recording.read("shipped")
    for name in ("fastapi-server", "fitting-room"):
        other = Recording.read(name)
        new = other.projects.keys() - then.projects.keys()
        then.projects |= {project: other.projects[project] for project in new}
        then.wheels |= {path: wheel for path, wheel in other.wheels.items() if path not in then.wheels}
    then.absent = [name for name in then.absent if name not in then.projects]
    for name, rows in then.projects.items():
        then.projects[name] = [row for row in rows if row["upload-time"] <= THEN]
    projects = {name: [*rows] for name, rows in then.projects.items()}
    now = replace(then, projects=projects, wheels={**then.wheels})
    add_newer(now, NOW)
    bounds = {"tokenizers<0.24.0,>=0.23.1": "tokenizers<0.25.0,>=0.24.0"}
    now.add_later("transformers", "5.24.0", NOW, bounds)
    now.add_later("tokenizers", "0.24.0", NOW)
    return then, now


@dataclass(kw_only=True)
class Story:
    """A project that was locked on the first day, and is worked on at the later one."""

    project: Project
    requirements: list[str] = field(default_factory=lambda: [*ASKED])

    def run(self, *words: str) -> Ran:
        """Run envsmith with the requirements of now."""
        (self.project.root / "requirements.in").write_text("\n".join([*self.requirements, ""]))
        return self.project.run(*words)

    def pins(self) -> dict[str, str]:
        """Return project → version."""
        return {name: pin.version for name, pin in self.project.pins("own", SLUG).items()}

    def by_uv(self, pins: dict[str, str], *words: str) -> dict[str, str]:
        """Return the pins that `uv pip compile -o` makes of some; it has no torch to choose from."""
        folder = self.project.root / "by uv"
        folder.mkdir()
        (folder / "in.txt").write_text("\n".join(text for text in self.requirements if text != "torch"))
        (folder / "out.txt").write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        subprocess.run(
            [find_uv(), "pip", "compile", "in.txt", "-o", "out.txt", "--no-config", "--no-build", "--no-header",
             "--python", sys.executable, "--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_28",
             *words],
            cwd=folder, env=self.project.environ(), check=True, capture_output=True,
        )  # fmt: skip
        lines = (folder / "out.txt").read_text().splitlines()
        return dict(line.split("==") for line in lines if not line.startswith((" ", "#")))


@pytest.fixture(scope="module")
def locked(
    days: tuple[Recording, Recording], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, ...], Path]:
    """Projects that were locked on the first day, by the cutoff asked for."""
    folder = tmp_path_factory.mktemp("first day")
    found: dict[tuple[str, ...], Path] = {}
    with IndexReplay(days[0], adds_sidecars=True) as index:
        for cutoff in ((), ("--as-of", THEN)):
            project = Project(root=folder / f"project {len(cutoff)}", env=index.environ(cache=folder / "uv"))
            project.profile(
                "own", backend="cpu", python=["3.12"], platforms=["linux"], requirements=["torch"]
            )
            words = ("lock", "own", "-r", "requirements.in", "--catalog", "embedded", *cutoff)
            ran = Story(project=project).run(*words)
            assert ran.status == 0, ran.said
            found[cutoff] = project.root
    assert not index.missed
    return found


@pytest.fixture(scope="module")
def later(
    days: tuple[Recording, Recording], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The index of the later day, as variables."""
    with IndexReplay(days[1], adds_sidecars=True) as index:
        yield index.environ(cache=tmp_path_factory.mktemp("later day"))
    assert not index.missed


@pytest.fixture(params=[(), ("--as-of", THEN)], ids=["no cutoff", "cutoff"])
def story(
    request: pytest.FixtureRequest, locked: dict[tuple[str, ...], Path], later: dict[str, str], tmp_path: Path
) -> Story:
    place = shutil.copytree(locked[request.param], tmp_path / "project")
    return Story(project=Project(root=place, env=later))


def moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the projects that came, went or moved."""
    return {name for name in before | after if before.get(name) != after.get(name)}


without_cutoff = pytest.mark.parametrize("story", [()], indirect=True, ids=["no cutoff"])
with_cutoff = pytest.mark.parametrize("story", [("--as-of", THEN)], indirect=True, ids=["cutoff"])


@without_cutoff
def test_a_requirement_on_a_newer_release_brings_that_alone(story: Story) -> None:
    before = story.pins()
    assert len(before) > 30
    story.requirements.append("fastapi>=0.165.1")
    ran = story.run("lock")
    assert ran.status == 0, ran.said
    after = story.pins()
    assert moved(before, after) == BROUGHT
    assert after["fastapi"] == "0.165.1"
    assert story.run("lock", "--check").status == 0


@with_cutoff
def test_without_a_solution_by_a_cutoff_the_release_and_the_command_are_named(story: Story) -> None:
    before = story.pins()
    story.requirements.append("fastapi>=0.165.1")
    ran = story.run("lock")
    assert ran.status == 1, ran.said
    assert "RES050" in ran.said
    assert "cutoff fastapi 0.165.1 was released 2026-11-25" in ran.said
    hint = "this lock ignores releases after 2026-11-20 (cutoff): run `envsmith lock own -P fastapi`"
    assert hint in ran.said
    assert story.pins() == before
    ran = story.run("lock", "own", "-P", "fastapi")
    assert ran.status == 0, ran.said
    after = story.pins()
    assert moved(before, after) == BROUGHT
    assert story.run("lock", "--check").status == 0
    assert story.run("lock").status == 0
    assert story.pins() == after


@with_cutoff
def test_a_package_that_only_later_releases_of_another_admit(story: Story) -> None:
    """The way out that the message names is a way out."""
    before = story.pins()
    story.requirements.append("tokenizers>=0.24")
    ran = story.run("lock")
    assert ran.status == 1, ran.said
    assert "tokenizers 0.24.0 was released 2026-11-25" in ran.said
    (command,) = re.findall(r"run `envsmith (lock own -P \S+)`", ran.said)
    ran = story.run(*command.split())
    assert ran.status == 0, ran.said
    assert moved(before, story.pins()) == {"tokenizers", "transformers"}


def test_a_new_name_can_be_upgraded_at_once(story: Story) -> None:
    before = story.pins()
    story.requirements.append("orjson")
    ran = story.run("lock", "own", "-P", "orjson")
    assert ran.status == 0, ran.said
    assert moved(before, story.pins()) == {"orjson"}
    assert story.pins()["orjson"] == "3.13.1"


def test_an_upgrade_moves_as_few_as_uv_moves(story: Story) -> None:
    before = story.pins()
    ran = story.run("lock", "own", "-P", "transformers")
    assert ran.status == 0, ran.said
    after = story.pins()
    assert after["transformers"] == "5.24.0"
    others = {name: version for name, version in before.items() if name != "torch"}
    by_uv = story.by_uv(others, "--upgrade-package", "transformers")
    changed = {name for name in by_uv if by_uv[name] != before[name]}
    assert moved(before, after) == changed == {"transformers", "tokenizers"}


def test_a_torch_after_the_cutoff_is_named_and_takes_the_others_of_its_family_along(tmp_path: Path) -> None:
    project = Project(root=tmp_path / "project")
    project.profile(
        "own",
        backend="cu134",
        python=["3.12"],
        platforms=["linux"],
        requirements=["torch", "torchvision"],
        as_of="2026-10-15",
    )
    files = [
        replace(
            ReplayFile.made(name, f"{version}+cu134", f"cp312-{SLUG}", requires, index="cu134"),
            upload_time=f"{day}T00:00:00Z",
        )
        for torch, vision, day in (("2.19.0", "0.34.0", "2026-10-01"), ("2.20.0", "0.35.0", "2026-11-01"))
        for name, version, requires in (
            ("torch", torch, ()),
            ("torchvision", vision, (f"torch=={torch}",)),
        )
    ]
    with ReplayIndex(files) as pytorch:
        project.index = pytorch.base
        assert project.run("catalog", "refresh", "cu134").status == 0
    ran = project.run("lock", "own", "--offline")
    assert ran.status == 0, ran.said
    before = {name: pin.version for name, pin in project.pins("own", SLUG).items()}
    assert before == {"torch": "2.19.0+cu134", "torchvision": "0.34.0+cu134"}
    profile = project.root / "profiles/own.toml"
    profile.write_text(profile.read_text().replace('"torch",', '"torch>=2.20",'))
    ran = project.run("lock", "--offline")
    assert ran.status == 1, ran.said
    assert "cutoff torch 2.20.0 was released 2026-11-01" in ran.said
    assert (
        "this lock ignores releases after 2026-10-15 (cutoff): run `envsmith lock own -P torch`" in ran.said
    )
    ran = project.run("lock", "own", "-P", "torch", "--offline")
    assert ran.status == 0, ran.said
    after = {name: pin.version for name, pin in project.pins("own", SLUG).items()}
    assert after == {"torch": "2.20.0+cu134", "torchvision": "0.35.0+cu134"}
    for words in (("lock", "--check"), ("lock", "--offline")):
        ran = project.run(*words)
        assert ran.status == 0, ran.said
    assert {name: pin.version for name, pin in project.pins("own", SLUG).items()} == after
