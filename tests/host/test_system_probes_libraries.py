from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.host.system_probes import find_libraries
from tests.host.host_data import tree


def test_a_bare_machine(tmp_path: Path) -> None:
    found = find_libraries(tmp_path, {"PATH": "/usr/bin"})
    assert (found.ffmpeg, found.has_libgl, found.toolkits) == ((), False, ())


def test_debian_with_everything(tmp_path: Path) -> None:
    tree(
        tmp_path,
        **{
            "usr__lib__x86_64-linux-gnu__libavutil.so.57": "",
            "usr__lib__x86_64-linux-gnu__libavutil.so.57.28.100": "",
            "usr__lib__x86_64-linux-gnu__libGL.so.1": "",
            "usr__local__cuda-12.4__version.json": "",
            "usr__local__cuda-11.8__version.json": "",
            "usr__local__cuda__version.json": "",
        },
    )
    found = find_libraries(tmp_path, {})
    assert (found.ffmpeg, found.has_libgl, found.toolkits) == (("5",), True, ("11.8", "12.4"))


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("usr__lib64__libavutil.so.60", "8"),
        ("opt__homebrew__lib__libavutil.59.dylib", "7"),
        ("usr__lib__libavutil.so.99", "libavutil 99"),
    ],
)
def test_other_places_and_versions(tmp_path: Path, name: str, version: str) -> None:
    assert find_libraries(tree(tmp_path, **{name: ""}), {}).ffmpeg == (version,)


def test_toolkits_of_windows(tmp_path: Path) -> None:
    variables = {"CUDA_PATH": r"C:\CUDA\v12.4", "CUDA_PATH_V12_4": r"C:\CUDA\v12.4", "CUDA_PATH_V11_8": "x"}
    assert find_libraries(tmp_path, variables).toolkits == ("11.8", "12.4")
