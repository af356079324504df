from __future__ import annotations

import json

import pytest

from envsmith.environment.generation import Generation, is_id
from tests.values import HEX


def generation(id_: str = "cu128-7c1e2a", **more: object) -> Generation:
    values: dict[str, object] = {
        "id": id_,
        "profile": "cu128",
        "target": "cp312-manylinux_2_28_x86_64",
        "lock_sha256": HEX,
        "torch": "2.11.0+cu128",
        "python": "3.12.4",
        "base": "/opt",
        "folders": ("torch-2.11.0+cu128.dist-info",),
        "site": "lib/python3.12/site-packages",
        "files": 3,
        "built_utc": "2026-11-21T12:00:00Z",
        "family": {"torch": "2.11.0+cu128"},
        **more,
    }
    return Generation(**values)  # type: ignore[arg-type]


def test_a_record_reads_back() -> None:
    for one in (generation(), generation(tried=("import torch",), compiled=True, place="/srv/app")):
        assert Generation.from_json(one.to_json()) == one


def test_a_record_from_before_checks_were_noted_reads() -> None:
    values = json.loads(generation().to_json())
    for name in ("tried", "compiled", "place"):
        del values[name]
    assert Generation.from_json(json.dumps(values)) == generation()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": 2}', '{"form": 1}', '{"form": 1, "folders": 3}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"malformed record|another format version|Expecting value"):
        Generation.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        *(
            {"built_utc": 5},
            {"torch": None},
            {"place": ["a"]},
            {"place": "\0"},
            {"site": "\0"},
            {"python": 3},
        ),
        *({"files": "x"}, {"tried": [[1]]}, {"folders": [1]}, {"family": [1]}, {"family": {"torch": 5}}),
    ],
)
def test_a_record_with_a_value_of_another_type_is_refused(change: dict[str, object]) -> None:
    text = json.dumps({**json.loads(generation().to_json()), **change})
    with pytest.raises(ValueError, match="malformed record"):
        Generation.from_json(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("cu128-7c1e2a", True),
        ("cu128-nightly-rtx50-7c1e2a-2", True),
        ("cu128", False),
        ("../cu128-7c1e2a", False),
        ("cu128-7c1e2a-failed-20261121T120000Z", False),
    ],
)
def test_names_of_generations(text: str, *, is_one: bool) -> None:
    assert is_id(text) is is_one
