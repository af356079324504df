"""Packages that an image brings: a Python with a torch that is on no index, and everything else locked around it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import sysconfig
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from envsmith.host.current import this_python
from tests.install.made import Made, made, made_torch
from tests.project.adopt.conftest import SLUG, Adoption
from tests.systems import posix_only

NVIDIA = "2.20.0a0+ecf3bae40a.nv25.1"
pytestmark = posix_only("the image is a Python of links")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A Python with packages of its own: that of the tests without its packages."""
    root = tmp_path / "image"
    folder = root / "lib" / f"python{this_python()}"
    (folder / "site-packages").mkdir(parents=True)
    stdlib = Path(sysconfig.get_path("stdlib"))
    for path in stdlib.iterdir():
        if path.name not in ("site-packages", "__pycache__"):
            (folder / path.name).symlink_to(path)
    (root / "bin").mkdir()
    shutil.copy(os.path.realpath(sys.executable), root / "bin/python3")
    unpack(root, made_torch(NVIDIA, "13.1", requires=("under>=1",)))
    return root


def unpack(root: Path, wheel: Made) -> None:
    """Install a wheel into the image."""
    with zipfile.ZipFile(BytesIO(wheel.body)) as archive:
        archive.extractall(next(root.glob("lib/python3*/site-packages")))


def test_around_the_torch_of_an_image(adoption: Adoption, image: Path) -> None:
    project = adoption.project
    adoption.sell("on-torch", "1.0", "torch>=2.19")
    project.profile(
        "own",
        backend="cpu",
        python=[str(this_python())],
        platforms=["linux"],
        requirements=["torch", "on-torch"],
        given=["torch"],
    )
    words = ("lock", "own", "--default-index", f"{adoption.replay.base}/simple")
    ran = project.run(*words, "--given-python", str(image / "bin/python3"))
    assert ran.status == 0, ran.said
    assert f"torch {NVIDIA} is given by the image" in ran.said
    assert {item.name for item in project.pylock("own", SLUG).packages} == {"on-torch", "under"}
    assert [(item.name, item.version) for item in project.manifest("own").given] == [("torch", NVIDIA)]
    locks = project.locks("own")
    assert str(image).encode() not in b"".join(locks.values())
    assert project.run("lock", "--check").status == 0
    (project.root / f"lockfiles/own/pylock.{SLUG}.toml").unlink()
    assert project.run(*words).status == 0  # without the image
    pylock = f"pylock.{SLUG}.toml"
    # The index does not publish sizes.
    before = {**locks, pylock: re.sub(b" size = [0-9]+,", b"", locks[pylock])}
    assert project.locks("own") == before

    ran = project.run("install", "own", "--python", sys.executable)
    assert (ran.status, "ENV084" in ran.said) == (2, True), ran.said
    assert "does not have torch" in ran.said
    project.env["PATH"] = f"{image / 'bin'}:{os.environ['PATH']}"
    ran = project.run("install", "own")
    assert ran.status == 0, ran.said
    assert f"torch {NVIDIA} imports" in ran.said
    ran = project.run("verify", "own")
    assert ran.status == 0, ran.said
    assert f"torch=={NVIDIA}\n" in (project.root / ".venv/envsmith-constraints.txt").read_text("utf-8")
    assert project.run("install", "own").status == 0  # the same one again
    assert len([*(project.root / ".envsmith/g").iterdir()]) == 1

    assert f"torch {NVIDIA} is given by the image" in project.run("explain", "torch").out
    assert "LCK047" in project.run("export", "--format", "dockerfile").said

    site = next((project.root / ".venv").glob("lib/python3*/site-packages"))
    (site / "torch").mkdir()
    assert "ENV085" in project.run("verify", "own").said
    (site / "torch").rmdir()
    base = next(image.glob("lib/python3*/site-packages"))
    shutil.rmtree(next(base.glob("torch-*.dist-info")))
    unpack(image, made_torch("2.21.0"))
    for command in ("install", "verify"):
        said = project.run(command, "own").said
        assert f"has torch 2.21.0; the lock was made for {NVIDIA}" in said, said


def test_a_changed_list_makes_the_lock_stale(adoption: Adoption, image: Path) -> None:
    project = adoption.project
    values = {"backend": "cpu", "python": [str(this_python())], "platforms": ["linux"]}
    project.profile("own", **values, requirements=["beside"])
    words = ("lock", "own", "--default-index", f"{adoption.replay.base}/simple")
    assert project.run(*words).status == 0
    project.profile("own", **values, requirements=["beside"], given=["torch"], given_python=str(image))
    ran = project.run("lock", "--check", "--json")
    assert (ran.status, "provided" in json.loads(ran.out)["data"]["findings"][0]["message"]) == (1, True)
    assert project.run(*words).status == 0
    assert project.run("lock", "--check").status == 0
    project.profile("own", **values, requirements=["beside"], given=["absent"], given_python="no-such-python")
    assert "interpreter with the given packages not found: no-such-python" in project.run(*words).said
    inside = project.root / "python3"
    inside.symlink_to(image / "bin/python3")
    project.profile("own", **values, requirements=["beside"], given=["absent"], given_python=str(inside))
    assert "given-python of the profile is in the project" in project.run(*words).said
    project.profile("own", **values, requirements=["beside"], given=["absent"], given_python=str(image))
    ran = project.run(*words)
    assert (ran.status, f"given, but not installed in {image}: absent" in ran.said) == (2, True), ran.said


def test_an_image_is_adopted_with_its_own_torch_given(adoption: Adoption, image: Path) -> None:
    """And with it all that no index has; the rest is locked."""
    for wheel in (made("under"), made("beside", requires=("under>=1",)), made("of-the-image")):
        unpack(image, wheel)
    ran = replace(adoption, prefix=image).adopt("--name", "image")
    assert ran.status == 0, ran.said
    text = (adoption.project.root / "profiles/image.toml").read_text("utf-8")
    assert 'backend = "cu130"\n' in text
    assert 'given = ["of-the-image", "torch"]\n' in text
    assert 'requirements = ["beside", "of-the-image", "torch"]\n' in text
    assert 'constraints = ["beside==1.0", "under==1.0"]\n' in text
    ran = adoption.project.run("install", "image")
    assert ran.status == 0, ran.said
    assert adoption.project.run("verify", "image").status == 0
    assert adoption.project.run("lock", "--check").status == 0
