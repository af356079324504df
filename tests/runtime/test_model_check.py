"""Runs with made-up libraries; the real ones are in tests/install/test_real_models.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envsmith.runtime import model_check

SCRIPT = Path(model_check.__file__)


def said(**spec: object) -> dict[str, Any]:
    known = {"device": "cpu", "inputs": [], "sizes": {}, "tensors": {}, "reference": "", "safe_globals": []}
    words: list[str | Path] = [sys.executable, "-I", SCRIPT, json.dumps({**known, **spec})]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["state_dict", "torchscript", "onnx", "safetensors"])
def test_without_its_library_each_format_says_what_is_missing(name: str, tmp_path: Path) -> None:
    found = said(path=str(tmp_path / "a"), format=name)
    assert [problem["kind"] for problem in found["problems"]] == ["library"]


def test_whatever_goes_wrong_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> None:
        raise OSError("gone\nmore")

    monkeypatch.setitem(model_check._LOAD["LOADERS"], "onnx", load)
    monkeypatch.setitem(model_check._LOAD["LIBRARIES"], "onnx", "json")
    found = model_check.check({"format": "onnx", "inputs": []})
    assert found["problems"] == [{"kind": "unreadable", "text": "OSError: gone", "names": []}]
    assert "load_s" not in found
