from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envsmith.errors import CatalogError
from envsmith.index import simple_api
from tests.index.pages import (
    AT_MIRROR,
    HEX,
    NAME,
    OTHER,
    PAGE,
    QUOTED,
    ROOT,
    URL,
    anchor,
    api,
    entry,
    page,
    read,
)

WHOLE = page(anchor())
BAD_ROWS = {
    "hash too short": anchor(f"/whl/cu128/{QUOTED}#sha256=abc"),
    "hash too long": anchor(f"/whl/cu128/{QUOTED}#sha256={HEX}0"),
    "hash no hex": anchor(f"/whl/cu128/{QUOTED}#sha256={'g' * 64}"),
    "hash empty": anchor(f"/whl/cu128/{QUOTED}#sha256="),
    "another project": anchor("/whl/cu128/evil-1.0-py3-none-any.whl", "evil-1.0-py3-none-any.whl"),
    "javascript": anchor(f"javascript:alert('{QUOTED}')"),
    "data link": anchor(f"data:text/plain,/{QUOTED}"),
    "file link": anchor(f"file:///etc/{QUOTED}"),
    "ftp link": anchor(f"ftp://mirror.example/{QUOTED}"),
    "less safe link": anchor(f"http://mirror.example/{QUOTED}"),
    "no link": f"<a>{NAME}</a>",
    "empty link": anchor(""),
    "bad port": anchor(f"https://mirror.example:99999/{QUOTED}"),
    "bad address": anchor(f"https://[::1/{QUOTED}"),
    "newline in the text": anchor(text=NAME.replace("-cp312-win", "-cp312-\nwin")),
    "newline in the link": anchor(f"/whl/cu128/torch-2.8.0\n%2Bcu128-cp312-cp312-win_amd64.whl#sha256={HEX}"),
    "quoted newline": anchor(f"/whl/cu128/{QUOTED}%0A", f"{NAME}%0A.whl"),
    "space in the link": anchor(f"/whl/cu 128/{QUOTED}"),
    "backslash": anchor(f"/whl/cu128\\{QUOTED}"),
    "nul": anchor(f"/whl/cu128/{QUOTED}%00.whl", f"{NAME}\x00.whl"),
    "path in the name": anchor("/whl/..%2Ftorch-1.0-py3-none-any.whl", "../torch-1.0-py3-none-any.whl"),
    "text and link differ": anchor(f"/whl/cu128/{QUOTED}", "torch-2.9.0+cu128-cp312-cp312-win_amd64.whl"),
    "text is no name": anchor(f"/whl/cu128/{QUOTED}", "here"),
    "link is no wheel": anchor("/whl/cu128/torch.exe", NAME),
    "too few parts": anchor("/whl/torch-2.8.0-win_amd64.whl", "torch-2.8.0-win_amd64.whl"),
    "no version": anchor("/whl/torch-x.y-py3-none-any.whl", "torch-x.y-py3-none-any.whl"),
    "markup in the name": anchor("/whl/torch-1-py3-none-a&lt;b.whl", "torch-1-py3-none-a&lt;b.whl"),
    "only the suffix": anchor("/whl/.whl", ".whl"),
    "time without zone": anchor(attributes='data-upload-time="2026-03-23T15:50:23"'),
    "time in words": anchor(attributes='data-upload-time="yesterday"'),
    "impossible time": anchor(attributes='data-upload-time="2026-02-31T15:50:23Z"'),
    "time before time": anchor(attributes='data-upload-time="0001-01-01T00:00:00+14:00"'),
    "metadata digest": anchor(attributes='data-core-metadata="sha256=12"'),
    "upper-case suffix": anchor("/whl/torch-2.8.0-py3-none-any.WHL", "torch-2.8.0-py3-none-any.WHL"),
}


@pytest.mark.parametrize("line", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_malformed_row_is_named(line: str) -> None:
    with pytest.raises(CatalogError) as caught:
        read(page(anchor(), line))
    assert caught.value.code == "CAT032"
    assert caught.value.where.startswith(f"{PAGE.url}: line 6: ")
    assert "\n" not in str(caught.value)
    assert caught.value.hint


BAD_FILES = {
    "bad hash": entry(hashes={"sha256": "12"}),
    "other name in the URL": entry(url=f"{ROOT}/cu128/other.whl"),
    "other project": entry(filename="evil-1-py3-none-any.whl", url=f"{ROOT}/evil-1-py3-none-any.whl"),
    "javascript": entry(url=f"javascript:{QUOTED}"),
    "path in the name": entry(filename="../torch-1-py3-none-any.whl"),
    "bad time": entry(**{"upload-time": "now"}),
    "bad metadata digest": entry(**{"core-metadata": {"sha256": "x"}}),
}


@pytest.mark.parametrize("item", BAD_FILES.values(), ids=BAD_FILES)
def test_a_malformed_file_of_a_json_page_is_named(item: dict[str, object]) -> None:
    with pytest.raises(CatalogError) as caught:
        read(api(entry(), item), "application/json")
    assert caught.value.code == "CAT032"
    assert ": files[1]: " in caught.value.where


BAD_PAGES = {
    "no content type": (WHOLE, ""),
    "text": (WHOLE, "text/plain"),
    "bytes": (WHOLE, "application/octet-stream"),
    "not UTF-8": (WHOLE.replace(b"torch-2", b"torch\xff-2"), "text/html"),
    "sign-in page": (b"<html><body><h1>Sign in</h1><a href='/login'>go</a></body></html>", "text/html"),
    "other page": (page(heading="Links for torchvision"), "text/html"),
    "empty": (b"", "text/html"),
    "cut in a tag": (WHOLE[: WHOLE.index(b"data-") if b"data-" in WHOLE else 90], "text/html"),
    "cut in a link": (WHOLE[: WHOLE.index(b"</a>")], "text/html"),
    "bare links, cut": (f"<h1>Links for torch</h1>{anchor()}{anchor()[:-4]}".encode(), "text/html"),
    "many tags without end": (WHOLE + b"<a " * 50_000, "text/html"),
    "many comments without end": (WHOLE + b"<!--" * 50_000, "text/html"),
    "cut after a row": (WHOLE[: WHOLE.index(b"</body>")], "text/html"),
    "cut in the comment": (WHOLE[:-5], "text/html"),
    "nested links": (page(f'<a href="/whl/x"><a href="/whl/{QUOTED}">{NAME}</a></a>'), "text/html"),
    "version 2": (
        page(anchor()).replace(b"<body>", b'<meta name="pypi:repository-version" content="2.0"><body>'),
        "text/html",
    ),
    "marked section": (WHOLE.replace(b"<br/>", b"<![if"), "text/html"),
    "bad base": (WHOLE.replace(b"<body>", b'<base href="https://[x/"><body>'), "text/html"),
    "no JSON": (WHOLE, "application/json"),
    "JSON cut": (api(entry())[:-9], "application/json"),
    "JSON list": (b"[]", "application/json"),
    "JSON version": (api(meta={"api-version": "2.0"}), "application/json"),
    "JSON no version": (api(meta={}), "application/json"),
    "JSON other project": (api(name="evil"), "application/json"),
    "JSON files": (api(files={}), "application/json"),
    "JSON file": (api("text"), "application/json"),
    "JSON filename": (api(entry(filename=3)), "application/json"),
    "JSON URL": (api(entry(url=None)), "application/json"),
    "JSON hashes": (api(entry(hashes="x")), "application/json"),
    "JSON hash": (api(entry(hashes={"sha256": 3})), "application/json"),
    "JSON time": (api(entry(**{"upload-time": 3})), "application/json"),
    "JSON depth": (b"[" * 100_000, "application/json"),
}


@pytest.mark.parametrize(("body", "kind"), BAD_PAGES.values(), ids=BAD_PAGES)
def test_what_is_no_whole_index_page_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(CatalogError) as caught:
        read(body, kind)
    assert caught.value.code == "CAT030"
    assert caught.value.where == PAGE.url
    assert caught.value.hint


def test_one_file_with_two_hashes_is_refused() -> None:
    with pytest.raises(CatalogError, match="twice") as caught:
        read(page(anchor(), anchor(f"/whl/cu128/{QUOTED}#sha256={OTHER}")))
    assert caught.value.code == "CAT033"


def test_an_absurd_page_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple_api, "MAX_PAGE_BYTES", 100)
    with pytest.raises(CatalogError) as caught:
        read(WHOLE)
    assert caught.value.code == "CAT031"


def test_secrets_of_the_address_are_not_shown() -> None:
    with pytest.raises(CatalogError) as caught:
        read(page(anchor("javascript:x.whl")), at=AT_MIRROR)
    assert "secret" not in str(caught.value)


PIECES = st.sampled_from(
    [
        "<a ",
        'href="',
        "/whl/cu128/",
        QUOTED,
        NAME,
        f"#sha256={HEX}",
        '">',
        "</a>",
        "<br/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<!",
        "&#x0;",
        "&#10;",
        "%0A",
        "%2F..%2F",
        "../",
        "\n",
        "\\",
        "//[",
        "https://",
        'data-core-metadata="',
        'data-upload-time="',
        "<base ",
        "torch-1-py3-none-any.whl",
        "</html>",
        "<script>",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=25).map("".join)


def read_or_refuse(body: bytes, kind: str) -> None:
    try:
        rows = read(body, kind)
    except CatalogError as error:
        if error.code not in {"CAT030", "CAT032", "CAT033"}:
            raise
        return
    for row in rows:
        assert not set(row.wheel.filename) & set("/\\\n\r\0 ")
        assert row.wheel.url.startswith(("https://", "http://"))
        assert row.wheel.url.isprintable()
        assert row.wheel.name == "torch"


@given(TEXTS, st.sampled_from(["text/html", "application/json", "x"]))
@example("<![", "text/html")
@example("<!--a", "text/html")
@example('{"meta":{"api-version":1.1},"name":"torch","files":[{"filename":".whl"}]}', "application/json")
def test_any_page_is_read_or_refused(text: str, kind: str) -> None:
    read_or_refuse(text.encode("utf-8", "surrogatepass"), kind)


@given(href=st.text(max_size=40) | TEXTS, name=st.text(max_size=40) | TEXTS, sha256=st.text(max_size=70))
@example(href=f"{URL}?a\n", name=NAME.removesuffix(".whl"), sha256=HEX)
def test_any_json_row_is_read_or_refused(href: str, name: str, sha256: str) -> None:
    item = entry(filename=f"{name}.whl", url=href, hashes={"sha256": sha256})
    read_or_refuse(api(item), "application/json")


@given(TEXTS)
def test_any_row_of_a_whole_page_is_read_or_refused(text: str) -> None:
    read_or_refuse(page(f'<a href="/whl/cu128/{QUOTED}{text}">{NAME}</a>', anchor(text)), "text/html")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for kind in ("text/html", "application/json"):
        read_or_refuse(body, kind)
