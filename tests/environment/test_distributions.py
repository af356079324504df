from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from envsmith.environment.distributions import Wheels, list_distributions, torch_build
from envsmith.environment.model import Distribution, TorchBuild
from envsmith.index.remote_wheels import WheelReader
from envsmith.lockfile.pins import Pin
from tests.install.made import Made, made, made_torch
from tests.site_packages import layout_of


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


def unpack(site: Path, wheel: Made) -> Path:
    """Put a wheel's files where it would be installed, and return the folder."""
    zipfile.ZipFile(io.BytesIO(wheel.body)).extractall(site)
    return site


def seen(site: Path, *, deep: bool = False, wheels: Wheels | None = None) -> tuple[Distribution, ...]:
    return list_distributions(layout_of(site), with_hashes=deep, wheels=wheels or {})


def test_an_empty_environment_holds_nothing(site: Path) -> None:
    assert seen(site) == ()
    assert torch_build(layout_of(site)) is None


def test_distributions_and_the_build_of_torch_are_told_without_importing_it(site: Path) -> None:
    unpack(site, made("typing-extensions", "4.1"))
    torch = made_torch("2.20.0+cu134", cuda="13.4")
    folder = unpack(site, torch)
    (folder / "torch" / "__init__.py").write_text("raise SystemExit('imported')\n", "utf-8")
    found = seen(site)
    assert [(item.name, item.version) for item in found] == [
        ("torch", "2.20.0+cu134"),
        ("typing-extensions", "4.1"),
    ]
    assert torch_build(layout_of(site)) == TorchBuild(version="2.20.0+cu134", cuda="13.4")
    assert found[0].changed == (str(Path("torch", "__init__.py")),)


def test_missing_and_changed_files_are_named(site: Path) -> None:
    folder = unpack(site, made("many", "1", {f"many/{n:02}.py": b"x = 1\n" for n in range(30)}))
    for number in range(25):
        (folder / "many" / f"{number:02}.py").unlink()
    (folder / "many" / "25.py").write_bytes(b"x = 1")
    (folder / "many" / "26.py").write_bytes(b"x = 2\n")
    (item,) = seen(site)
    assert (item.missing_count, len(item.missing)) == (25, 20)
    assert item.missing[0] == str(Path("many", "00.py"))
    assert item.changed == (str(Path("many", "25.py")),), "one of another size"
    (item,) = seen(site, deep=True)
    assert item.changed == (str(Path("many", "25.py")), str(Path("many", "26.py")))
    assert item.files == 33


def test_a_distribution_without_its_lists_is_told_as_such(site: Path) -> None:
    folder = unpack(site, made("bare", "1"))
    for name in ("RECORD", "METADATA"):
        (folder / "bare-1.dist-info" / name).unlink()
    (item,) = seen(site)
    assert (item.name, item.version, item.has_record) == ("bare", "1", False)


def test_what_python_compiled_may_be_cleared(site: Path) -> None:
    folder = unpack(site, made("once", "1"))
    record = folder / "once-1.dist-info" / "RECORD"
    rows = "once/__pycache__/__init__.cpython-311.pyc,,\nonce/lone.pyc,,\n"
    record.write_text(record.read_text("utf-8") + rows, "utf-8")
    (item,) = seen(site, deep=True)
    assert item.missing == (str(Path("once", "lone.pyc")),), "what was installed without its source is needed"


def test_files_of_two_that_no_program_loads_may_be_those_of_either(site: Path) -> None:
    for name in ("one", "two"):
        files = {
            "both/__init__.py": name.encode(),
            "tests/__init__.py": name.encode() * 2,
            "LICENSE": b"by " + name.encode(),
        }
        unpack(site, made(name, "1", files))
    site = unpack(site, made("alone", "1", {"tests/alone.py": b"1", "alone/__init__.py": b"1"}))
    (site / "tests" / "alone.py").write_bytes(b"2")
    found = {item.name: item.changed for item in seen(site, deep=True)}
    assert found == {
        "alone": (str(Path("tests", "alone.py")),),
        "one": (str(Path("both", "__init__.py")),),
        "two": (),
    }


def wheels_of(tmp_path: Path, *wheels: Made) -> Wheels:
    """Return the lists of files as they are read from a wheelhouse."""
    pins = []
    for wheel in wheels:
        (tmp_path / wheel.filename).write_bytes(wheel.body)
        pins.append(Pin(name=wheel.name, version=wheel.version, sha256=(wheel.sha256,)))
    found = WheelReader(tmp_path / "cache", is_offline=True).local(tmp_path, pins)
    return {pin.name: found[pin.sha256[0]] for pin in pins}


def test_files_other_than_in_the_wheel_are_named(site: Path, tmp_path: Path) -> None:
    wheel = made("one", "1", {"one/__init__.py": b"one = 1\n", "one/b.py": b"b = 1\n", "one/c.py": b""})
    wheels = wheels_of(tmp_path, wheel)
    unpack(site, wheel)
    (item,) = seen(site, deep=True, wheels=wheels)
    assert (item.differing, item.missing, item.is_listed) == ((), (), True)
    changed = made("one", "1", {"one/__init__.py": b"one = 2\n", "one/b.py": b"b = 10\n", "one/d.py": b""})
    unpack(site, changed)
    (site / "one" / "c.py").unlink()
    (item,) = seen(site, wheels=wheels)
    assert item.differing == (str(Path("one", "b.py")), str(Path("one", "d.py")))
    assert item.missing == (str(Path("one", "c.py")),)
    (item,) = seen(site, deep=True, wheels=wheels)
    assert item.differing[0] == str(Path("one", "__init__.py"))
    assert seen(site, deep=True)[0].differing == ()


def test_a_wheel_with_another_hash_is_not_listed(tmp_path: Path) -> None:
    wheel = made("one")
    (tmp_path / wheel.filename).write_bytes(wheel.body)
    pin = Pin(name="one", version="1.0", sha256=("0" * 64,))
    assert WheelReader(tmp_path / "cache", is_offline=True).local(tmp_path, [pin]) == {}


def test_files_of_the_environment_itself_are_named(site: Path) -> None:
    info = unpack(site, made("one")) / "one-1.0.dist-info"
    names = ("pyvenv.cfg", "python3.11", "activate.fish", "activate-global-python-argcomplete", "tool")
    with (info / "RECORD").open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name},,\n" for name in names)
    (item,) = seen(site)
    assert item.replaced == ("activate.fish", "python3.11", "pyvenv.cfg")


@pytest.mark.skipif(os.name == "nt", reason="makes a pipe")
def test_a_pipe_or_device_in_a_record_is_not_waited_for(site: Path) -> None:
    info = unpack(site, made("one")) / "one-1.0.dist-info"
    os.mkfifo(site / "pipe")
    os.mkfifo(site / "torch.pth")
    with (info / "RECORD").open("a", encoding="utf-8") as stream:
        stream.write(f"pipe,sha256=abc,\n{os.path.relpath('/dev/zero', site)},sha256=abc,\nnul\0,,\n²,,²\n")
    (item,) = seen(site, deep=True)
    assert item.missing_count == 4
    (info / "RECORD").unlink()
    os.mkfifo(info / "RECORD")
    assert not seen(site)[0].has_record
