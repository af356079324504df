"""What machines print, read; and that nothing they could print does harm."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.host import parsers
from envsmith.host.model import Device, Driver, Host
from envsmith.host.parsers import DetectedGpus
from tests.host.host_data import text

H200 = Device(maker="nvidia", name="NVIDIA H200", capability=(9, 0), memory_bytes=150_754_820_096)


def test_the_probe_is_read() -> None:
    assert parsers.parse_probe(text("probe_nvml.json")) == DetectedGpus(
        driver=Driver(maker="nvidia", version="580.65.06", cuda=(13, 0)), devices=(H200,)
    )


def test_a_probe_that_knows_no_driver_version_tells_the_cuda_it_serves() -> None:
    found = parsers.parse_probe('{"driver": "", "cuda": 12060, "devices": []}')
    assert found == DetectedGpus(driver=Driver(maker="nvidia", cuda=(12, 6)))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"driver": "1", "cuda": 1}',
        '{"driver": "1", "cuda": "x", "devices": []}',
        '{"driver": "1", "cuda": Infinity, "devices": []}',
        '{"driver": "1", "cuda": 1, "devices": [{}]}',
        '{"driver": "1", "cuda": 1, "devices": [{"name": "x", "capability": [9], "memory": 1}]}',
        '{"driver": "1", "cuda": 1, "devices": 3}',
        "[" * 100_000,
    ],
)
def test_what_is_no_answer_of_the_probe_is_nothing(answer: str) -> None:
    assert parsers.parse_probe(answer) == DetectedGpus()


def test_nvidia_smi_is_read_with_and_without_compute_capability() -> None:
    assert parsers.parse_smi(text("smi_query.txt")) == DetectedGpus(
        driver=Driver(maker="nvidia", version="570.86.15"),
        devices=(
            Device(maker="nvidia", name="NVIDIA TITAN V", capability=(7, 0), memory_bytes=12288 << 20),
            Device(
                maker="nvidia",
                name="NVIDIA RTX 5880 Ada Generation",
                capability=(8, 9),
                memory_bytes=49140 << 20,
            ),
        ),
    )
    assert parsers.parse_smi(text("smi_query.470.txt")) == DetectedGpus(
        driver=Driver(maker="nvidia", version="470.182.03"),
        devices=(Device(maker="nvidia", name="Tesla K80", memory_bytes=11441 << 20),),
    )


def test_nvidia_smi_without_memory_or_capability_tells_the_rest() -> None:
    found = parsers.parse_smi("NVIDIA GB10, [N/A], [N/A], 580.95.05\n")
    assert found.devices == (Device(maker="nvidia", name="NVIDIA GB10"),)


@pytest.mark.parametrize(
    "answer",
    [
        text("smi_failed.txt"),
        "No devices were found\n",
        'Field "compute_cap" is not a valid field to query.\n',
        "",
        "a, b, c, d\n",
    ],
)
def test_what_nvidia_smi_says_in_trouble_is_nothing(answer: str) -> None:
    assert parsers.parse_smi(answer) == DetectedGpus()


def test_the_cuda_a_driver_serves_stands_in_the_head() -> None:
    assert parsers.parse_smi_cuda(text("smi_head.570.txt")) == (12, 8)
    assert parsers.parse_smi_cuda("| CUDA UMD Version: 13.0 |") == (13, 0)
    assert parsers.parse_smi_cuda("CUDA Version: N/A") is None


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("nvrm_version.txt", "550.54.15"),
        ("nvrm_version.open.txt", "580.65.06"),
        ("proc_version.linux.txt", ""),
    ],
)
def test_the_kernel_module_tells_its_version(name: str, version: str) -> None:
    assert parsers.kernel_module(text(name)) == version


def test_the_kernel_module_tells_the_model() -> None:
    assert parsers.gpu_model(text("nvidia_information.txt")) == "NVIDIA GeForce RTX 4090"
    assert parsers.gpu_model("Model: \nIRQ: 1\n") == ""


def test_kfd_lists_numbers() -> None:
    found = parsers.kfd_properties(text("kfd_gfx1102.txt"))
    assert found["gfx_target_version"] == 110002
    assert found["drm_render_minor"] == 128
    assert parsers.kfd_properties("a\nb c\nd 1 2\ne 5\n") == {"e": 5}


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (110000, "gfx1100"),
        (110002, "gfx1102"),
        (90010, "gfx90a"),
        (90402, "gfx942"),
        (90500, "gfx950"),
        (120001, "gfx1201"),
        (110501, "gfx1151"),
        (80003, "gfx803"),
        (0, ""),
        (16, ""),
        (91799, ""),
    ],
)
def test_kfds_number_names_the_instruction_set(target: int, name: str) -> None:
    assert parsers.instruction_set(target) == name


@pytest.mark.parametrize(
    ("values", "device"),
    [
        (("0x030000\n", "0x10de\n", "0x2c02\n"), Device(maker="nvidia", name="", pci="10de:2c02")),
        (("0x030200", "0x10de", "0x2335"), Device(maker="nvidia", name="", pci="10de:2335")),
        (("0x120000", "0x1002", "0x74a1"), Device(maker="amd", name="", pci="1002:74a1")),
        (("0x038000", "0x8086", "0x0bd5"), Device(maker="intel", name="", pci="8086:0bd5")),
        (("0x030000", "0x8086", "0x56A0"), Device(maker="intel", name="", pci="8086:56a0")),
        (("0x040300", "0x10de", "0x22e9"), None),  # its sound
        (("0x030000", "0x1a03", "0x2000"), None),
        (("", "", ""), None),
        (("0x030000", "0x8086", "x"), None),
    ],
)
def test_gpus_on_the_bus_are_told_from_other_devices(
    values: tuple[str, str, str], device: Device | None
) -> None:
    assert parsers.pci_device(*values) == device


def test_a_device_of_this_very_machine_is_no_gpu() -> None:
    kind, vendor, device = text("pci_network.txt").splitlines()
    assert parsers.pci_device(kind, vendor, device) is None


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (text("device_tree_model.thor.txt"), "Jetson AGX Thor"),
        ("NVIDIA Jetson AGX Orin Developer Kit\0", "Jetson AGX Orin"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0", "Jetson Orin Nano"),
        ("NVIDIA Jetson Xavier NX Developer Kit", "Jetson Xavier NX"),
        ("Raspberry Pi 5 Model B Rev 1.0\0", ""),
        ("", ""),
    ],
)
def test_a_jetson_is_known_by_its_board(model: str, name: str) -> None:
    assert parsers.jetson_name(model) == name


def test_wsl_is_known_by_its_kernel() -> None:
    assert parsers.is_wsl(text("proc_version.wsl.txt"))
    assert not parsers.is_wsl(text("proc_version.linux.txt"))


@pytest.mark.parametrize(
    ("said", "release"), [("glibc 2.36", (2, 36)), ("glibc 2.17\n", (2, 17)), ("musl", None), ("", None)]
)
def test_glibc_tells_its_release(said: str, release: tuple[int, int] | None) -> None:
    assert parsers.glibc_release(said) == release


@pytest.mark.parametrize(
    ("said", "release"),
    [("14.5", (14, 5)), ("15", (15, 0)), ("26.0.1", (26, 0)), ("", (0, 0)), ("x", (0, 0))],
)
def test_macos_tells_its_release(said: str, release: tuple[int, int]) -> None:
    assert parsers.system_release(said) == release


def test_the_registry_lists_adapters() -> None:
    entries = [
        {
            "MatchingDeviceId": r"pci\ven_10de&dev_2c02&subsys_53001462",
            "DriverDesc": "NVIDIA GeForce RTX 5080",
            "DriverVersion": "32.0.15.7216",
            "HardwareInformation.qwMemorySize": 17_094_934_528,
        },
        {
            "MatchingDeviceId": r"PCI\VEN_8086&DEV_E20B",
            "DriverDesc": "Intel(R) Arc(TM) B580 Graphics",
            "DriverVersion": "32.0.101.6458",
        },
        {"MatchingDeviceId": r"ROOT\BasicDisplay", "DriverDesc": "Microsoft Basic Display Adapter"},
        {},
    ]
    nvidia, intel = parsers.registry_adapters(entries)  # type: ignore[arg-type]
    assert nvidia.driver == Driver(maker="nvidia", version="572.16")
    assert nvidia.devices[0].name == "NVIDIA GeForce RTX 5080"
    assert nvidia.devices[0].memory_bytes == 17_094_934_528
    assert intel.devices[0].pci == "8086:e20b"
    assert intel.driver == Driver(maker="intel", version="32.0.101.6458")


@pytest.mark.parametrize(
    ("windows", "version"),
    [
        ("32.0.15.7216", "572.16"),
        ("31.0.15.5222", "552.22"),
        ("32.0.15.8097", "580.97"),
        ("1.2", ""),
        ("", ""),
    ],
)
def test_windows_hides_the_drivers_number_in_its_own(windows: str, version: str) -> None:
    assert parsers.nvidia_version(windows) == version


# Whatever a driver or a kernel prints, reading it neither fails nor makes a machine that cannot be written down.
LINES = st.text(st.characters() | st.sampled_from(",.:| \t\n0123456789[]{}\"'x\0\x1b"), max_size=400)


def written(*found: DetectedGpus) -> None:
    host = Host(
        os="linux",
        machine="x86_64",
        drivers=tuple(item.driver for item in found if item.driver),
        devices=tuple(device for item in found for device in item.devices),
    )
    assert Host.from_json(json.dumps(host.to_json())) == host
    assert str(host).isprintable()


@given(LINES)
def test_no_text_of_nvidia_smi_does_harm(said: str) -> None:
    written(parsers.parse_smi(said), parsers.parse_probe(said))
    served = parsers.parse_smi_cuda(said)
    assert served is None or len(served) == 2


@given(st.lists(st.tuples(LINES, LINES, LINES)), st.sampled_from(["580.65.06", "", "x", "[N/A]"]))
def test_no_row_of_nvidia_smi_does_harm(rows: list[tuple[str, str, str]], version: str) -> None:
    written(parsers.parse_smi("\n".join(", ".join((*row, version)) for row in rows)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {
            "driver": JSON | st.just("580.65.06"),
            "cuda": JSON | st.integers(0, 20000),
            "devices": JSON
            | st.lists(
                st.fixed_dictionaries(
                    {
                        "name": JSON,
                        "capability": JSON | st.lists(st.integers(), max_size=3),
                        "memory": JSON,
                    }
                ),
                max_size=3,
            ),
        }
    )
)
def test_no_answer_of_the_probe_does_harm(answer: object) -> None:
    written(parsers.parse_probe(json.dumps(answer)))


@given(LINES)
def test_no_text_of_the_kernel_does_harm(said: str) -> None:
    assert all(value >= 0 for value in parsers.kfd_properties(said).values())
    assert parsers.kernel_module(said) == "" or parsers.kernel_module(said)[0].isdigit()
    assert parsers.gpu_model(said).isprintable()
    assert parsers.jetson_name(said).isprintable()
    assert parsers.system_release(said) >= (0, 0)
    assert parsers.is_wsl(said) in (True, False)
    assert parsers.glibc_release(said) is None or said.strip().startswith("glibc")


@given(st.integers(-(10**9), 10**9))
def test_no_number_of_kfd_does_harm(target: int) -> None:
    assert parsers.instruction_set(target) == "" or parsers.instruction_set(target).startswith("gfx")


@given(LINES, LINES, LINES)
def test_no_value_of_sysfs_does_harm(kind: str, vendor: str, device: str) -> None:
    found = parsers.pci_device(kind, vendor, device)
    assert found is None or found.pci


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["MatchingDeviceId", "DriverDesc", "DriverVersion"]), JSON | LINES)
    )
)
def test_no_entry_of_the_registry_does_harm(entries: list[dict[str, object]]) -> None:
    written(*parsers.registry_adapters(entries))  # type: ignore[arg-type]
