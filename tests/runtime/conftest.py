from __future__ import annotations

from tests.runtime.probes import bare

__all__ = ["bare"]
