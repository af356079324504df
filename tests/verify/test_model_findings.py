from __future__ import annotations

import pytest

from envsmith.config.model_files import ModelCheckResult, ModelFile
from envsmith.verify import model_findings

MODEL = ModelFile(path="models/a.onnx", format="onnx", reference="models/a.pt")


@pytest.mark.parametrize(
    ("kind", "code", "severity"),
    [
        ("unreadable", "ENV102", "error"),
        ("whole-object", "ENV103", "error"),
        ("dangerous", "ENV104", "error"),
        ("refused", "ENV105", "error"),
        ("elsewhere", "ENV106", "warning"),
        ("device", "ENV107", "error"),
        ("shape", "ENV108", "error"),
        ("differs", "ENV109", "error"),
        ("reference", "ENV110", "error"),
        ("library", "ENV111", "error"),
    ],
)
def test_each_kind_has_a_code_and_a_cure(kind: str, code: str, severity: str) -> None:
    told = ModelCheckResult(problems=({"kind": kind, "text": "what was seen", "names": []},))
    (finding,) = model_findings.findings(MODEL, told)
    assert (finding.code, finding.severity) == (code, severity)
    assert finding.message == "models/a.onnx: what was seen"
    assert finding.hint


def test_what_files_alone_say() -> None:
    found = [
        model_findings.missing(MODEL),
        model_findings.missing(MODEL, reference=True),
        model_findings.changed(MODEL, "aa", "bb"),
        model_findings.unrecorded(MODEL, "own"),
        model_findings.failed(MODEL, "it ended with signal 11"),
    ]
    assert [(one.code, one.severity) for one in found] == [
        ("ENV100", "error"),
        ("ENV100", "error"),
        ("ENV101", "error"),
        ("ENV112", "note"),
        ("ENV113", "error"),
    ]
    assert "its reference models/a.pt is missing" in found[1].message
    assert found[3].hint == "envsmith lock own"
