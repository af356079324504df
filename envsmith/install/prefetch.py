"""Files gathered for an install stay in the cache while they are of use; those that nobody has used for long go."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

KEPT_DAYS = 60


def use(house: Path) -> None:
    """Note that a folder of gathered files is used now, and remove those beside it that were not for long.

    Nothing fails for want of it: what cannot be noted or removed stays.

    Args:
        house: made if it is not there.
    """
    oldest_s = time.time() - KEPT_DAYS * 86400
    with suppress(OSError):
        house.mkdir(parents=True, exist_ok=True)
        os.utime(house)
        for other in house.parent.iterdir():
            if other.stat().st_mtime < oldest_s:
                shutil.rmtree(other, ignore_errors=True)
