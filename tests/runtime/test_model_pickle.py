from __future__ import annotations

import collections
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from envsmith.runtime import model_pickle


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


class Thing:
    pass


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_names_are_read_and_nothing_is_run(protocol: int) -> None:
    data = pickle.dumps({"a": Thing(), "b": Malicious(), "c": collections.OrderedDict()}, protocol)
    found = model_pickle.globals_of(data)
    assert {f"{__name__}.Thing", f"{os.name}.system", "collections.OrderedDict"} <= set(found)
    assert model_pickle.is_dangerous(f"{os.name}.system")


def test_a_pickle_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    data = pickle.dumps([Thing(), Malicious()], 2)
    whole = model_pickle.globals_of(data)
    assert model_pickle.globals_of(data[:-10]) == whole[: len(model_pickle.globals_of(data[:-10]))]
    assert f"{__name__}.Thing" in model_pickle.globals_of(data[:-10])
    assert model_pickle.globals_of(b"\xff") == []


def test_what_lies_behind_a_pickle_that_breaks_off_is_no_other(tmp_path: Path) -> None:
    """As in an archive that is cut off: its bytes are no pickle, and what looks like one in them names nothing."""
    place = tmp_path / "broken.pth"
    place.write_bytes(b"PK\x03\x04\x80" + b"q\n" + b"ict\nname\n." + b"PK")
    assert [model_pickle.globals_of(data) for data in model_pickle.pickles(str(place))] == [[]]
    two = [pickle.dumps(value, 2) for value in (Thing(), Malicious())]
    place.write_bytes(b"".join(two))
    assert model_pickle.pickles(str(place))[:2] == sorted(
        two, key=lambda data: -len(model_pickle.globals_of(data))
    )


@pytest.mark.parametrize(
    ("held", "is_whole"),
    [
        (Thing(), True),
        ({"a": Thing()}, False),
        ([Thing()], False),
        ((Thing(),), False),
        ((Thing(), 1, 2, 3, 4), False),
        (collections.OrderedDict(a=1), False),
        (3, False),
    ],
)
def test_an_object_is_told_from_a_dict(held: object, is_whole: bool) -> None:
    assert model_pickle.is_whole_object(pickle.dumps(held, 2)) is is_whole


@pytest.mark.parametrize(
    ("name", "is_dangerous"),
    [
        ("builtins.eval", True),
        ("__builtin__.set", False),
        ("builtins.getattr", True),
        ("oslo.x", False),
        ("os", False),
    ],
)
def test_builtin_types_that_hold_things_are_harmless(name: str, is_dangerous: bool) -> None:
    assert model_pickle.is_dangerous(name) is is_dangerous


def test_devices_are_told_from_other_texts() -> None:
    data = pickle.dumps(["cuda:0", "cuda", "cuda:x", "cudart", "cpu", "mps", 3], 2)
    assert model_pickle.devices(data) == {"cuda:0", "cuda", "mps"}


def test_the_pickles_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"one")
        archive.writestr("a/constants.pkl", b"two")
        archive.writestr("a/data/0", b"three")
    assert model_pickle.pickles(str(path)) == [b"one", b"two"], "that of the object first"
    assert not model_pickle.is_torchscript(str(path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a/code/__torch__.py", b"")
    assert model_pickle.is_torchscript(str(path))
    (tmp_path / "b").write_bytes(b"plain")
    several = [pickle.dumps(part, 2) for part in (3, {"a": 1}, Thing())]
    (tmp_path / "b").write_bytes(b"".join(several) + b"\xffraw")
    assert model_pickle.pickles(str(tmp_path / "b"))[0] == several[2]
    (tmp_path / "b").write_bytes(b"plain")
    assert b"".join(model_pickle.pickles(str(tmp_path / "b"))) == b"plain"
    assert not model_pickle.is_torchscript(str(tmp_path / "b"))


@pytest.mark.parametrize(
    "data",
    [
        # both names come from the memo, after harmless ones were written and thrown away
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x940000h\x00h\x01\x93)R.",
        # harmless names above a mark, which then go
        b"\x80\x04\x8c\x02os\x8c\x06system(\x8c\x0bcollections\x8c\x0bOrderedDict1\x93)R.",
        b"\x80\x04\x8c\x02os\x8c\x06systemN0\x932\x85R.",
        b"(S'true'\nios\nsystem\n.",
        b"cos\nsystem\n(Vtrue\ntR.",
    ],
)
def test_what_is_called_is_named_however_it_is_written(data: bytes) -> None:
    assert "os.system" in model_pickle.globals_of(data)


def test_a_name_that_is_made_while_it_is_read_is_dangerous() -> None:
    (first, second) = model_pickle.globals_of(b"\x80\x04cbuiltins\nstr\n)R\x8c\x06system\x93.")
    assert (first, second) == ("builtins.str", "?.system")
    assert model_pickle.is_dangerous(second)
