"""Loading with made-up libraries; the real ones are in tests/install/test_real_models.py."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from envsmith.runtime import model_load


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("torch")
    module.__version__ = "0"
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def spec(path: str, format_: str = "state_dict", **more: object) -> dict[str, Any]:
    known = {
        "path": path,
        "format": format_,
        "device": "cpu",
        "inputs": [],
        "tensors": {},
        "safe_globals": [],
    }
    return {**known, **more}


def told(values: dict[str, Any]) -> str:
    with pytest.raises(model_load.ModelProblem) as caught:
        model_load.LOADERS[values["format"]](values, {"problems": []})
    return str(caught.value.values["kind"])


@pytest.mark.usefixtures("torch")
def test_a_torch_without_weights_only_is_not_let_near_a_pickle(torch: Any, tmp_path: Any) -> None:
    torch.load = lambda path, map_location: pytest.fail(f"{path} is read to {map_location}")
    assert told(spec(str(tmp_path / "a.pth"))) == "library"


def test_a_device_that_torch_does_not_see(torch: Any) -> None:
    torch.cuda = ModuleType("cuda")
    torch.cuda.is_available = lambda: False
    assert told(spec("a.pth", device="cuda:1")) == "device"
    assert told(spec("a.pth", device="xpu")) == "device"
    torch.backends = ModuleType("backends")
    assert told(spec("a.pth", device="mps")) == "device"


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert told(spec("a.onnx", "onnx")) == "library"


class Input:
    def __init__(self, name: str, shape: list[object]) -> None:
        self.name, self.shape = name, shape


@pytest.mark.parametrize(
    ("own", "declared", "is_same"),
    [
        (["batch", 4], ["n", 4], True),
        ([None, 4], [1, 4], True),
        ([2, 4], ["n", 4], False),
        ([2, 4], [2, 5], False),
        ([2, 4], [2, 4, 1], False),
    ],
)
def test_declared_inputs_are_compared_with_those_of_a_model(
    own: list[object],
    declared: list[object],
    is_same: bool,
) -> None:
    asked = [{"name": "x", "shape": declared}]
    if is_same:
        model_load.check_inputs({"x": Input("x", own)}, asked)
        return
    with pytest.raises(model_load.ModelProblem) as caught:
        model_load.check_inputs({"x": Input("x", own)}, asked)
    assert caught.value.values["kind"] == "shape"


def test_names_of_inputs_count() -> None:
    with pytest.raises(model_load.ModelProblem, match="the model's inputs are x, y"):
        model_load.check_inputs({"x": Input("x", []), "y": Input("y", [])}, [{"name": "x", "shape": []}])
