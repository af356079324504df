from __future__ import annotations

import pytest

from envsmith.model.address import public_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@mirror.example/whl/?token=1#x", "https://mirror.example/whl/"),
        ("https://mirror.example:8443/whl", "https://mirror.example:8443/whl"),
        ("https://[::1", "(malformed URL)"),
    ],
)
def test_public_url_holds_no_secret(url: str, shown: str) -> None:
    assert public_url(url) == shown
