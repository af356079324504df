"""Why a server could not be read, in words: what the libraries raise names their classes and the socket's numbers."""

from __future__ import annotations

_WORDS = {
    "NameResolutionError": "its name could not be resolved",
    "gaierror": "its name could not be resolved",
    "ConnectionRefusedError": "it refused the connection",
    "NewConnectionError": "no connection could be made",
    "ConnectTimeoutError": "no connection within the time allowed",
    "ConnectTimeout": "no connection within the time allowed",
    "ReadTimeoutError": "it did not go on answering",
    "ReadTimeout": "it did not go on answering",
    "TimeoutError": "it did not answer in time",
    "ConnectionResetError": "it broke the connection off",
    "RemoteDisconnected": "it closed the connection without an answer",
    "IncompleteRead": "the answer broke off",
    "ProtocolError": "the answer broke off",
    "ProxyError": "the proxy could not be used",
    "SSLCertVerificationError": "its certificate is not trusted",
    "SSLError": "no secure connection",
}


def network_words(error: BaseException) -> str:
    """Return why a request failed, in one clause, without addresses."""
    chain = list(causes(error))
    for cause in reversed(chain):
        if words := _WORDS.get(type(cause).__name__):
            return words
    text = str(chain[-1]).rpartition(": ")[2].strip()[:200]
    return text if text and "://" not in text else type(chain[-1]).__name__


def causes(error: BaseException) -> list[BaseException]:
    """Return an error and what it wraps: requests wraps urllib3, which wraps the socket's error."""
    found = [error]
    while len(found) < 20:
        last = found[-1]
        inner = getattr(last, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((item for item in last.args if isinstance(item, BaseException)), last.__cause__)
        if not isinstance(inner, BaseException) or inner in found:
            break
        found.append(inner)
    return found
