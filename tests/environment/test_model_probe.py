from __future__ import annotations

import hashlib
import sys
import venv
from pathlib import Path

import pytest

from envsmith.config.model_files import ModelFile
from envsmith.environment.interpreter import ModelProbe
from envsmith.errors import InstallError
from envsmith.files.text import hash_model
from envsmith.process.runner import Processes
from tests.systems import posix_only


def test_files_are_hashed_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"bytes" * 1000)
    assert hash_model(str(tmp_path / "a")) == hashlib.sha256(b"bytes" * 1000).hexdigest()
    assert hash_model(str(tmp_path / "nowhere")) == ""
    assert hash_model(str(tmp_path)) == ""


@posix_only("links to the interpreter, and signals")
def test_an_environment_is_asked(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    (tmp_path / "a.onnx").write_bytes(b"")
    spec = {**ModelFile(path="a.onnx", format="onnx").to_spec("", ()), "reference": ""}
    probe = ModelProbe(processes=Processes())
    told = probe.model(tmp_path / "env", {**spec, "path": str(tmp_path / "a.onnx")}, 60)
    (problem,) = told.problems
    assert problem["kind"] == "library"
    assert "No module named 'onnxruntime'" in problem["text"]
    (site,) = (tmp_path / "env").glob(f"lib/python{sys.version_info[0]}.*/site-packages")
    (site / "onnxruntime.py").write_text("import os; os.abort()\n", "utf-8")
    with pytest.raises(InstallError) as caught:
        probe.model(tmp_path / "env", {**spec, "path": str(tmp_path / "a.onnx")}, 60)
    assert caught.value.code == "ENV023"
