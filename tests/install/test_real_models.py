"""Good and bad model files of every format, with the real torch 2.13.0+cpu, ONNX Runtime and safetensors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from envsmith.config.model_files import ModelCheckResult, ModelFile
from envsmith.environment import interpreter
from envsmith.environment.prefix import interpreter_path
from envsmith.model.finding import Finding
from envsmith.uv.command import find_uv
from envsmith.verify import model_findings
from tests.install.made import PROFILE, Shop, made

TORCH = "2.13.0+cpu"
pytestmark = [
    pytest.mark.online,
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11) or sys.platform != "linux", reason="torch for cp311 on Linux"
    ),
]
MAKE = """
import collections, os, pathlib, pickle, sys, torch, numpy, onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
    def forward(self, x):
        return torch.relu(self.fc(x))

class LabelEncoder:
    classes = ["a", "b"]

class Malicious:
    def __reduce__(self):
        return os.system, ("touch executed",)

torch.manual_seed(0)
net = Net().eval()
weight, bias = (part.detach().numpy() for part in (net.fc.weight, net.fc.bias))

def save_onnx(path, scale=1.0, size=4):
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1), helper.make_node("Relu", ["h"], ["y"])]
    w = numpy.resize(weight * scale, (3, size)).astype("float32")
    graph = helper.make_graph(
        nodes, "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(bias, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    pathlib.Path(path).write_bytes(model.SerializeToString())

torch.save(net.state_dict(), "good.pth")
torch.save({"model": net.state_dict(), "epoch": 3, "lr": 0.1}, "checkpoint.pth")
torch.save(net, "whole.pth")
torch.save({"model": net.state_dict(), "label_encoder": LabelEncoder()}, "encoder.pth")
torch.save({"model": net.state_dict(), "hook": Malicious()}, "malicious.pth")
pathlib.Path("malicious.pkl").write_bytes(pickle.dumps(Malicious()))
torch.save(net.state_dict(), "legacy.pth", _use_new_zipfile_serialization=False)
torch.save(net, "whole-legacy.pth", _use_new_zipfile_serialization=False)
torch.save([1, 2], "list.pth")
pathlib.Path("broken.pth").write_bytes(pathlib.Path("good.pth").read_bytes()[:300])
torch.serialization.register_package(0, lambda storage: "cuda:0", lambda storage, place: None)
torch.save(net.state_dict(), "gpu.pth")
torch.jit.script(net).save("good.pt")
save_file({name: part.contiguous() for name, part in net.state_dict().items()}, "good.safetensors")
pathlib.Path("broken.safetensors").write_bytes(b"x" * 64)
save_onnx("good.onnx"); save_onnx("other.onnx", scale=1.5); save_onnx("wide.onnx", size=5)
pathlib.Path("broken.onnx").write_bytes(b"no")
x = numpy.ones((2, 4), dtype="float32")
numpy.savez("recorded.npz", x=x, y=net(torch.from_numpy(x)).detach().numpy())
numpy.savez("wrong.npz", x=x, y=net(torch.from_numpy(x)).detach().numpy() + 1)
numpy.savez("nameless.npz", z=x)
"""
CHECK = """
import json, runpy, sys
check = runpy.run_path(sys.argv[1])["check"]
print(json.dumps([check(spec) for spec in json.loads(sys.argv[2])]))
"""
X = [{"name": "x", "shape": ["batch", 4], "dtype": "float32"}]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with what makes and loads models, and the files it has made beside it."""
    root = tmp_path_factory.mktemp("models")
    prefix = root / "env"
    words: list[str | Path] = [
        find_uv(),
        "venv",
        "--no-config",
        "--quiet",
        "--python",
        sys.executable,
        prefix,
    ]
    subprocess.run(words, check=True)
    links = [
        word for place in os.environ.get("PIP_FIND_LINKS", "").split() for word in ("--find-links", place)
    ]
    packages = (
        f"torch=={TORCH}",
        "numpy==2.4.6",
        "onnx==1.23.2",
        "onnxruntime==1.32.0",
        "safetensors==0.8.0",
    )
    command: list[str | Path] = [find_uv(), "pip", "install", "--no-config", "--quiet", "--python"]
    done = subprocess.run(
        [*command, interpreter_path(prefix), *links, *packages],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        pytest.skip(f"torch {TORCH} and what goes with it cannot be had here: {done.stderr.strip()[-200:]}")
    (root / "files").mkdir()
    (root / "make.py").write_text(MAKE, "utf-8")
    subprocess.run(
        [interpreter_path(prefix), "-W", "ignore", root / "make.py"], cwd=root / "files", check=True
    )
    return prefix


@pytest.fixture
def shop(tmp_path: Path, prefix: Path) -> Shop:
    """A project that has these files, and a lock."""
    shop = Shop.opened(tmp_path)
    shop.lock(made("beside"))
    (shop.project.root / "models").symlink_to(prefix.parent / "files")
    return shop


def checked(shop: Shop, prefix: Path, *models: Mapping[str, Any], **more: object) -> list[dict[str, Any]]:
    """Check models by the real command; that the environment is not that of the lock does not matter here."""
    declared = [{**one, "path": f"models/{one['path']}"} for one in models]
    for one in declared:
        if "reference" in one:
            one["reference"] = f"models/{one['reference']}"
    text = "".join(f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in more.items())
    text += "".join(
        "[[models]]\n" + "".join(f"{key} = {toml(one[key])}\n" for key in one) for one in declared
    )
    begin = 'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\n'
    (shop.project.root / "profiles").mkdir(exist_ok=True)
    (shop.project.root / "profiles" / f"{PROFILE}.toml").write_text(begin + text, "utf-8")
    ran = shop.project.run("verify", PROFILE, "--prefix", str(prefix), "--models", "--json")
    assert ran.status == 1, ran.said
    return list(json.loads(ran.out)["data"]["models"])


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def codes(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return path → codes; that no hash is recorded is passed over."""
    return {
        item["path"].removeprefix("models/"): [
            one["code"] for one in item["findings"] if one["code"] != "ENV112"
        ]
        for item in found
    }


def judged(prefix: Path, *models: Mapping[str, Any]) -> list[tuple[str, list[Finding], ModelCheckResult]]:
    """Check models in one process of the environment: that each has its own takes most of the time."""
    declared = [ModelFile.from_plain(one) for one in models]
    formats = {one.path: one.format for one in declared}
    specs = [
        {**one.to_spec(formats.get(one.reference, ""), ()), "path": one.path, "reference": one.reference}
        for one in declared
    ]
    command: list[str | Path] = [
        interpreter_path(prefix),
        "-I",
        "-W",
        "ignore",
        "-c",
        CHECK,
        interpreter.MODEL_CHECK,
        json.dumps(specs),
    ]
    done = subprocess.run(
        command, cwd=prefix.parent / "files", capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    told = [ModelCheckResult.from_json(one) for one in json.loads(done.stdout.splitlines()[-1])]
    return [
        (one.path, list(model_findings.findings(one, said)), said)
        for one, said in zip(declared, told, strict=True)
    ]


def found_codes(found: list[tuple[str, list[Finding], ModelCheckResult]]) -> dict[str, list[str]]:
    return {path: [finding.code for finding in findings] for path, findings, _ in found}


def state_dict(path: str, **more: object) -> dict[str, Any]:
    return {"path": path, "format": "state_dict", **more}


def test_good_files_of_each_format_load_and_agree(prefix: Path) -> None:
    tensors = {"fc.weight": [3, 4], "fc.bias": [3]}
    exact = {"atol": 1e-6, "rtol": 1e-5}
    found = judged(
        prefix,
        state_dict("good.pth", tensors=tensors),
        state_dict("legacy.pth", tensors=tensors),
        state_dict("checkpoint.pth", tensors={"model.fc.weight": [3, 4]}),
        {"path": "good.safetensors", "format": "safetensors", "tensors": tensors},
        {"path": "good.pt", "format": "torchscript", "inputs": X, "reference": "recorded.npz"},
        {"path": "good.onnx", "format": "onnx", "inputs": X, "reference": "good.pt", **exact},
    )
    assert not any(findings for _, findings, _ in found), found
    assert [told.tensors for _, _, told in found] == [2, 2, 2, 2, None, None]
    assert all(told.load_s for _, _, told in found)
    assert all(told.run_s and told.difference is not None for _, _, told in found[4:])


def test_each_fault_of_a_checkpoint_has_a_finding_of_its_own(prefix: Path) -> None:
    found = judged(
        prefix,
        state_dict("broken.pth"),
        state_dict("whole.pth"),
        state_dict("whole-legacy.pth"),
        state_dict("list.pth"),
        state_dict("malicious.pth"),
        state_dict("malicious.pkl"),
        state_dict("encoder.pth"),
        state_dict("gpu.pth"),
        state_dict("checkpoint.pth", device="cuda"),
        state_dict("legacy.pth", tensors={"fc.weight": [4, 3]}),
        state_dict("good.pth", tensors={"fc.scale": [4]}),
    )
    assert found_codes(found) == {
        "broken.pth": ["ENV102"],
        "whole.pth": ["ENV103"],
        "whole-legacy.pth": ["ENV103"],
        "list.pth": ["ENV103"],
        "malicious.pth": ["ENV104"],
        "malicious.pkl": ["ENV104"],
        "encoder.pth": ["ENV105"],
        "gpu.pth": ["ENV106"],
        "checkpoint.pth": ["ENV107"],
        "legacy.pth": ["ENV108"],
        "good.pth": ["ENV108"],
    }
    text = {path: findings[0].message for path, findings, _ in found}
    assert "__main__.Net" in text["whole.pth"]
    assert "__main__.LabelEncoder" in text["encoder.pth"]
    assert "posix.system" in text["malicious.pth"]
    assert "cuda:0" in text["gpu.pth"]
    assert "shape [3, 4], declared [4, 3]" in text["legacy.pth"]
    assert not list(prefix.parent.rglob("executed")), "a pickle was executed"


def test_each_fault_of_what_can_be_run_has_a_finding_of_its_own(prefix: Path) -> None:
    wide = [{"name": "x", "shape": ["batch", 5], "dtype": "float32"}]
    found = judged(
        prefix,
        {"path": "good.pt", "format": "torchscript", "inputs": wide},
        {"path": "whole.pth", "format": "torchscript"},
        {"path": "broken.onnx", "format": "onnx"},
        {"path": "broken.safetensors", "format": "safetensors"},
        {"path": "good.safetensors", "format": "safetensors", "tensors": {"fc.weight": [1, 1]}},
        {"path": "wide.onnx", "format": "onnx", "inputs": X},
        {"path": "other.onnx", "format": "onnx", "inputs": X, "reference": "wrong.npz"},
        {"path": "good.onnx", "format": "onnx", "inputs": X, "reference": "nameless.npz"},
    )
    assert found_codes(found) == {
        "good.pt": ["ENV108"],
        "whole.pth": ["ENV102"],
        "broken.onnx": ["ENV102"],
        "broken.safetensors": ["ENV102"],
        "good.safetensors": ["ENV108"],
        "wide.onnx": ["ENV108"],
        "other.onnx": ["ENV109"],
        "good.onnx": ["ENV110"],
    }


def test_an_onnx_that_disagrees_is_told_and_agrees_within_a_wider_tolerance(prefix: Path) -> None:
    script = {"path": "good.pt", "format": "torchscript"}
    other = {"path": "other.onnx", "format": "onnx", "inputs": X, "reference": "good.pt"}
    gpu = {"path": "good.onnx", "format": "onnx", "inputs": X, "device": "cuda"}
    found = judged(prefix, script, other, gpu)
    assert found_codes(found) == {"good.pt": [], "other.onnx": ["ENV109"], "good.onnx": ["ENV107"]}
    assert "values differ from the reference by up to" in found[1][1][0].message
    (_, (_, findings, told)) = judged(prefix, script, {**other, "atol": 10.0, "rtol": 1.0})
    assert findings == []
    assert told.difference
    assert told.difference > 0.01


def test_the_command_checks_what_the_profile_declares(shop: Shop, prefix: Path) -> None:
    found = checked(
        shop,
        prefix,
        state_dict("nowhere.pth"),
        state_dict("good.pth", sha256="0" * 64),
        state_dict("malicious.pth"),
        {"path": "good.pt", "format": "torchscript"},
        {"path": "good.onnx", "format": "onnx", "inputs": X, "reference": "good.pt"},
    )
    assert codes(found) == {
        "nowhere.pth": ["ENV100"],
        "good.pth": ["ENV101"],
        "malicious.pth": ["ENV104"],
        "good.pt": [],
        "good.onnx": [],
    }
    assert found[4]["difference"] < 1e-5
    assert not list(shop.project.root.rglob("executed"))


def test_a_class_that_the_profile_allows_is_loaded(shop: Shop, prefix: Path) -> None:
    (site,) = prefix.glob("lib/python3*/site-packages")
    (site / "shapes.py").write_text("class Shape:\n    pass\n", "utf-8")
    code = "import torch, shapes; torch.save({'w': torch.ones(1), 's': shapes.Shape()}, 'shape.pth')"
    subprocess.run(
        [interpreter_path(prefix), "-W", "ignore", "-c", code], cwd=prefix.parent / "files", check=True
    )
    assert found_codes(judged(prefix, state_dict("shape.pth"))) == {"shape.pth": ["ENV105"]}
    allowed = {"shims": ["torch-safe-globals"], "safe_globals": ["shapes.Shape"]}
    assert codes(checked(shop, prefix, state_dict("shape.pth"), **allowed)) == {"shape.pth": []}
