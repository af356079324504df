from __future__ import annotations

import socket
from http.client import RemoteDisconnected

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError

from envsmith.net.client import describe_network_error


def wrapped(inner: Exception) -> Exception:
    return requests.ConnectionError(MaxRetryError(None, "/whl/", inner))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            wrapped(
                NameResolutionError(
                    "example.org",
                    None,  # type: ignore[arg-type]
                    socket.gaierror(-2, "Name or service not known"),
                )
            ),
            "host name not found",
        ),
        (
            requests.ConnectionError(ProtocolError("Connection aborted.", RemoteDisconnected("…"))),
            "connection closed",
        ),
        (requests.ConnectTimeout(), "connection timed out"),
        (requests.ReadTimeout(), "timed out while reading"),
    ],
)
def test_causes_are_described(error: Exception, words: str) -> None:
    assert describe_network_error(error).startswith(words)


def test_a_refused_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)
    assert describe_network_error(caught.value) == "connection refused"


def test_an_unknown_error_is_described_by_its_own_text_without_addresses() -> None:
    assert describe_network_error(requests.RequestException("Something: quite else")) == "quite else"
    assert "://" not in describe_network_error(
        requests.RequestException("at https://user:secret@example.org")
    )


def test_errors_that_cause_each_other_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert describe_network_error(first) == "second"
