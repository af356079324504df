from __future__ import annotations

from tests.lock_tools import check_tools, listing, pool, tools

__all__ = ["check_tools", "listing", "pool", "tools"]
