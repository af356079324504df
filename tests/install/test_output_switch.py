from __future__ import annotations

import json
from pathlib import Path

import pytest

from envsmith.install import output
from envsmith.install.rollback import GenerationListing, SwitchResult
from tests.environment.test_model_generation import generation

LINK = Path(".venv")


def listed(id_: str, **values: object) -> GenerationListing:
    known = {"is_current": False, "generation": generation(id_), "kind": "proved", "used_utc": ""}
    sizes = {"own_bytes": 900, "shared_bytes": 3_200_000_000}
    return GenerationListing(**{"id": id_, **sizes, **known, **values})  # type: ignore[arg-type]


def test_what_is_current_and_how_to_return(capfd: pytest.CaptureFixture[str]) -> None:
    done = SwitchResult(id="b-bbbbbb", is_foreign=False, generation=None, before="a-aaaaaa", aside="")
    output.show_switch(done, LINK, as_json=False)
    assert capfd.readouterr().out == (
        "current   .venv → b-bbbbbb  (before: a-aaaaaa; `envsmith rollback` returns to it)\n"
    )
    output.show_switch(done, LINK, as_json=True)
    assert json.loads(capfd.readouterr().out)["data"]["id"] == "b-bbbbbb"


def test_what_others_made_has_no_name_of_ours(capfd: pytest.CaptureFixture[str]) -> None:
    done = SwitchResult(id=".venv-x", is_foreign=True, generation=None, before="", aside="")
    output.show_switch(done, LINK, as_json=False)
    assert capfd.readouterr().out == "current   .venv → the environment before envsmith's first install\n"


def test_a_table_of_what_there_is(capfd: pytest.CaptureFixture[str]) -> None:
    found = [
        listed("7c1e2a", is_current=True, used_utc="2026-11-21T12:00:00Z"),
        listed("000000", generation=None, kind="failed"),
        listed(".venv-x", generation=None, kind="foreign"),
    ]
    output.show_generations(found, ("gone-aaaaaa",), as_json=False)
    assert [line.split() for line in capfd.readouterr().out.splitlines()] == [
        ["generation", "profile", "torch", "python", "used", "own", "shared"],
        [
            "→",
            "7c1e2a",
            "cu128",
            "2.11.0+cu128",
            "3.12.4",
            "2026-11-21",
            "12:00:00",
            "900",
            "bytes",
            "3.2",
            "GB",
        ],
        ["000000", "-", "not", "verified", "-", "never", "900", "bytes", "3.2", "GB"],
        [".venv-x", "-", "not", "managed", "by", "envsmith", "-", "never", "900", "bytes", "3.2", "GB"],
        ["removed", "gone-aaaaaa"],
    ]
    output.show_generations(found, (), as_json=True)
    assert len(json.loads(capfd.readouterr().out)["data"]["generations"]) == 3


def test_nothing_is_told_as_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    output.show_generations((), (), as_json=False)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "no environment" in shown.err
