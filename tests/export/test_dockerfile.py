from __future__ import annotations

import json

import pytest

from envsmith.errors import LockError
from envsmith.export.dockerfile import ImageOptions, to_dockerfile
from envsmith.model.shim import SHIMS, package
from envsmith.shims import environment
from tests.locks import LINUX, WINDOWS, kept

ARM = "cp312-manylinux_2_28_aarch64"
LOCK = kept(f"p/{LINUX}", backend="cpu")


def test_an_image() -> None:
    text = to_dockerfile([kept(f"cu128/{LINUX}")], "ci/locks")
    stages = [line for line in text.splitlines() if line.startswith("FROM")]
    assert stages == ["FROM python:3.12-slim AS build", "FROM python:3.12-slim"]
    assert f"COPY ci/locks/cu128/requirements.{LINUX}.txt /lock/requirements.txt\n" in text
    assert "ENV NVIDIA_VISIBLE_DEVICES=all" in text
    assert "NVIDIA" not in to_dockerfile([kept(f"p/{LINUX}", backend="cpu")], "lockfiles")


@pytest.mark.parametrize("slugs", [(WINDOWS,), (LINUX, ARM), (LINUX, WINDOWS)])
def test_what_is_no_image(slugs: tuple[str, ...]) -> None:
    with pytest.raises(LockError) as caught:
        to_dockerfile([kept(f"p/{slug}") for slug in slugs], "lockfiles")
    assert caught.value.code == "LCK042"
    assert ("--target" in caught.value.hint) == (slugs != (WINDOWS,))


def test_there_is_no_image_with_a_free_threaded_python() -> None:
    with pytest.raises(LockError) as caught:
        to_dockerfile([kept("p/cp313t-manylinux_2_28_x86_64")], "lockfiles")
    assert (caught.value.code, caught.value.hint) == ("LCK046", "choose a target for Python 3.13")


def test_for_which_machine() -> None:
    assert "# docker build --platform linux/amd64 " in to_dockerfile([LOCK], "lockfiles")
    assert "# docker build --platform linux/arm64 " in to_dockerfile([kept(f"p/{ARM}")], "lockfiles")


@pytest.mark.parametrize("folder", ["my locks", "-x", "grün, blau/locks"])
def test_a_folder_is_one_word(folder: str) -> None:
    (line,) = (
        line
        for line in to_dockerfile([LOCK], folder).splitlines()
        if "/lock/requirements.txt" in line and "COPY" in line
    )
    words = [f"{folder}/p/requirements.{LINUX}.txt", "/lock/requirements.txt"]
    assert json.loads(line.removeprefix("COPY ")) == words


@pytest.mark.parametrize("folder", ["a$b", "a'b", 'a"b', "a\\b", "a*", "a?", "[a]", "a\nRUN x", "a\x7f"])
def test_a_folder_that_copy_reads_otherwise(folder: str) -> None:
    with pytest.raises(LockError) as caught:
        to_dockerfile([LOCK], folder)
    assert caught.value.code == "LCK045"


def test_variables() -> None:
    env = {"A": "", "B": 'a "b" $HOME \\n', "C": "one\ntwo", "D": "x y"}
    text = to_dockerfile([LOCK], "lockfiles", ImageOptions(env=env))
    assert text.splitlines()[-5:] == [
        'ENV A=""',
        'ENV B="a \\"b\\" \\$HOME \\\\n"',
        "# C is not set: ENV cannot contain line breaks or control characters",
        'ENV D="x y"',
        'ENV PATH="/opt/venv/bin:$PATH"',
    ]


def test_shims_are_put_in_as_they_are() -> None:
    shims = package(SHIMS, ("torch.Size",), environment.shim_sources())
    text = to_dockerfile([LOCK], "lockfiles", ImageOptions(shims=shims))
    for path, data in shims.files.items():
        assert (
            f"COPY <<'END_OF_FILE' /opt/venv/lib/python3.12/site-packages/{path}\n{data.decode()}END_OF_FILE\n"
            in text
        )
        assert data.endswith(b"\n"), "else one is added"
        assert b"END_OF_FILE" not in data
    assert text.count("\nFROM ") == 2
    assert "was not found" not in text


def test_where_no_profile_is_at_hand() -> None:
    assert "# Profile p was not found" in to_dockerfile([LOCK], "lockfiles")
