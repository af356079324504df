from __future__ import annotations

import pytest

from envsmith.errors import ToolError
from envsmith.net.client import TooLargeError, UnreachableError, UnreachableHosts
from envsmith.net.deadline import DeadlineError

URL = "https://user:secret@mirror.example/torch/a.whl"
UNREACHABLE, LATE = UnreachableError("TOL030", "no"), DeadlineError("TOL031", "no")
TOO_LARGE = TooLargeError("TOL033", "no")


def request(hosts: UnreachableHosts, url: str, error: ToolError) -> str:
    """Send a request that ends with an error, and return the code that came out."""
    with pytest.raises(ToolError) as caught, hosts.guard(url):
        raise error
    return caught.value.code


@pytest.mark.parametrize("error", [UNREACHABLE, LATE])
def test_a_host_without_an_answer_is_not_asked_again(error: ToolError) -> None:
    hosts = UnreachableHosts()
    assert request(hosts, URL, error) == error.code
    assert request(hosts, f"{URL}.metadata", TOO_LARGE) == "TOL030"
    assert request(hosts, "https://other.example/torch/a.whl", TOO_LARGE) == "TOL033"


@pytest.mark.parametrize("error", [TOO_LARGE, ToolError("TOL034", "no"), ToolError("TOL057", "no")])
def test_a_host_that_answers_is_reachable(error: ToolError) -> None:
    hosts = UnreachableHosts()
    assert request(hosts, URL, error) == error.code
    with hosts.guard(URL):
        answered = True
    assert answered


def test_a_password_is_not_shown() -> None:
    hosts = UnreachableHosts()
    request(hosts, URL, UNREACHABLE)
    with pytest.raises(ToolError) as caught, hosts.guard(URL):
        pass
    assert caught.value.where == "https://mirror.example/torch/a.whl"
