from __future__ import annotations

import socket
from http.client import RemoteDisconnected

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError

from envsmith.net.client import network_words


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
            "its name could not be resolved",
        ),
        (
            requests.ConnectionError(ProtocolError("Connection aborted.", RemoteDisconnected("…"))),
            "it closed",
        ),
        (requests.ConnectTimeout(), "no connection within the time allowed"),
        (requests.ReadTimeout(), "it did not go on answering"),
    ],
)
def test_causes_are_told_in_words(error: Exception, words: str) -> None:
    assert network_words(error).startswith(words)


def test_a_refused_connection_is_told_in_words() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)
    assert network_words(caught.value) == "it refused the connection"


def test_an_unknown_error_is_told_by_its_own_words_without_addresses() -> None:
    assert network_words(requests.RequestException("Something: quite else")) == "quite else"
    assert "://" not in network_words(requests.RequestException("at https://user:secret@example.org"))


def test_errors_that_cause_each_other_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert network_words(first) == "second"
