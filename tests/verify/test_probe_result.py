from __future__ import annotations

from envsmith.verify.probe_rules import NAMES, ProbeResult


def test_what_was_printed_is_told_only_of_a_failure() -> None:
    well = ProbeResult(name="torch", facts={"version": "2.13.0+cpu"}, said="a warning", seconds=1.23456)
    assert (well.version, well.to_json()["seconds"]) == ("2.13.0+cpu", 1.235)
    assert "said" not in well.to_json()
    assert ProbeResult(name="torch", error="it died", said="why").to_json()["said"] == "why"
    assert ProbeResult(name="torch").version == ""
    assert len(set(NAMES)) == len(NAMES)
