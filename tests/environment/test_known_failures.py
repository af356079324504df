"""Each known failure against messages of its kind, and against what fails every day."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envsmith.catalog import Catalog
from envsmith.environment.package_findings import known_failures
from tests.environment.ordinary import programs

CATALOG = Catalog.embedded()
DATA = Path(__file__).parents[1] / "data" / "failures" / "messages.toml"
RECORDED: list[dict[str, str]] = tomllib.loads(DATA.read_text("utf-8"))["message"]
MESSAGES = {
    row.name: [item["text"] for item in RECORDED if item["row"] == row.name] for row in CATALOG.failures()
}
ORDINARY: list[dict[str, str]] = tomllib.loads(DATA.with_name("ordinary.toml").read_text("utf-8"))["failure"]
MANY = 200


def names(text: str) -> list[str]:
    return [item.subject for item in known_failures(text, CATALOG)]


@pytest.mark.parametrize(("name", "message"), [(item["row"], item["text"]) for item in RECORDED])
def test_a_message_is_recognised_by_its_row_alone(name: str, message: str) -> None:
    assert names(message) == [name]
    assert names(f"some lines\nbefore\n{message}\nand after\n") == [name]
    assert names(message.replace("\n", "\r\n")) == [name]


def test_every_row_has_a_message() -> None:
    assert {row.name for row in CATALOG.failures()} == {item["row"] for item in RECORDED}


@pytest.mark.parametrize("item", RECORDED, ids=lambda item: str(item["source"]))
def test_every_message_says_where_and_when_it_was_printed(item: dict[str, str]) -> None:
    assert re.fullmatch(r"here: .+|case [A-E] of this project|[\w.-]+/[\w.-]+#\d+", item["source"])
    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", item["day"])


def test_colours_hide_nothing_and_are_not_shown() -> None:
    (found,) = known_failures(
        "\x1b[31mAssertionError: Torch \x1b[1mnot compiled\x1b[0m with CUDA enabled\x1b[0m", CATALOG
    )
    assert "seen: AssertionError: Torch not compiled with CUDA enabled\n" in found.message


def test_what_is_told() -> None:
    (found,) = known_failures(MESSAGES["torch-without-cuda"][0], CATALOG)
    cause, seen, source = found.message.splitlines()
    assert (found.code, found.severity) == ("HST050", "error")
    assert cause == "the program asks for CUDA, and the installed torch is a CPU build"
    assert seen.endswith('raise AssertionError("Torch not compiled with CUDA enabled")')
    assert "facebookresearch/detectron2#460" in source
    assert "envsmith doctor build" in found.hint


def test_a_long_line_is_shortened() -> None:
    (found,) = known_failures("x" * 10_000 + " Torch not compiled with CUDA enabled", CATALOG)
    assert len(found.message) < 1000


@pytest.mark.parametrize("item", ORDINARY, ids=lambda item: str(item["program"]))
def test_failures_of_a_program_s_own_with_torch_and_numpy_are_left_alone(item: dict[str, str]) -> None:
    assert names(item["text"]) == []


def failing(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1, program
    assert done.stderr, program
    return done.stderr


def test_ordinary_failures_are_left_alone() -> None:
    asked = programs()
    assert len(set(asked)) >= MANY
    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(asked, pool.map(failing, asked), strict=True))
    assert {program: told for program, text in found.items() if (told := names(text))} == {}
