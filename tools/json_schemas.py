"""Write the JSON Schemas of profiles and settings into docs/reference; with --check compare them."""

from __future__ import annotations

import sys
from pathlib import Path

from envsmith.config.profile_reader import profile_schema
from envsmith.config.pyproject_settings import settings_schema
from envsmith.config.readers import schema_json

FOLDER = Path(__file__).parent.parent / "docs/reference"


def texts() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "profile.schema.json": schema_json(profile_schema()),
        "settings.schema.json": schema_json(settings_schema()),
    }


def main() -> int:
    """Write the files, or compare them."""
    status = 0
    for name, text in texts().items():
        path = FOLDER / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{name} is out of date: make docs", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
