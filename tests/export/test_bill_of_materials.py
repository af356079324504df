from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from envsmith.export.formats import BillComponent, BillOfMaterials


def test_a_bill_is_a_value() -> None:
    item = BillComponent(name="x", version="1", filename="x-1-py3-none-any.whl", sha256="0", url="u")
    bill = BillOfMaterials(name="p/t", digest="d", made_utc="2026-11-20T09:00:00Z", components=(item,))
    assert bill == BillOfMaterials(
        name="p/t", digest="d", made_utc="2026-11-20T09:00:00Z", components=(item,)
    )
    assert item.licence is None, "nobody knows it until somebody says it"
    with pytest.raises(FrozenInstanceError):
        bill.name = "other"  # type: ignore[misc]
