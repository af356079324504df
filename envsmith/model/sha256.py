"""What a SHA-256 digest looks like."""

from __future__ import annotations

import re

SHA256 = re.compile(r"[0-9a-f]{64}")
"""64 small hexadecimal digits, and nothing else, by ``fullmatch``."""
