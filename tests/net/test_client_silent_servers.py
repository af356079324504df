from __future__ import annotations

import pytest

from envsmith.errors import ToolError
from envsmith.net.client import UnreachableHosts

URL = "https://user:secret@mirror.example/torch/a.whl"


def ask(servers: UnreachableHosts, url: str, code: str) -> str:
    """Ask, let that end with an error of a code, and return the code that came out."""
    with pytest.raises(ToolError) as caught, servers.asked(url):
        raise ToolError(code, "no", where=url)
    return caught.value.code


@pytest.mark.parametrize("code", ["TOL030", "TOL031"])
def test_who_gave_no_answer_is_not_asked_again(code: str) -> None:
    servers = UnreachableHosts()
    assert ask(servers, URL, code) == code
    assert ask(servers, f"{URL}.metadata", "TOL033") == "TOL030"
    assert ask(servers, "https://other.example/torch/a.whl", "TOL033") == "TOL033"


@pytest.mark.parametrize("code", ["TOL033", "TOL034", "TOL057"])
def test_who_answers_is_there(code: str) -> None:
    servers = UnreachableHosts()
    assert ask(servers, URL, code) == code
    with servers.asked(URL):
        answered = True
    assert answered


def test_a_password_is_not_told() -> None:
    servers = UnreachableHosts()
    ask(servers, URL, "TOL030")
    with pytest.raises(ToolError) as caught, servers.asked(URL):
        pass
    assert caught.value.where == "https://mirror.example/torch/a.whl"
