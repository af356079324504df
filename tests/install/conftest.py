from __future__ import annotations

from pathlib import Path

import pytest

from tests.install.made import Shop, made, made_torch


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with two torches and something beside them, the older torch locked."""
    shop = Shop.opened(tmp_path)
    shop.stock(made_torch("2.19.0+cpu"), made_torch("2.20.0+cpu"), made("beside"))
    shop.lock(made_torch("2.19.0+cpu"), made("beside"))
    return shop
