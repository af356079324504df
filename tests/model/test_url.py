from __future__ import annotations

import pytest

from envsmith.errors import ProfileError
from envsmith.model.url import check_address, is_loopback, is_secure, redact_url, to_mirror

URL = "https://data.pyg.org/whl/torch-2.8.0+cu128.html"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@mirror.example/whl/?token=1#x", "https://mirror.example/whl/"),
        ("https://mirror.example:8443/whl", "https://mirror.example:8443/whl"),
        ("https://[::1", "(malformed URL)"),
    ],
)
def test_redacted_urls(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_insecure_ipv6_hosts_are_written_as_in_uv() -> None:
    assert is_secure("http://[fe80::1]:8080/x", ("[FE80::1]:8080",))
    assert not is_secure("http://[fe80::1]:8080/x", ("[fe80::1]:80", "[fe80::2]"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/whl/cu128/x.whl", "http://127.0.0.1/m/cu128/x.whl"),
        ("https://a.example/whl", "https://a.example/whl"),
        ("https://a.example/whl2/x.whl", "https://a.example/whl2/x.whl"),
        ("https://b.example/whl/x.whl", "https://b.example/whl/x.whl"),
    ],
)
def test_only_files_below_the_base_are_on_the_mirror(url: str, expected: str) -> None:
    assert to_mirror(url, "https://a.example/whl", "http://127.0.0.1/m") == expected


@pytest.mark.parametrize(
    "url",
    [URL, "https://host.example:8443/simple/", "http://127.0.0.1:8000/simple", "http://localhost/x.html",
     "http://[::1]:80/x", "file:///srv/wheels/index.html"],
)  # fmt: skip
def test_allowed_addresses(url: str) -> None:
    assert check_address(url) == url


@pytest.mark.parametrize(
    "url",
    ["http://host.example/simple", "ftp://host.example/x", "https://", "//host.example/x", "simple", "",
     "https://user:secret@host.example/x", "https://user@host.example/x", "https://host.example/x?token=secret",
     "https://host.example/x#y", "https://host.example/a b", "https://host.example/${HOME}", 'https://host.example/"',
     "https://host.example:0/x", "https://host.example:99999/x", "file://host.example/x", "file:x", "https://[::1",
     "https://host.example/x\n--index-url y", "http://127.0.0.1.example/x"],
)  # fmt: skip
def test_refused_addresses(url: str) -> None:
    with pytest.raises(ProfileError) as caught:
        check_address(url)
    assert caught.value.code == "PRF015"
    assert "secret" not in str(caught.value)


def test_loopback_hosts() -> None:
    assert is_loopback("127.8.8.8")
    assert not is_loopback("10.0.0.1")
