"""Verify against a real environment, with one fault planted at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.install.made import Shop, made, made_torch
from tests.runtime.fake_torch import fake_torch
from tests.site_packages import write_distribution

CHECKS = (
    'checks = [{import = "beside", timeout-s = 20}, {run = "python -c \'import beside\'", timeout-s = 20}]\n'
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """An environment as locked."""
    shop = Shop.opened(tmp_path_factory.mktemp("verify"))
    wheels = (made_torch("2.19.0+cpu"), made("beside"))
    shop.stock(*wheels)
    shop.lock(*wheels)
    shop.project.profile("small", backend="cpu", python=["3.11"], platforms=["linux"], requirements=["torch"])
    with (shop.project.root / "profiles" / "small.toml").open("a", encoding="utf-8") as file:
        file.write(CHECKS)
    ran = shop.install("--trust")
    assert ran.status == 0, ran.said
    return shop


@pytest.fixture
def copied(installed: Shop, tmp_path: Path) -> tuple[Shop, Path]:
    """A copy of the environment, to break things in."""
    prefix = tmp_path / "env"
    shutil.copytree(installed.link.resolve(), prefix, symlinks=True)
    return installed, prefix


def site(prefix: Path) -> Path:
    return next((prefix / "lib").glob("*/site-packages"))


def changed(prefix: Path) -> None:
    place = site(prefix) / "beside/__init__.py"
    place.write_bytes(place.read_bytes().replace(b"1.0", b"2.0"))


def removed(prefix: Path) -> None:
    (site(prefix) / "torch/lib/libtorch.so").unlink()


def added(prefix: Path) -> None:
    write_distribution(site(prefix), "extra", {"extra/__init__.py": b""})


def code_added(prefix: Path) -> None:
    (site(prefix) / "torch/extra.py").write_text("", "utf-8")
    (site(prefix) / "added.pth").write_text("", "utf-8")


def half_a_record(prefix: Path) -> None:
    place = site(prefix) / "torch-2.19.0+cpu.dist-info/RECORD"
    lines = place.read_text("utf-8").splitlines(keepends=True)
    place.write_text("".join(line for line in lines if "dist-info/" in line), "utf-8")


def gone(prefix: Path) -> None:
    shutil.rmtree(site(prefix) / "beside-1.0.dist-info")


def other_version(prefix: Path) -> None:
    (site(prefix) / "beside-1.0.dist-info/METADATA").write_text("Name: beside\nVersion: 1.1\n", "utf-8")


def other_label(prefix: Path) -> None:
    place = site(prefix) / "torch/version.py"
    text = (
        place.read_text("utf-8")
        .replace("2.19.0+cpu", "2.19.0+cu128")
        .replace("cuda: str | None = None", "cuda = '12.8'")
    )
    place.write_text(text, "utf-8")


def no_record(prefix: Path) -> None:
    (site(prefix) / "beside-1.0.dist-info/RECORD").unlink()


def twice(prefix: Path) -> None:
    write_distribution(site(prefix), "beside", {}, version="0.9")


def two_owners(prefix: Path) -> None:
    write_distribution(site(prefix), "opencv-python", {"cv2/__init__.py": b"a"})
    write_distribution(site(prefix), "opencv-python-headless", {"cv2/__init__.py": b"b"})


def mixed(prefix: Path) -> None:
    write_distribution(
        site(prefix),
        "torchvision",
        {"torchvision/version.py": b"__version__ = '0.34.0+cu130'"},
        version="0.34.0",
    )


def onnx_over_gpu(prefix: Path) -> None:
    write_distribution(site(prefix), "onnxruntime-gpu", {"onnxruntime/__init__.py": b"gpu"})
    write_distribution(site(prefix), "onnxruntime", {"onnxruntime/__init__.py": b"only the CPU"})


def swapped_label(prefix: Path) -> None:
    other_label(prefix)
    metadata = site(prefix) / "torch-2.19.0+cpu.dist-info/METADATA"
    metadata.write_text(metadata.read_text("utf-8").replace("+cpu", "+cu128"), "utf-8")


def torchaudio_of_another_cuda(prefix: Path) -> None:
    swapped_label(prefix)
    files = {"torchaudio/version.py": b"__version__ = '2.19.0+cu130'"}
    write_distribution(site(prefix), "torchaudio", files, version="2.19.0+cu130")


def no_metadata(prefix: Path) -> None:
    (site(prefix) / "beside-1.0.dist-info/METADATA").unlink()


def from_version_control(prefix: Path) -> None:
    came_from(prefix, {"url": "https://example.org/beside.git", "vcs_info": {"vcs": "git", "commit_id": "0"}})


def came_from(prefix: Path, origin: object) -> None:
    """Write down an origin as installers do: it is in the RECORD, too."""
    info = site(prefix) / "beside-1.0.dist-info"
    (info / "direct_url.json").write_text(json.dumps(origin), "utf-8")
    with (info / "RECORD").open("a", encoding="utf-8") as file:
        file.write(f"{info.name}/direct_url.json,,\n")


def cut_library(prefix: Path) -> None:
    place = site(prefix) / "torch/lib/libtorch.so"
    data = place.read_bytes()
    place.unlink()
    place.write_bytes(data[: len(data) // 2])


def segfaults(prefix: Path) -> None:
    text = "import faulthandler\nfaulthandler._sigsegv()\n"
    (site(prefix) / "beside/__init__.py").write_text(text, "utf-8")


def asks_for_what_is_not_there(prefix: Path) -> None:
    info = write_distribution(site(prefix), "extra", {"extra/__init__.py": b""})
    with (info / "METADATA").open("a", encoding="utf-8") as file:
        file.write("Requires-Dist: not-installed>=2\n")


def half_removed(prefix: Path) -> None:
    (site(prefix) / "~umpy").mkdir()


def from_a_folder(prefix: Path) -> None:
    came_from(prefix, {"url": "file:///somewhere", "dir_info": {"editable": True}})


def cannot_be_imported(prefix: Path) -> None:
    (site(prefix) / "beside/__init__.py").write_text("import no_such_module\n", "utf-8")


def crashes(prefix: Path) -> None:
    (site(prefix) / "beside/__init__.py").write_text("import os\nos.abort()\n", "utf-8")


def exits(prefix: Path) -> None:
    (site(prefix) / "beside/__init__.py").write_text("raise SystemExit(0)\n", "utf-8")


def talks_and_fails(prefix: Path) -> None:
    text = "print('x' * 5_000_000)\nraise ImportError('after much talk')\n"
    (site(prefix) / "beside/__init__.py").write_text(text, "utf-8")


FAULTS: tuple[tuple[Callable[[Path], None], set[str], tuple[str, ...]], ...] = (
    (changed, {"ENV015"}, ("--deep",)),
    (removed, {"ENV014"}, ()),
    (added, {"ENV011"}, ()),
    (gone, {"ENV010", "ENV018"}, ()),
    (code_added, {"ENV018"}, ()),
    (other_version, {"ENV012", "ENV015"}, ()),
    (other_label, {"ENV016", "ENV015"}, ()),
    (no_record, {"ENV013", "ENV018"}, ()),
    (half_a_record, {"ENV018"}, ()),
    (twice, {"ENV012"}, ()),
    (two_owners, {"ENV011", "ENV015", "ENV061"}, ("--deep",)),
    (mixed, {"ENV011", "ENV060"}, ()),
    (onnx_over_gpu, {"ENV011", "ENV015", "ENV061"}, ()),
    (swapped_label, {"ENV012", "ENV015", "ENV016"}, ()),
    (torchaudio_of_another_cuda, {"ENV011", "ENV012", "ENV015", "ENV016", "ENV070"}, ()),
    (no_metadata, {"ENV014", "ENV067"}, ()),
    (from_version_control, {"ENV063"}, ()),
    (cut_library, {"ENV015"}, ()),
    (segfaults, {"ENV015", "ENV017", "ENV064"}, ()),
    (asks_for_what_is_not_there, {"ENV011", "ENV015"}, ()),
    (half_removed, {"ENV067"}, ()),
    (from_a_folder, {"ENV063"}, ()),
    (cannot_be_imported, {"ENV015", "ENV017", "ENV064"}, ()),
    (crashes, {"ENV015", "ENV017", "ENV064"}, ()),
    (exits, {"ENV017"}, ()),
    (talks_and_fails, {"ENV015", "ENV017", "ENV064"}, ()),
)


@pytest.mark.parametrize(("plant", "codes", "words"), FAULTS, ids=lambda item: getattr(item, "__name__", ""))
def test_a_planted_fault_is_found_and_named(
    copied: tuple[Shop, Path], plant: Callable[[Path], None], codes: set[str], words: tuple[str, ...]
) -> None:
    shop, prefix = copied
    plant(prefix)
    ran = shop.project.run("verify", "small", "--prefix", str(prefix), "--json", *words)
    answer = json.loads(ran.out)
    assert (ran.status, answer["status"]) == (1, "no"), ran.said
    assert {item["code"] for item in answer["data"]["findings"]} == codes


@pytest.mark.parametrize("words", [(), ("--deep",)])
def test_an_environment_as_locked_is_verified(installed: Shop, words: tuple[str, ...]) -> None:
    ran = installed.project.run("verify", *words)
    assert ran.status == 0, ran.said
    assert ran.out.startswith("verified  .venv matches small/cp3")
    assert "torch 2.19.0+cpu imports" in ran.said
    assert "`python -c 'import beside'` runs" in ran.said
    assert ("all hashes compared" in ran.said) == bool(words)


def test_findings_are_told_with_the_way_out(copied: tuple[Shop, Path]) -> None:
    shop, prefix = copied
    removed(prefix)
    ran = shop.project.run("verify", "--prefix", str(prefix))
    assert ran.status == 1
    assert "does not match small/cp3" in ran.said
    assert "1 of 9 files is missing: torch/lib/libtorch.so" in ran.said
    assert "hint: `envsmith install small --deep`" in ran.said
    assert f"`envsmith doctor --fix --prefix {prefix}` shows a repair plan" in ran.said


def test_a_probe_is_told_with_what_it_found(copied: tuple[Shop, Path]) -> None:
    shop, prefix = copied
    fake_torch(site(prefix), version="2.19.0+cpu")
    ran = shop.project.run("verify", "small", "--prefix", str(prefix), "--probe", "torch")
    assert "product and convolution correct on the CPU" in ran.out
    fake_torch(site(prefix), version="2.19.0+cpu", wrong_on_cpu=1.0, cuda="13.0")
    words = ("verify", "small", "--prefix", str(prefix), "--probe", "torch,opencv", "--json")
    answer = json.loads(shop.project.run(*words).out)["data"]
    assert [(item["name"], item["facts"]["product"]) for item in answer["probes"]] == [("torch", False)]
    assert {"ENV090", "ENV092", "ENV093"} <= {item["code"] for item in answer["findings"]}


@pytest.mark.parametrize("way", ["import time; time.sleep(600)", "import os; os.kill(os.getpid(), 11)"])
def test_a_probe_that_hangs_or_crashes_is_a_finding_and_the_rest_is_told(
    copied: tuple[Shop, Path], way: str
) -> None:
    shop, prefix = copied
    write_distribution(site(prefix), "jax", {"jax.py": way.encode()})
    ran = shop.project.run("verify", "small", "--prefix", str(prefix), "--probe", "jax", "--timeout", "3")
    assert ran.status == 1
    assert "failed at importing jax" in ran.out
    assert "ENV091" in ran.out


def test_a_probe_nobody_knows_is_refused(installed: Shop) -> None:
    ran = installed.project.run("verify", "small", "--probe", "small")
    assert ran.status == 2
    assert "unknown probe `small`; choose from torch, gpu" in ran.said


def test_a_module_that_shadows_is_found(copied: tuple[Shop, Path], tmp_path: Path) -> None:
    shop, prefix = copied
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "torch.py").write_text("", "utf-8")
    shop.project.env["PYTHONPATH"] = str(tmp_path / "path")
    try:
        ran = shop.project.run("verify", "small", "--prefix", str(prefix))
    finally:
        del shop.project.env["PYTHONPATH"]
    assert ran.status == 1
    assert "ENV068" in ran.said


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [(("verify", "--prefix", "nowhere"), "ENV050", 2), (("verify", "none"), "LCK005", 1)],
)
def test_what_is_not_there(installed: Shop, words: tuple[str, ...], code: str, status: int) -> None:
    ran = installed.project.run(*words)
    assert (ran.status, code in ran.said) == (status, True), ran.said
