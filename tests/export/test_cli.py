"""`envsmith export`, and what uv and pip make of it: uv resolves from a replayed index, pip from a folder of wheels."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.tags import sys_tags
from uv import find_uv_bin

from envsmith.export.formats import to_constraints, to_uv
from envsmith.files import atomic
from envsmith.lockfile.store import read_locks
from tests.commands import Project
from tests.install.locked import add_torch, locked_shop
from tests.install.made import PROFILE, Shop, made, made_torch
from tests.locks import LINUX, WINDOWS, folder_files
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_wheel

ROOT = Path(__file__).parent.parent.parent
COMMITTED = sorted(path.parent.name for path in (ROOT / "lockfiles").glob("*/manifest.toml"))
TAGS = ("py3-none-manylinux_2_28_x86_64", "py3-none-win_amd64")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(root=tmp_path / "project")
    folder = made.root / "lockfiles/app"
    folder.mkdir(parents=True)
    pins = ("numpy==2.0.0", "torch==2.10.0+cu128")
    written = folder_files("app", {LINUX: pins, WINDOWS: pins}, family=("torch",))
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return made


def test_constraints(project: Project) -> None:
    ran = project.run("export", "app", "--format", "constraints", "--target", "linux")
    assert ran.status == 0, ran.said
    assert ran.out.splitlines() == [
        f"# app · {LINUX}",
        "# pip install -c THIS_FILE ... keeps the locked versions",
        "numpy==2.0.0",
        "torch==2.10.0+cu128",
    ]
    assert LINUX in project.run("export", "--format", "uv").out.splitlines()[0]


def test_what_is_not_there(project: Project) -> None:
    ran = project.run("export", "app", "--format", "uv", "--target", "macos")
    assert ran.status == 1
    assert "LCK041" in ran.err
    (project.root / "pyproject.toml").write_text("[tool.envsmith]\ndefault-profiles = ['a', 'b']\n", "utf-8")
    ran = project.run("export", "--format", "uv")
    assert ran.status == 2
    assert "choose one profile of" in ran.said


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    """PyTorch's index with an older and a newer torch than the locked one, and a PyPI with another build of it."""
    with ReplayIndex() as running:
        for tags in TAGS:
            for version in ("2.9.0+cu128", "2.10.0+cu128", "2.11.0+cu128"):
                running.add(ReplayFile.made("torch", version, tags, index="cu128"))
        for version in ("2.10.0", "2.12.0"):
            running.add(ReplayFile.made("torch", version, "py3-none-any", index="pypi"))
        running.add(ReplayFile.made("model", "1.0", "py3-none-any", ("torch>=2",), index="pypi"))
        yield running


@pytest.mark.parametrize("dependencies", [["torch", "model"], ["model"]])
def test_uv_takes_the_locked_wheels_and_no_others(
    dependencies: list[str], project: Project, replay: ReplayIndex, tmp_path: Path
) -> None:
    text = project.run("export", "app", "--format", "uv").out
    work = tmp_path / "uv project"
    work.mkdir()
    head = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = '
    served = text.replace("https://download.pytorch.org/whl", replay.base)
    (work / "pyproject.toml").write_text(f"{head}{json.dumps(dependencies)}\n\n{served}", "utf-8")
    done = uv_lock(work, UV_DEFAULT_INDEX=f"{replay.base}/pypi")
    assert done.returncode == 0, done.stderr
    locked = {item["name"]: item for item in tomllib.loads((work / "uv.lock").read_text("utf-8"))["package"]}
    assert locked["torch"]["version"] == "2.10.0+cu128"
    assert locked["torch"]["source"] == {"registry": f"{replay.base}/cu128"}
    assert len(locked["torch"]["wheels"]) == 2
    assert locked["model"]["version"] == "1.0"


def test_uv_takes_the_very_files_that_are_locked(tmp_path: Path) -> None:
    """Lock by the real command, export, and let uv resolve for itself: the same files, by hash."""
    with locked_shop(tmp_path / "shop") as shop:
        add_torch(shop.index, "2.21.0+cu134")
        text = shop.project.run("export", "own", "--format", "uv").out
        work = tmp_path / "uv project"
        work.mkdir()
        head = (
            '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["torch"]\n\n'
        )
        served = text.replace("https://download.pytorch.org/whl", shop.index.base)
        (work / "pyproject.toml").write_text(head + served, "utf-8")
        done = uv_lock(work, UV_DEFAULT_INDEX=f"{shop.index.base}/pypi")
        assert done.returncode == 0, done.stderr
        found = tomllib.loads((work / "uv.lock").read_text("utf-8"))["package"]
        (torch,) = (item for item in found if item["name"] == "torch")
        (wheel,) = torch["wheels"]
        (entry,) = shop.project.manifest("own").targets.values()
        assert f"sha256:{entry.family['torch'].sha256}" == wheel["hash"]
        assert entry.family["torch"].filename == unquote(wheel["url"].rpartition("/")[2])


def uv_lock(work: Path, **own: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    own |= {
        "UV_CACHE_DIR": str(work.parent / "cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.run(
        [find_uv_bin(), "lock", "--python", sys.executable],
        cwd=work,
        env={**kept, **own},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pip_leaves_torch_as_it_is(project: Project, tmp_path: Path) -> None:
    """Install the locked torch, then something that wants any torch, upgrades of everything asked for."""
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(project.run("export", "app", "--format", "constraints").out, "utf-8")
    house, tags = tmp_path / "house", str(next(sys_tags()))
    house.mkdir()
    for name, version, requires in (
        ("torch", "2.10.0+cu128", ()),
        ("torch", "2.12.0", ()),
        ("model", "1.0", ("torch>=2",)),
    ):
        (house / f"{name}-{version}-{tags}.whl").write_bytes(make_wheel(name, version, tags, requires))
    prefix = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)

    def install(*words: str) -> set[str]:
        """Install for real, and return which torch is there."""
        pip = [sys.executable, "-m", "pip", "--isolated", "--python", str(prefix), "install", "--no-index"]
        options = ["--find-links", str(house), "--upgrade", "--upgrade-strategy", "eager"]
        done = subprocess.run([*pip, *options, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = prefix.glob("lib/python*/site-packages/torch-*.dist-info")
        return {path.name.removesuffix(".dist-info") for path in found}

    held = ("-c", str(constraints))
    assert install(*held, "torch==2.10.0+cu128") == {"torch-2.10.0+cu128"}
    assert install(*held, "model") == {"torch-2.10.0+cu128"}
    assert install(*held, "model", "torch") == {"torch-2.10.0+cu128"}
    assert install("model") == {"torch-2.12.0"}, "without them it moves"


def test_the_steps_of_an_image_give_an_environment_as_locked(tmp_path: Path) -> None:
    """Do what the Dockerfile says, line by line, its folders below another root and its wheels from a folder."""
    shop = Shop.opened(tmp_path / "shop")
    wheels = (made_torch("2.19.0+cpu"), made("beside"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    shop.project.profile(
        PROFILE,
        backend="cpu",
        python=[f"{sys.version_info[0]}.{sys.version_info[1]}"],
        platforms=["linux"],
        requirements=["torch"],
        shims=["torch-safe-globals"],
        safe_globals=["torch.Size"],
    )
    ran = shop.project.run("export", PROFILE, "--format", "dockerfile")
    assert ran.status == 0, ran.said
    root = tmp_path / "image"
    env = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shop.wheelhouse),
        "PIP_CONFIG_FILE": os.devnull,
    }
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    built, _, last = ran.out.rpartition("\n\nFROM ")
    for word, rest, body in instructions(f"{built}\n"):
        if word == "COPY":
            source, place = rest.split()
            target = root / place.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body.encode() or (shop.project.root / source).read_bytes())
        elif word == "RUN":
            words = [
                str(root / item.lstrip("/")) if item.startswith("/") else item
                for item in rest.split()
                if not item.startswith("--mount")
            ]
            done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    assert "COPY --from=build /opt/venv /opt/venv" in last
    prefix = root / "opt/venv"
    verified = shop.project.run("verify", PROFILE, "--prefix", str(prefix), "--deep")
    assert verified.status == 0, verified.said
    assert not list(prefix.glob("lib/python*/site-packages/pip"))
    ask = "import torch, envsmith_shims; print(envsmith_shims.__file__)"
    done = subprocess.run([prefix / "bin/python", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(prefix))
    (prefix / done.stdout.strip()).unlink()
    assert shop.project.run("verify", PROFILE, "--prefix", str(prefix)).status == 1, (
        "the shims were looked at"
    )


def instructions(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield word, rest and here-document of each instruction of a Dockerfile."""
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        word, _, rest = line.rstrip("\n").partition(" ")
        body = ""
        if found := re.search(r"<<'(\w+)'", rest):
            body = "".join(iter(lambda: next(lines), f"{found[1]}\n"))
        yield word, rest, body


@pytest.mark.parametrize("profile", COMMITTED)
def test_the_constraints_that_hold_on_a_target_are_its_lock(profile: str) -> None:
    folder = ROOT / "lockfiles" / profile
    locks = read_locks(profile, atomic.read_files(folder), folder)
    asked = [Requirement(line) for line in to_constraints(locks).splitlines() if not line.startswith("#")]
    for lock in locks:
        holding = sorted(
            (item.name, str(item.specifier)) for item in asked if lock.target.satisfies(item.marker)
        )
        locked = [(pin.name, f"=={pin.version}") for pin in lock.pins.packages]
        # A package that other targets alone have may be held, too: it constrains nothing here.
        assert [item for item in holding if item[0] in dict(locked)] == locked


@pytest.mark.parametrize("profile", COMMITTED)
def test_the_index_is_the_one_that_the_requirements_name(profile: str) -> None:
    folder = ROOT / "lockfiles" / profile
    text = to_uv(read_locks(profile, atomic.read_files(folder), folder))
    named = {
        line.split()[1]
        for path in folder.glob("requirements.*.txt")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("--extra-index-url")
    }
    assert {index["url"] for index in tomllib.loads(text)["tool"]["uv"].get("index", [])} == named


def test_a_bill_of_materials(tmp_path: Path) -> None:
    shop = Shop.opened(tmp_path / "shop")
    wheels = (made_torch("2.19.0+cpu"), made("nvidia-x"), made("beside"))
    said = ("License-Expression: BSD-3-Clause", "License: NVIDIA Proprietary Software", "")
    with ReplayIndex() as server:
        for wheel, line in zip(wheels, said, strict=True):
            beside = f"Metadata-Version: 2.4\nName: {wheel.name}\nVersion: {wheel.version}\n{line}\n".encode()
            row = ReplayFile.row(wheel.filename, index="cpu")
            server.add(replace(row, body=wheel.body, metadata=beside))
        slug = shop.lock(*wheels, address=f"{server.base}/cpu")
        ran = shop.project.run("export", PROFILE, "--format", "cyclonedx")
        assert ran.status == 0, ran.said
        assert "licence of beside: written as NOASSERTION" in ran.said
    again = shop.project.run("export", PROFILE, "--format", "cyclonedx", "--offline")
    assert again.out == ran.out, "what was read is remembered"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(ran.out) is None
    found = json.loads(ran.out)
    assert found["metadata"]["component"]["name"] == f"{PROFILE}/{slug}"
    assert {item["name"]: item["licenses"][0]["license"].get("id") for item in found["components"]} == {
        "beside": None,
        "nvidia-x": None,
        "torch": "BSD-3-Clause",
    }
    assert [item["hashes"][0]["content"] for item in found["components"]] == [
        wheel.sha256 for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    ]
    place = tmp_path / "env/lib/python3.12/site-packages/beside-1.0.dist-info/METADATA"
    place.parent.mkdir(parents=True)
    place.write_text("Metadata-Version: 2.4\nName: beside\nVersion: 1.0\nLicense-Expression: MIT\n", "utf-8")
    whole = shop.project.run("export", PROFILE, "--format", "cyclonedx", "--prefix", str(tmp_path / "env"))
    (beside,) = [item for item in json.loads(whole.out)["components"] if item["name"] == "beside"]
    assert beside["licenses"][0]["license"]["id"] == "MIT"
    assert whole.err == ""
    place = shop.project.root / "lockfiles" / PROFILE / f"pylock.{slug}.toml"
    place.unlink()
    ran = shop.project.run("export", PROFILE, "--format", "cyclonedx", "--offline")
    assert ran.status == 1
    assert "LCK044" in ran.err


def test_a_bill_is_that_of_one_lock(project: Project) -> None:
    ran = project.run("export", "app", "--format", "cyclonedx")
    assert ran.status == 1
    assert "LCK043" in ran.err
