from __future__ import annotations

import pytest

from envsmith.config.requirements.requirements_parser import PyTorchLine, pin_of_wheel

ROOT = "https://download.pytorch.org/whl"


@pytest.mark.parametrize(
    ("url", "backend", "channel"),
    [
        (ROOT, None, "stable"),
        (ROOT + "/", None, "stable"),
        (ROOT + "/cu128", "cu128", "stable"),
        (ROOT + "/cu128/", "cu128", "stable"),
        (ROOT + "/cu128/torch/", "cu128", "stable"),
        (ROOT + "/cpu/torch_stable.html", "cpu", "stable"),
        (ROOT + "/torch_stable.html", None, "stable"),
        (ROOT + "/rocm6.4", "rocm6.4", "stable"),
        (ROOT + "/xpu", "xpu", "stable"),
        (ROOT + "/nightly/cu130", "cu130", "nightly"),
        (ROOT + "/nightly", None, "nightly"),
        (ROOT + "/test/cpu", "cpu", "test"),
        (ROOT + "/cu121_full", None, "stable"),
        ("http://download.pytorch.org/whl/cu118", "cu118", "stable"),
        ("https://download-r2.pytorch.org/whl/cu128", "cu128", "stable"),
        ("https://DOWNLOAD.pytorch.org/whl/cu128", "cu128", "stable"),
    ],
)
def test_pytorch_addresses(url: str, backend: str | None, channel: str) -> None:
    line = PyTorchLine.parse(kind="index", url=url, origin="r.in:1")
    assert line == PyTorchLine(kind="index", url=url, backend=backend, channel=channel, origin="r.in:1")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/whl/cu128",
        "https://download.pytorch.org.example.org/whl/cu128",
        "https://download.pytorch.org/models/x",
        "https://download.pytorch.org/whlx",
        "https://download.pytorch.org@example.org/whl/cu128",
        "file://download.pytorch.org/whl/cu128",
        "./wheels",
        "https://[",
        "",
    ],
)
def test_other_addresses(url: str) -> None:
    assert PyTorchLine.parse(kind="index", url=url, origin="r.in:1") is None


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        (f"{ROOT}/cu128/torch-2.8.0%2Bcu128-cp312-cp312-win_amd64.whl", "torch==2.8.0+cu128"),
        (f"torch @ {ROOT}/cu128/torch-2.8.0+cu128-cp312-cp312-win_amd64.whl#sha256=00", "torch==2.8.0+cu128"),
        (
            f"torch[x]@{ROOT}/cpu/torch-2.8.0%2Bcpu-cp312-cp312-win_amd64.whl ; os_name == 'nt'",
            "torch[x]==2.8.0+cpu ; os_name == 'nt'",
        ),
        (f"{ROOT}/cpu/torch-2.8.0-cp312-none-macosx_11_0_arm64.whl", "torch==2.8.0"),
    ],
)
def test_a_wheel_of_pytorchs_becomes_a_pin(text: str, pin: str) -> None:
    assert pin_of_wheel(text) == pin


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.8.0",
        "https://example.org/torch-2.8.0%2Bcu128-cp312-cp312-win_amd64.whl",
        f"{ROOT}/cu128/torch-2.8.0.tar.gz",
        f"{ROOT}/cu128/torch.whl",
        f"torchvision @ {ROOT}/cu128/torch-2.8.0%2Bcu128-cp312-cp312-win_amd64.whl",
        f"{ROOT}/cu128/torch-2.8.0%0Aevil-cp312-cp312-win_amd64.whl",
        "",
    ],
)
def test_what_is_no_wheel_of_pytorchs(text: str) -> None:
    assert pin_of_wheel(text) is None
