from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.ci.matrix_cli import append_outputs
from envsmith.errors import ToolError


def test_outputs_are_added_to_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "output"
    append_outputs(path, {"a": "1"})
    append_outputs(path, {"count": "2", "matrix": '{"x":[]}'})
    assert path.read_bytes() == b'a=1\ncount=2\nmatrix={"x":[]}\n'


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        append_outputs(tmp_path, {"a": "1"})
    assert caught.value.code == "TOL013"
