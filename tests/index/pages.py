"""Pages to parse, written by hand."""

from __future__ import annotations

import json

from envsmith.index.simple_api import PageAddress, PageRow, parse_page

ROOT = "https://download.pytorch.org/whl"
PAGE = PageAddress(url=f"{ROOT}/cu128/torch/", root=ROOT, index="cu128", project="torch")
HEX = "ab" * 32
OTHER = "cd" * 32
NAME = "torch-2.8.0+cu128-cp312-cp312-win_amd64.whl"
QUOTED = NAME.replace("+", "%2B")
URL = f"{ROOT}/cu128/{QUOTED}"


def page(*lines: str, heading: str = "Links for torch") -> bytes:
    """Write a page as PyTorch does, each line an anchor."""
    body = "\n".join(f"    {line}<br/>" for line in lines)
    return (
        f"<!DOCTYPE html>\n<html>\n  <body>\n    <h1>{heading}</h1>\n{body}\n  </body>\n</html>\n"
        "<!--TIMESTAMP 1770681600-->"
    ).encode()


def anchor(href: str = f"/whl/cu128/{QUOTED}#sha256={HEX}", text: str = NAME, attributes: str = "") -> str:
    return f'<a href="{href}" {attributes}>{text}</a>'


def read(body: bytes, content_type: str = "text/html", at: PageAddress = PAGE) -> tuple[PageRow, ...]:
    return parse_page(body, content_type, at)


def api(*files: object, **changes: object) -> bytes:
    return json.dumps(
        {"meta": {"api-version": "1.1"}, "name": "torch", "files": list(files), **changes}
    ).encode()


def entry(**changes: object) -> dict[str, object]:
    return {"filename": NAME, "url": URL, "hashes": {"sha256": HEX}, **changes}


MIRROR = "https://user:secret@mirror.example:8443/py/whl"
AT_MIRROR = PageAddress(url=f"{MIRROR}/cu128/torch/", root=MIRROR, index="cu128", project="torch")
