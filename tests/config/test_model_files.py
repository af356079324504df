from __future__ import annotations

from typing import Any

import pytest

from envsmith.config.model_files import ModelCheckResult, ModelFile
from envsmith.config.profile_reader import parse
from envsmith.errors import ProfileError

GOOD = 'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\n'
ALL = """
[[models]]
path = "models/net.onnx"
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
format = "onnx"
device = "cuda:1"
inputs = [{ name = "x", shape = ["batch", 3, 224], dtype = "float32" }]
sizes = { batch = 4 }
reference = "./models/net.pt"
atol = 0
rtol = 1e-4

[[models]]
path = "models/net.pt"
format = "torchscript"

[[models]]
path = 'models\\weights.pth'
format = "state_dict"
tensors = { "fc.weight" = [3, 4], "fc.scale" = [] }
"""


def declared(text: str) -> list[ModelFile]:
    models: Any = parse(GOOD + text, "profiles/x.toml", "x").later["models"]
    return [ModelFile.from_plain(one) for one in models]


def test_all_that_can_be_said_of_a_model() -> None:
    onnx, script, weights = declared(ALL)
    assert (onnx.device, onnx.sizes, onnx.atol, onnx.rtol) == ("cuda:1", {"batch": 4}, 0.0, 1e-4)
    assert onnx.reference == script.path == "models/net.pt"
    assert (script.device, script.sha256, script.atol, script.rtol) == ("cpu", "", 1e-5, 1e-3)
    assert (weights.path, weights.tensors) == ("models/weights.pth", {"fc.weight": (3, 4), "fc.scale": ()})
    spec = onnx.to_spec("torchscript", ("a.B",))
    assert spec["inputs"] == [{"name": "x", "shape": ["batch", 3, 224], "dtype": "float32"}]
    assert (spec["reference_format"], spec["safe_globals"]) == ("torchscript", ["a.B"])


def test_a_profile_with_models_is_shown_as_it_is() -> None:
    profile = parse(GOOD + ALL, "profiles/x.toml", "x")
    assert parse(profile.to_toml(), "shown", "x") == profile


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('path = "/etc/passwd"\nformat = "onnx"', "PRF005", "models[0].path"),
        ('path = "../x.onnx"\nformat = "onnx"', "PRF005", "models[0].path"),
        ('path = "C:\\\\x.onnx"\nformat = "onnx"', "PRF005", "models[0].path"),
        ('path = "x.pkl"\nformat = "pickle"', "PRF005", "models[0].format"),
        ('path = "x.onnx"', "PRF014", "models[0].format"),
        ('path = "a"\nformat = "onnx"\nsha256 = "abc"', "PRF005", "models[0].sha256"),
        ('path = "a"\nformat = "onnx"\ndevice = "gpu"', "PRF005", "models[0].device"),
        ('path = "a"\nformat = "onnx"\natol = -1', "PRF005", "models[0].atol"),
        ('path = "a"\nformat = "onnx"\natol = nan', "PRF005", "models[0].atol"),
        ('path = "a"\nformat = "onnx"\nsizes = { n = 0 }', "PRF005", "models[0].sizes.n"),
        ('path = "a"\nformat = "onnx"\ninputs = [{ name = "x" }]', "PRF014", "models[0].inputs[0]"),
        ('path = "a"\nformat = "onnx"\nepoch = 3', "PRF003", "models[0].epoch"),
        ('path = "a"\nformat = "onnx"\nreference = "r.npz"', "PRF014", "models[0].reference"),
    ],
)
def test_what_is_refused_with_its_place(text: str, code: str, place: str) -> None:
    with pytest.raises(ProfileError) as caught:
        declared(f"[[models]]\n{text}\n")
    assert caught.value.code == code
    assert caught.value.where.endswith(f": {place}")


def test_a_reference_is_a_model_that_can_be_run_or_arrays() -> None:
    begin = '[[models]]\npath = "a.onnx"\nformat = "onnx"\ninputs = [{ name = "x", shape = [1], dtype = "int64" }]\n'
    (model,) = declared(begin + 'reference = "recorded.npz"\n')
    assert model.reference == "recorded.npz"
    for reference in ("a.onnx", "b.pth", "nowhere.pt"):
        with pytest.raises(ProfileError, match="invalid reference"):
            declared(f'{begin}reference = "{reference}"\n[[models]]\npath = "b.pth"\nformat = "state_dict"\n')


def test_a_model_is_declared_once() -> None:
    with pytest.raises(ProfileError, match="declared twice"):
        declared('[[models]]\npath = "a"\nformat = "onnx"\n[[models]]\npath = "./a"\nformat = "onnx"\n')


def test_what_a_check_said() -> None:
    told = ModelCheckResult.from_json(
        {"problems": [{"kind": "shape", "text": "t", "names": []}], "load_s": 0.5}
    )
    assert (told.load_s, told.run_s, told.problems[0]["kind"]) == (0.5, None, "shape")
    with pytest.raises(KeyError):
        ModelCheckResult.from_json({})
    with pytest.raises(TypeError):
        ModelCheckResult.from_json({"problems": [], "more": 1})
