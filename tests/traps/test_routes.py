"""Wheels of other indexes, named by CUDA and torch: only those compiled for the plan's pair reach a lock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Project, Ran, decisions
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile
from tests.wheel_site import WheelSite, serve

LINUX = "manylinux_2_28_x86_64"
SLUG = f"cp312-{LINUX}"
TAGS = "cp312-cp312-linux_x86_64.whl"
FLASH = f"flash_attn-2.8.3+cu13torch2.20cxx11abiTRUE-{TAGS}"
SCATTER = f"torch_scatter-2.1.2+pt220cu134-{TAGS}"
CONV = f"causal_conv1d-1.6.0+cu134torch2.20-{TAGS}"
OTHERS = (
    f"flash_attn-2.8.3+cu13torch2.20cxx11abiFALSE-{TAGS}",
    f"flash_attn-2.8.3+cu13torch2.9cxx11abiTRUE-{TAGS}",
    f"flash_attn-2.8.3+cu12torch2.20cxx11abiTRUE-{TAGS}",
    "flash_attn-2.8.3+cu13torch2.20cxx11abiTRUE-cp311-cp311-linux_x86_64.whl",
    f"flash_attn-2.7.0+cu13torch2.20cxx11abiTRUE-{TAGS}",
    f"torch_scatter-2.1.2+pt219cu134-{TAGS}",
    f"torch_scatter-2.1.2+pt220cpu-{TAGS}",
    f"torch_scatter-2.1.2+pt29cu134-{TAGS}",
    f"causal_conv1d-1.6.0+cu132torch2.20-{TAGS}",
    f"causal_conv1d-1.6.0+cu134torch2.19-{TAGS}",
)
PROJECTS = ("flash-attn", "torch-scatter", "causal-conv1d")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WheelSite]:
    with serve(tmp_path / "site") as found:
        # flash-attn's own releases name the label in the filename alone.
        for name in (FLASH, SCATTER, CONV, *OTHERS):
            found.wheel(name, with_label=not name.startswith("flash"))
        yield found


@pytest.fixture(autouse=True)
def _torches(replay: ReplayIndex) -> None:
    for version in ("2.20.0", "2.21.0"):
        replay.add(ReplayFile.made("torch", f"{version}+cu134", f"cp312-cp312-{LINUX}", index="cu134"))


def write(case: Project, url: str, *requirements: str, projects: tuple[str, ...] = PROJECTS) -> None:
    routes = {f"routes.{name}": url for name in projects}
    case.profile("mine", backend="cu134", python=["3.12"], platforms=["linux"],
                 requirements=list(requirements), **routes)  # fmt: skip


def lock(case: Project, *words: str) -> Ran:
    return case.run("lock", "mine", "--catalog", "live", "--as-of", "2026-11-20", *words)


def test_a_page_of_links_without_hashes(case: Project, site: WheelSite) -> None:
    url = site.flat()
    write(case, url, "torch==2.20.0", *PROJECTS)
    ran = lock(case)
    assert ran.status == 0, ran.said
    pins = case.pins("mine", SLUG)
    for name, filename in zip(PROJECTS, (FLASH, SCATTER, CONV), strict=True):
        assert pins[name].filename == filename
        assert pins[name].sha256 == site.sha256(filename)
        assert pins[name].index == url
    told = [item for item in decisions(case.manifest("mine"), SLUG) if item.get("code") == "RES109"]
    assert {item["subject"] for item in told} == set(PROJECTS)
    text = case.locks("mine")[f"requirements.{SLUG}.txt"].decode()
    assert f"--find-links {url}\n" in text
    assert "--extra-index-url https://download.pytorch.org/whl/cu134\n" in text
    # What was read is remembered: neither a check nor a second lock asks again.
    del site.asked[:]
    assert case.run("lock", "mine", "--check", "--catalog", "live").status == 0
    before = case.locks("mine")
    assert lock(case).status == 0
    assert case.run("lock", "mine", "--offline").status == 0
    assert case.locks("mine") == before
    assert site.asked == []


def test_an_index_with_hashes_and_a_torch_that_nobody_pins(case: Project, site: WheelSite) -> None:
    url = site.index()
    write(case, url, "torch", "torch-scatter", projects=("torch-scatter",))
    ran = lock(case)
    assert ran.status == 0, ran.said
    pins = case.pins("mine", SLUG)
    assert pins["torch"].version == "2.20.0+cu134"
    assert pins["torch-scatter"].filename == SCATTER
    assert f"--extra-index-url {url}\n" in case.locks("mine")[f"requirements.{SLUG}.txt"].decode()
    assert not [item for item in decisions(case.manifest("mine"), SLUG) if item.get("code") == "RES109"]


def test_what_does_not_fit_is_refused_with_the_reasons(case: Project, site: WheelSite) -> None:
    write(case, site.flat(), "torch==2.21.0", "flash-attn", projects=("flash-attn",))
    ran = lock(case)
    assert ran.status == 1
    assert "RES025" in ran.said
    assert "torch 2.21.0" in ran.said
    assert "is for torch ==2.20.*" in ran.said
    assert "is for cu12" in ran.said
    assert not case.locks("mine")


def test_a_routed_project_that_another_package_drags_in(case: Project, site: WheelSite) -> None:
    site.wheel("torch_sparse-0.6.18+pt220cu134-cp312-cp312-linux_x86_64.whl", "torch-scatter")
    write(case, site.flat(), "torch", "torch-sparse", projects=("torch-sparse", "torch-scatter"))
    ran = lock(case)
    assert ran.status == 0, ran.said
    assert case.pins("mine", SLUG)["torch-scatter"].filename == SCATTER
    assert case.run("lock", "mine", "--check", "--catalog", "live").status == 0


def test_without_a_route_or_the_network_the_way_is_told(case: Project, site: WheelSite) -> None:
    write(case, site.flat(), "torch", "flash-attn", projects=())
    ran = lock(case)
    assert (ran.status, "RES024" in ran.said, "[routes] flash-attn" in ran.said) == (1, True, True)
    write(case, site.flat(), "torch", "flash-attn", projects=("flash-attn",))
    assert case.run("catalog", "refresh", "cu134").status == 0
    ran = case.run("lock", "mine", "--offline", "--as-of", "2026-11-20")
    assert (ran.status, "RES026" in ran.said) == (1, True), ran.said


def test_a_changed_route_makes_the_lock_stale(case: Project, site: WheelSite) -> None:
    write(case, site.flat(), "torch", "torch-scatter", projects=("torch-scatter",))
    assert lock(case).status == 0
    write(case, site.index(), "torch", "torch-scatter", projects=("torch-scatter",))
    ran = case.run("lock", "mine", "--check", "--catalog", "live")
    assert (ran.status, "LCK033" in ran.said) == (1, True)
    assert "links.html → " in ran.said
    assert lock(case).status == 0
    assert case.run("lock", "mine", "--check", "--catalog", "live").status == 0


def test_new_wheels_are_seen_when_the_cutoff_moves(case: Project, site: WheelSite) -> None:
    write(case, site.flat(), "torch==2.20.0", "torch-scatter", projects=("torch-scatter",))
    assert lock(case).status == 0
    site.wheel(f"torch_scatter-2.2.0+pt220cu134-{TAGS}")
    site.flat()
    assert case.run("lock", "mine", "--catalog", "live").status == 0
    assert case.pins("mine", SLUG)["torch-scatter"].version == "2.1.2+pt220cu134"
    ran = case.run("lock", "mine", "--catalog", "live", "-P", "torch-scatter")
    assert ran.status == 0, ran.said
    assert case.pins("mine", SLUG)["torch-scatter"].version == "2.2.0+pt220cu134"


def test_a_page_on_this_machine(case: Project, site: WheelSite) -> None:
    site.flat(text="download")
    write(case, (site.root / "links.html").as_uri(), "torch", "torch-scatter", projects=("torch-scatter",))
    ran = lock(case)
    assert ran.status == 0, ran.said
    assert case.pins("mine", SLUG)["torch-scatter"].sha256 == site.sha256(SCATTER)
    assert site.asked == []


def test_uv_installs_a_wheel_without_the_label_in_its_metadata_and_pip_does_not(
    site: WheelSite, tmp_path: Path
) -> None:
    """The example with flash-attn in the profiles reference."""
    name = "flash_attn-2.9.0+cu13torch2.20cxx11abiTRUE-py3-none-any.whl"
    sha256 = site.wheel(name, with_label=False)
    text = tmp_path / "requirements.txt"
    text.write_text(f"flash-attn==2.9.0+cu13torch2.20cxx11abitrue --hash=sha256:{sha256}\n", "utf-8")
    words = [
        "install",
        "--no-deps",
        "--no-index",
        "--find-links",
        str(site.root / "files"),
        "--require-hashes",
    ]
    tools = (["uv", "pip", *words, "--python", sys.executable], ["pip", *words])
    statuses = [
        subprocess.run(
            [sys.executable, "-m", *tool, "--target", str(tmp_path / tool[0]), "-r", str(text)],
            capture_output=True,
            check=False,
        ).returncode
        for tool in tools
    ]
    assert statuses == [0, 1]
