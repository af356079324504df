from __future__ import annotations

from tests.runtime.trying import bare

__all__ = ["bare"]
