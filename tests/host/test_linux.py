"""Linux's files about the machine, as trees of files."""

from __future__ import annotations

from pathlib import Path

from envsmith.host import linux
from envsmith.host.model import Device, Driver
from envsmith.host.parsers import DetectedGpus
from tests.host.host_data import pci, text, tree

KFD = "sys__class__kfd__kfd__topology__nodes"


def test_an_empty_tree_has_nothing(tmp_path: Path) -> None:
    assert linux.pci_devices(tmp_path) == ()
    for found in (linux.amd, linux.nvidia, linux.jetson):
        assert found(tmp_path) == DetectedGpus()
    assert linux.intel(tmp_path, ()) == DetectedGpus()
    assert not linux.has_nvidia(tmp_path, ())
    assert not linux.is_wsl(tmp_path)
    assert not linux.has_musl(tmp_path)


def test_amds_devices_are_those_it_computes_with(tmp_path: Path) -> None:
    tree(
        tmp_path,
        **{
            f"{KFD}__0__properties": text("kfd_cpu.txt"),
            f"{KFD}__1__properties": text("kfd_gfx1102.txt"),
            "sys__class__drm__renderD128__device__mem_info_vram_total": "8573157376\n",
            "sys__class__drm__renderD128__device__product_name": "AMD Radeon PRO W7500\n",
            "sys__module__amdgpu__version": "6.12.12\n",
        },
    )
    assert linux.amd(tmp_path) == DetectedGpus(
        driver=Driver(maker="amd", version="6.12.12"),
        devices=(
            Device(
                maker="amd", name="AMD Radeon PRO W7500", capability="gfx1102", memory_bytes=8_573_157_376
            ),
        ),
    )


def test_amds_device_without_a_product_name_is_called_by_its_instruction_set(tmp_path: Path) -> None:
    tree(tmp_path, **{f"{KFD}__1__properties": "gfx_target_version 90402\n"})
    found = linux.amd(tmp_path)
    assert found.devices == (Device(maker="amd", name="gfx942", capability="gfx942"),)


def test_devices_on_the_bus_are_known_by_their_ids(tmp_path: Path) -> None:
    pci(tmp_path, "0000:00:02.0", "0x030000", "0x8086", "0x56a0")
    pci(tmp_path, "0000:00:03.0", "0x020000", "0x8086", "0x1533")
    pci(tmp_path, "0000:01:00.0", "0x030000", "0x10de", "0x2c02")
    found = linux.pci_devices(tmp_path)
    assert [device.pci for device in found] == ["8086:56a0", "10de:2c02"]
    assert linux.has_nvidia(tmp_path, found)
    assert linux.intel(tmp_path, found) == DetectedGpus(devices=found[:1])
    (tmp_path / "sys/module/xe").mkdir(parents=True)
    assert linux.intel(tmp_path, found).driver == Driver(maker="intel")


def test_nvidias_kernel_module_tells_version_and_names(tmp_path: Path) -> None:
    tree(
        tmp_path,
        proc__driver__nvidia__version=text("nvrm_version.open.txt"),
        proc__driver__nvidia__gpus__0000_colon_01__information=text("nvidia_information.txt"),
        dev__nvidiactl="",
    )
    assert linux.has_nvidia(tmp_path, ())
    assert linux.nvidia(tmp_path) == DetectedGpus(
        driver=Driver(maker="nvidia", version="580.65.06"),
        devices=(Device(maker="nvidia", name="NVIDIA GeForce RTX 4090"),),
    )


def test_a_container_without_the_devices_has_no_driver(tmp_path: Path) -> None:
    tree(tmp_path, proc__driver__nvidia__version=text("nvrm_version.txt"))
    assert linux.nvidia(tmp_path).driver is None


def test_a_jetson_is_named_by_its_board(tmp_path: Path) -> None:
    tree(tmp_path, **{"proc__device-tree__model": text("device_tree_model.thor.txt")})
    board = linux.jetson(tmp_path)
    assert board.devices == (Device(maker="nvidia", name="Jetson AGX Thor"),)
    told = DetectedGpus(devices=(Device(maker="nvidia", name="NVIDIA Thor", capability=(11, 0)),))
    untold = DetectedGpus(
        driver=Driver(maker="nvidia", cuda=(12, 6)), devices=(Device(maker="nvidia", name="Orin (nvgpu)"),)
    )
    assert linux.with_board_name(told, board) == told
    assert linux.with_board_name(untold, board) == DetectedGpus(driver=untold.driver, devices=board.devices)
    assert linux.with_board_name(untold, DetectedGpus()) == untold


def test_the_bus_names_devices_where_a_source_names_none() -> None:
    device = Device(maker="nvidia", name="", pci="10de:2c02")
    assert linux.with_pci_devices(DetectedGpus(), (device,)) == DetectedGpus(devices=(device,))
    assert linux.with_pci_devices(DetectedGpus(devices=(device,)), ()) == DetectedGpus(devices=(device,))


def test_wsl_and_musl_are_seen(tmp_path: Path) -> None:
    tree(tmp_path, proc__version=text("proc_version.wsl.txt"), **{"lib__ld-musl-x86_64.so.1": ""})
    assert linux.is_wsl(tmp_path)
    assert linux.has_musl(tmp_path)


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    assert linux.read_text(tmp_path) == ""
    assert linux.read_text(tmp_path / "missing") == ""
    large = tmp_path / "large"
    large.write_text("x" * 200_000, "utf-8")
    assert len(linux.read_text(large)) == linux.MOST_BYTES
