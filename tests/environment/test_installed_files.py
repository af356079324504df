from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from envsmith.environment import installed_files
from tests.site_packages import layout_of, write_distribution


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


def seen(site: Path, *before: Path, **values: Any) -> dict[str, Any]:
    return installed_files.inspect(layout_of(site, **values), [str(path) for path in before])


def test_nothing_is_found_where_all_is_well(site: Path) -> None:
    write_distribution(site, "one", {"one/__init__.py": b"1"})
    write_distribution(site, "two", {"two/__init__.py": b"2"})
    found = seen(site)
    assert (found["overlaps"], found["halves"], found["origins"], found["shadows"]) == ([], [], {}, [])


def test_an_environment_without_its_folder_contains_nothing(site: Path) -> None:
    found = seen(site)
    shutil.rmtree(site)
    assert seen(site) == found


def test_different_bytes_under_one_path_and_equal_ones(site: Path) -> None:
    write_distribution(
        site, "opencv-python", {"cv2/__init__.py": b"a", "cv2/cv2.so": b"b", "shared/__init__.py": b""}
    )
    write_distribution(
        site,
        "opencv-python-headless",
        {"cv2/__init__.py": b"x", "cv2/cv2.so": b"y", "shared/__init__.py": b""},
    )
    assert seen(site)["overlaps"] == [
        {
            "owners": ["opencv-python", "opencv-python-headless"],
            "count": 2,
            "paths": ["cv2/__init__.py", "cv2/cv2.so"],
        }
    ]


def test_what_broke_off(site: Path) -> None:
    (site / "~umpy").mkdir()
    write_distribution(site, "one", {"one/__init__.py": b"1"})
    (site / "one-1.0.dist-info" / "METADATA").unlink()
    assert [item["folder"] for item in seen(site)["halves"]] == ["~umpy", "one-1.0.dist-info"]


@pytest.mark.parametrize(
    ("direct_url", "kind", "sha256"),
    [
        ({"url": "file:///src", "dir_info": {"editable": True}}, "folder", ""),
        ({"url": "https://example.org/a.git", "vcs_info": {"vcs": "git"}}, "vcs", ""),
        ({"url": "https://example.org/a.whl", "archive_info": {"hash": "sha256=ab"}}, "archive", "ab"),
        ({"url": "https://example.org/a.whl", "archive_info": {"hashes": {"sha256": "cd"}}}, "archive", "cd"),
    ],
)
def test_where_it_came_from(site: Path, direct_url: object, kind: str, sha256: str) -> None:
    write_distribution(site, "one", {"one/__init__.py": b"1"})
    (site / "one-1.0.dist-info" / "direct_url.json").write_text(json.dumps(direct_url), "utf-8")
    found = seen(site)["origins"]["one"]
    assert (found["kind"], found["sha256"]) == (kind, sha256)


def test_a_damaged_origin_is_none(site: Path) -> None:
    write_distribution(site, "one", {"one/__init__.py": b"1"})
    (site / "one-1.0.dist-info" / "direct_url.json").write_text("{", "utf-8")
    assert seen(site)["origins"] == {}


def test_builds_are_read_from_the_files(site: Path) -> None:
    write_distribution(
        site, "torch", {"torch/version.py": b"__version__ = '2.15.0+cu132'\ncuda: str = '13.2'\n"}
    )
    write_distribution(site, "torchaudio", {"torchaudio/version.py": b'__version__: str = "2.11.0+cu130"\n'})
    assert seen(site)["builds"] == {"torch": "2.15.0+cu132", "torchaudio": "2.11.0+cu130"}


def test_modules_that_come_before(site: Path, tmp_path: Path) -> None:
    write_distribution(site, "one", {"one/__init__.py": b"1", "single.py": b"", "tests/__init__.py": b""})
    project = tmp_path / "project"
    for name in ("one", "tests"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text("", "utf-8")
    (project / "single.py").write_text("", "utf-8")
    (project / "two.py").write_text("", "utf-8")
    assert [item["module"] for item in seen(site, project, site)["shadows"]] == ["one", "single"]


def test_a_project_does_not_shadow_what_was_installed_from_it(site: Path, tmp_path: Path) -> None:
    info = write_distribution(site, "one", {"one/__init__.py": b"1"})
    project = tmp_path / "my project"
    (project / "one").mkdir(parents=True)
    (project / "one" / "__init__.py").write_text("", "utf-8")
    assert [item["module"] for item in seen(site, project)["shadows"]] == ["one"]
    (info / "direct_url.json").write_text(json.dumps({"url": project.as_uri(), "dir_info": {}}), "utf-8")
    assert seen(site, project)["shadows"] == []


def test_code_that_nobody_owns(site: Path) -> None:
    write_distribution(site, "one", {"one/__init__.py": b"1", "one/part/a.so": b"2", "single.py": b""})
    for name in (
        "one/more.py",
        "one/lib.so.3",
        "loose.py",
        "loose.pth",
        "whole/a/b.py",
        "_virtualenv.py",
        "~gone/a.py",
        "start.pyc",
    ):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("", "utf-8")
    for name in (
        "one/data.txt",
        "one/gen_py/made.py",
        "one/__pycache__/a.py",
        "__pycache__/single.cpython-311.pyc",
        "notes.txt",
    ):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("", "utf-8")
    found = {item["path"]: item["owners"] for item in seen(site)["strays"]}
    assert found == {
        "loose.pth": [],
        "loose.py": [],
        str(Path("one/lib.so.3")): ["one"],
        str(Path("one/more.py")): ["one"],
        "start.pyc": [],
        "whole": [],
    }


def test_whose_record_was_cut_may_be_the_owner(site: Path) -> None:
    for name, module in (("torch", "torch"), ("opencv-python", "cv2")):
        info = write_distribution(site, name, {f"{module}/__init__.py": b""})
        rows = (info / "RECORD").read_text("utf-8").splitlines(keepends=True)
        (info / "RECORD").write_text("".join(row for row in rows if row.startswith(info.name)), "utf-8")
        (info / "top_level.txt").write_text(f"{module}\n", "utf-8")
    found = {item["path"]: item["owners"] for item in seen(site)["strays"]}
    assert found == {"cv2": ["opencv-python"], "torch": ["torch"]}


def test_programs_that_start_another_places_python(site: Path) -> None:
    here, gone = site / "python3", "/srv/old place/.venv/bin/python3.11"
    write_distribution(
        site,
        "one",
        {
            "plain": f"#!{gone}\nimport one\n".encode(),
            "long": f"#!/bin/sh\n'''exec' '{gone}' \"$0\" \"$@\"\n' '''\nimport one\n".encode(),
            "own": f"#!{here}\n".encode(),
            "own-long": f"#!/bin/sh\n'''exec' {here} \"$0\" \"$@\"\n' '''\n".encode(),
            "by-name": b"#!/usr/bin/env python3\n",
            "beside": b'#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python3\' "$0" "$@"\n',
            "shell": b"#!/bin/bash\necho /usr/bin/python \n",
            "binary": b"\x7fELF\0\0",
            "one/data": f"#!{gone}\n".encode(),
        },
    )
    found = [(item["program"], item["owner"], item["python"]) for item in seen(site)["elsewhere"]]
    assert found == [("plain", "one", gone), ("long", "one", gone)]
    # No environment: a system's programs may lie anywhere.
    assert seen(site, is_virtual=False)["elsewhere"] == []


def test_what_no_program_loads_may_differ(site: Path) -> None:
    write_distribution(site, "one", {"one/__init__.py": b"1", "tests/__init__.py": b"1", "LICENSE": b"1"})
    write_distribution(site, "two", {"two/__init__.py": b"2", "tests/__init__.py": b"2", "LICENSE": b"2"})
    assert seen(site)["overlaps"] == []
