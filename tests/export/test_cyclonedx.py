from __future__ import annotations

import builtins
import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from envsmith.errors import ToolError
from envsmith.export.cyclonedx import to_json
from envsmith.export.formats import BillComponent, BillOfMaterials
from envsmith.model.license import PackageLicense

LICENCES = {
    "plain": PackageLicense(expression="MIT"),
    "both": PackageLicense(expression="MIT OR Apache-2.0"),
    "own": PackageLicense(expression="LicenseRef-NVIDIA-Proprietary"),
    "nvidia": PackageLicense(name="NVIDIA Proprietary Software"),
    "named": PackageLicense(name="BSD-3-Clause"),
    "silent": PackageLicense(),
    "unread": None,
}


def ingredient(name: str, licence: PackageLicense | None) -> BillComponent:
    return BillComponent(
        name=name,
        version="1.0+cu128",
        filename=f"{name}-1.0+cu128-py3-none-any.whl",
        sha256="ab" * 32,
        url=f"https://download.example/cu128/{name}-1.0%2Bcu128-py3-none-any.whl",
        index="https://download.example/cu128" if name == "plain" else "",
        licence=licence,
    )


BILL = BillOfMaterials(
    name="p/cp312-win_amd64",
    digest="00",
    made_utc="2026-11-20T09:00:00Z",
    facts=(("backend", "cu128"),),
    components=tuple(ingredient(name, licence) for name, licence in LICENCES.items()),
)


def components(text: str) -> dict[str, Any]:
    return {item["name"]: item for item in json.loads(text)["components"]}


def test_valid_by_its_schema_and_the_same_every_time() -> None:
    text = to_json(BILL)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert to_json(BILL) == text
    found = json.loads(text)
    assert found["metadata"]["timestamp"] == "2026-11-20T09:00:00+00:00"
    assert found["metadata"]["component"]["properties"] == [{"name": "envsmith:backend", "value": "cu128"}]


def test_licences_are_what_was_declared() -> None:
    found = {name: item["licenses"][0] for name, item in components(to_json(BILL)).items()}
    declared = {"acknowledgement": "declared"}
    assert found == {
        "plain": {"license": {**declared, "id": "MIT"}},
        "both": {**declared, "expression": "MIT OR Apache-2.0"},
        "own": {**declared, "expression": "LicenseRef-NVIDIA-Proprietary"},
        "nvidia": {"license": {**declared, "name": "NVIDIA Proprietary Software"}},
        "named": {"license": {**declared, "id": "BSD-3-Clause"}},
        "silent": {"license": {"name": "NOASSERTION"}},
        "unread": {"license": {"name": "NOASSERTION"}},
    }


def test_each_file_has_its_hash_and_origin() -> None:
    item = components(to_json(BILL))["plain"]
    sha256 = {"alg": "SHA-256", "content": "ab" * 32}
    assert item["hashes"] == [sha256]
    url = "https://download.example/cu128/plain-1.0%2Bcu128-py3-none-any.whl"
    assert item["externalReferences"] == [{"type": "distribution", "url": url, "hashes": [sha256]}]
    assert item["purl"].startswith("pkg:pypi/plain@1.0%2Bcu128?file_name=plain-1.0%2Bcu128-py3-none-any.whl&")
    assert item["purl"].endswith("repository_url=https://download.example/cu128")
    assert "repository_url" not in components(to_json(BILL))["both"]["purl"]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *words: Any, **more: Any) -> Any:
        if name.startswith("cyclonedx"):
            raise ImportError(name)
        return real(name, *words, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ToolError) as caught:
        to_json(BILL)
    assert caught.value.code == "TOL056"
    assert 'pip install "cyclonedx-python-lib>=' in caught.value.hint, "not PyPI's envsmith, another project"
