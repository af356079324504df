from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from envsmith.catalog.ci import runners_of
from envsmith.ci.job import Footprint, Job
from envsmith.ci.job_planning import Machines, changed, fall_back, footprint, make_jobs, on_runners, split
from envsmith.ci.service_formats import github_outputs, to_azure, to_github, to_gitlab
from envsmith.config.pyproject_settings import Runners
from envsmith.errors import ResolveError
from envsmith.lockfile.pins import Pins
from envsmith.model.wheel import WheelContents
from tests.locks import LINUX, MAC, WINDOWS, kept, pin, sha256

NOTHING = Runners()
OWN_GPU = Runners(labels={"linux-x86_64-gpu": ("self-hosted", "t4")})


def machines_of(service: str, own: Runners = NOTHING) -> Machines:
    return Machines(own=own, hosted=runners_of(service).runners)


def many(count: int) -> tuple[Job, ...]:
    """Return a job for each of as many different targets, on Linux, Windows and macOS."""
    slugs = [
        f"cp3{minor}-{platform}"
        for minor in range(10, 15)
        for platform in ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64", "macosx_14_0_arm64")
    ]
    names = [f"profile-{number}/{slug}" for number in range(1, 16) for slug in slugs]
    return make_jobs([kept(name, backend="cpu") for name in names[:count]], "lockfiles")


def test_one_job_a_lock_by_name() -> None:
    jobs = make_jobs([kept(f"b/{LINUX}"), kept(f"a/{WINDOWS}"), kept(f"a/{LINUX}")], "ci/locks")
    assert [job.name for job in jobs] == [f"a/{LINUX}", f"a/{WINDOWS}", f"b/{LINUX}"]
    assert jobs[0].path == f"ci/locks/a/requirements.{LINUX}.txt"


def test_changed_is_what_installs_otherwise() -> None:
    same, moved = kept(f"a/{LINUX}"), kept(f"a/{WINDOWS}", "torch==2.12.0+cu128")
    new = kept(f"b/{LINUX}")
    before = (kept(f"a/{LINUX}"), kept(f"a/{WINDOWS}"), kept(f"gone/{LINUX}"))
    assert changed((same, moved, new), before) == (moved, new)
    assert changed((same, moved, new), ()) == (same, moved, new)


def test_runners() -> None:
    jobs = make_jobs(
        [kept(f"a/{LINUX}", backend="cpu"), kept(f"g/{LINUX}"), kept(f"m/{MAC}", backend="cpu")], "l"
    )
    plain = on_runners(jobs, machines_of("github"), "github")
    assert [job.runner for job in plain] == [
        ("ubuntu-24.04",),
        ("self-hosted", "linux", "x64", "gpu"),
        ("macos-15",),
    ]
    assert on_runners(jobs, machines_of("github", OWN_GPU), "github")[1].runner == ("self-hosted", "t4")


def test_no_runner() -> None:
    jobs = make_jobs([kept(f"a/{LINUX}"), kept(f"b/{LINUX}", backend="cpu")], "l")
    with pytest.raises(ResolveError) as caught:
        on_runners(jobs, machines_of("azure"), "azure")
    assert caught.value.code == "RES140"
    assert caught.value.where == f"a/{LINUX}"
    assert "[tool.envsmith.ci.azure] linux-x86_64-gpu" in caught.value.hint
    both = make_jobs([kept(f"a/{LINUX}"), kept(f"a/{WINDOWS}")], "l")
    with pytest.raises(ResolveError) as caught:
        on_runners(both, machines_of("azure"), "azure")
    assert [part.where for part in caught.value.parts] == [f"a/{LINUX}", f"a/{WINDOWS}"]


GPU = kept(
    f"cu128/{LINUX}",
    "torch==2.11.0+cu128",
    "torchvision==0.26.0+cu128",
    "triton==3.6.0",
    requested=("torch", "torchvision"),
)
SAME = kept(f"cpu/{LINUX}", "torch==2.11.0+cpu", "torchvision==0.26.0+cpu", backend="cpu")


def test_a_lock_for_the_cpu_in_the_place_of_one_for_a_gpu() -> None:
    locks = (GPU, SAME, kept(f"aaa/{LINUX}", "torch==2.12.0+cpu", "torchvision==0.26.0+cpu", backend="cpu"))
    jobs = make_jobs([GPU], "l")
    (job,) = fall_back(jobs, locks, NOTHING, "l")
    assert (job.name, job.stands_for, job.needs_gpu) == (f"cpu/{LINUX}", f"cu128/{LINUX}", False)
    assert job.path == f"l/cpu/requirements.{LINUX}.txt"
    assert fall_back(jobs, locks, OWN_GPU, "l") == jobs
    both = fall_back(make_jobs([GPU, SAME], "l"), locks, NOTHING, "l")
    assert [job.name for job in both] == [f"cpu/{LINUX}"]
    assert both[0].stands_for == ""


@pytest.mark.parametrize(
    "plain",
    [
        kept(f"cpu/{WINDOWS}", "torch==2.11.0+cpu", "torchvision==0.26.0+cpu", backend="cpu"),
        kept(f"cpu/{LINUX}", "torch==2.11.1+cpu", "torchvision==0.26.0+cpu", backend="cpu"),
        kept(f"cpu/{LINUX}", "torch==2.11.0+cpu", backend="cpu"),
        kept(f"cu130/{LINUX}", "torch==2.11.0+cu130", "torchvision==0.26.0+cu130", backend="cu130"),
    ],
)
def test_a_lock_of_other_things_stands_for_none(plain: object) -> None:
    with pytest.raises(ResolveError) as caught:
        fall_back(make_jobs([GPU], "l"), (GPU, plain), NOTHING, "l")  # type: ignore[arg-type]
    assert caught.value.code == "RES141"
    assert "torch 2.11.0 torchvision 0.26.0" in caught.value.message


def test_what_was_asked_for_must_be_there() -> None:
    asked = kept(f"cu128/{LINUX}", "torch==2.11.0+cu128", "numpy==2.0.0", requested=("torch", "numpy"))
    bare = kept(f"cpu/{LINUX}", "torch==2.11.0+cpu", backend="cpu")
    with pytest.raises(ResolveError, match="no CPU lock contains"):
        fall_back(make_jobs([asked], "l"), (bare,), NOTHING, "l")


def test_what_was_asked_for_and_is_not_locked_need_not_be_there() -> None:
    asked = kept(f"cu128/{LINUX}", "torch==2.11.0+cu128", requested=("torch", "torchvision", "pywin32"))
    bare = kept(f"cpu/{LINUX}", "torch==2.11.0+cpu", backend="cpu")
    assert [job.name for job in fall_back(make_jobs([asked], "l"), (bare,), NOTHING, "l")] == [bare.name]


def test_three_hundred_jobs_for_github() -> None:
    jobs = on_runners(many(300), machines_of("github"), "github")
    assert len(jobs) == 300
    parts = split(jobs, runners_of("github").most_jobs)
    assert [len(part) for part in parts] == [256, 44]
    outputs = github_outputs(parts)
    assert sorted(outputs) == ["count", "matrix-1", "matrix-2", "parts"]
    assert (outputs["count"], outputs["parts"]) == ("300", "2")
    entries = [entry for name in ("matrix-1", "matrix-2") for entry in json.loads(outputs[name])["include"]]
    assert [entry["name"] for entry in entries] == [job.name for job in jobs]
    assert all("\n" not in value for value in outputs.values())
    assert len({entry["cache_key"] for entry in entries}) == len({job.lock.target.slug for job in jobs}) == 20


def test_one_matrix_for_github() -> None:
    jobs = on_runners(
        make_jobs([kept(f"cu128/{LINUX}"), kept(f"p/{WINDOWS}", backend="cpu")], "l"),
        machines_of("github"),
        "g",
    )
    outputs = github_outputs(split(jobs, 256))
    assert outputs["matrix"] == outputs["matrix-1"] == to_github(jobs)
    linux, windows = json.loads(outputs["matrix"])["include"]
    assert linux["runner"] == ["self-hosted", "linux", "x64", "gpu"]
    assert windows["runner"] == "windows-2025"
    assert (linux["gpu"], windows["gpu"]) == (True, False)
    assert "download_bytes" not in linux


def test_no_jobs() -> None:
    assert split((), 256) == ((),)
    assert github_outputs(split((), 256)) == {
        "count": "0",
        "parts": "1",
        "matrix": '{"include":[]}',
        "matrix-1": '{"include":[]}',
    }
    assert to_azure(()) == "{}"
    assert to_gitlab((), 200).endswith("envsmith:\n  script:\n    - echo no lock has changed\n")


def test_three_hundred_jobs_for_gitlab() -> None:
    jobs = on_runners(many(300), machines_of("gitlab"), "gitlab")
    names: list[str] = []
    for block in re.split("^envsmith-", to_gitlab(jobs, 200), flags=re.MULTILINE)[1:]:
        number, _, text = block.partition(":\n")
        rows = [json.loads(line) for line in re.findall(r"^      - (\{.*)$", text, re.MULTILINE)]
        tags = json.loads(text.partition("tags: ")[2].partition("\n")[0])
        assert 0 < len(rows) <= 200
        assert len(tags) == 1
        # GitLab makes the name of a job of these, of at most 255 characters.
        assert all(len(f"envsmith-{number}: [{', '.join(row.values())}]") < 255 for row in rows)
        names += [f"{row['JOB_PROFILE']}/{row['JOB_TARGET']}" for row in rows]
    assert sorted(names) == [job.name for job in jobs]


def test_more_jobs_of_one_runner_than_gitlab_takes() -> None:
    locks = [kept(f"p{number}/{LINUX}", backend="cpu") for number in range(300)]
    text = to_gitlab(on_runners(make_jobs(locks, "l"), machines_of("gitlab"), "gitlab"), 200)
    assert [block.count("- {") for block in re.split("^envsmith-", text, flags=re.MULTILINE)[1:]] == [
        200,
        100,
    ]
    assert text.count('tags: ["saas-linux-small-amd64"]') == 2


def test_labels_that_only_yaml_can_write() -> None:
    labels = ("\U0001f984", "a \u2028b", 'say "x": [y]')
    own = Runners(labels={"linux-x86_64": labels})
    jobs = on_runners(
        make_jobs([kept(f"p/{LINUX}", backend="cpu")], "l"), machines_of("gitlab", own), "gitlab"
    )
    found = YAML(typ="safe", pure=True).load(to_gitlab(jobs, 200))
    assert found["envsmith-1"]["tags"] == list(labels)


def test_names_that_azure_takes() -> None:
    names = (f"a-b/{LINUX}", f"a_b/{LINUX}", f"9/{LINUX}", f"{'x' * 120}/{LINUX}")
    legs = json.loads(
        to_azure(
            on_runners(
                make_jobs([kept(name, backend="cpu") for name in names], "l"), machines_of("azure"), "a"
            )
        )
    )
    assert len(legs) == 4
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", name) for name in legs)
    assert all(isinstance(value, str) for leg in legs.values() for value in leg.values())
    assert {leg["gpu"] for leg in legs.values()} == {"false"}


def test_what_an_install_takes_of_a_disk() -> None:
    pins = (pin("a==1", size_bytes=10), pin("b==1"), pin("c==1", size_bytes=7))
    lock = replace(kept(f"p/{LINUX}"), pins=Pins(packages=pins))
    held = WheelContents(size_bytes=10, members={"a/__init__.py": 30, "a/x.so": 5})
    assert footprint(lock, {}) == Footprint(known_bytes=17, unknown=("b",))
    assert footprint(lock, {sha256("a==1"): held}) == Footprint(known_bytes=42, unknown=("b",))


def test_sizes_that_the_catalog_knows() -> None:
    filename = "torch-2.14.0+cu126-cp312-cp312-win_amd64.whl"
    lock = kept(f"p/{WINDOWS}", "torch==2.14.0+cu126", backend="cu126", family={"torch": filename})
    assert footprint(lock, {}) == Footprint(known_bytes=2602771598)
    elsewhere = replace(lock, from_pypi=("torch",))
    assert footprint(elsewhere, {}) == Footprint(known_bytes=0, unknown=("torch",))
