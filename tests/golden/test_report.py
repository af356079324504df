"""Reports of two machines, byte for byte: nothing private, nothing missing.

``ENVSMITH_WRITE_GOLDEN=1 pytest tests/golden/test_report.py`` writes the files anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from envsmith.catalog import Catalog
from envsmith.doctor.checks import CHECKS
from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.report.output import markdown
from envsmith.report.private_values import collect_redaction
from envsmith.report.redaction import Redaction
from envsmith.report.summarize import summarize
from tests import machines

HERE = Path(__file__).parent
MACHINES: dict[str, tuple[Callable[[], DoctorFacts], Mapping[str, str]]] = {
    "linux": (machines.linux, machines.LINUX_VARIABLES),
    "windows": (machines.windows, machines.WINDOWS_VARIABLES),
}


def hidden(variables: Mapping[str, str]) -> Redaction:
    """Return a redaction without the names of this machine."""
    found = collect_redaction(variables)
    return Redaction(
        project=machines.PROJECT,
        homes=tuple(item for item in found.homes if item in variables.values()),
        users=tuple(item for item in found.users if item in variables.values()),
        hosts=tuple(item for item in found.hosts if any(item in value for value in variables.values())),
        secrets=found.secrets,
    )


def printed(name: str) -> str:
    facts, variables = MACHINES[name]
    return markdown(summarize(facts(), CHECKS, "0.1.0"), hidden(variables))


@pytest.mark.parametrize("name", MACHINES)
def test_the_report_of_a_machine(name: str) -> None:
    path = HERE / f"report.{name}.md"
    if os.environ.get("ENVSMITH_WRITE_GOLDEN"):
        path.write_text(printed(name), "utf-8")
    assert printed(name) == path.read_text("utf-8")


@pytest.mark.parametrize("private", machines.PRIVATE)
def test_nothing_private_is_in_it(private: str) -> None:
    facts, variables = MACHINES["windows"]
    summary = summarize(facts(), CHECKS, "0.1.0")
    for text in (markdown(summary, hidden(variables)), json.dumps(summary.to_json(hidden(variables)))):
        assert private.lower() not in text.lower()


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("row", Catalog.embedded().failures(), ids=lambda row: row.name)
def test_nothing_is_missing_that_a_known_failure_asks_for(name: str, row: object) -> None:
    facts, variables = MACHINES[name]
    data = summarize(facts(), CHECKS, "0.1.0").to_json(hidden(variables))
    asks = row.asks  # type: ignore[attr-defined]
    assert asks
    for key in asks:
        value: object = data
        for part in key.split("."):
            assert isinstance(value, dict), key
            assert part in value, key
            value = value[part]
