from __future__ import annotations

import pytest

from envsmith.model.url import redact_url, to_mirror


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@mirror.example/whl/?token=1#x", "https://mirror.example/whl/"),
        ("https://mirror.example:8443/whl", "https://mirror.example:8443/whl"),
        ("https://[::1", "(malformed URL)"),
    ],
)
def test_public_url_holds_no_secret(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/whl/cu128/x.whl", "http://127.0.0.1/m/cu128/x.whl"),
        ("https://a.example/whl", "https://a.example/whl"),
        ("https://a.example/whl2/x.whl", "https://a.example/whl2/x.whl"),
        ("https://b.example/whl/x.whl", "https://b.example/whl/x.whl"),
    ],
)
def test_only_what_lies_below_the_usual_address_is_on_the_mirror(url: str, expected: str) -> None:
    assert to_mirror(url, "https://a.example/whl", "http://127.0.0.1/m") == expected
