from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

import pytest

from envsmith.report.private_values import collect_redaction


def test_names_and_folders_of_windows_and_linux() -> None:
    found = collect_redaction(
        {
            "USERNAME": "marta.k",
            "USERPROFILE": r"C:\Users\marta.k",
            "COMPUTERNAME": "DESKTOP-7",
            "HOME": "/home/m",
        }
    )
    assert "marta.k" in found.users
    assert r"C:\Users\marta.k" in found.homes
    assert "DESKTOP-7" in found.hosts


def test_this_machine_and_this_user_are_known_without_variables() -> None:
    found = collect_redaction({})
    assert getpass.getuser() in found.users
    assert socket.gethostname() in found.hosts
    assert found.secrets == ()


def test_the_project_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert collect_redaction({}).project == str(tmp_path)
    assert collect_redaction({"HOME": str(tmp_path)}).project == ""


@pytest.mark.parametrize(
    ("variables", "secrets"),
    [
        ({"GITHUB_TOKEN": "abcdef"}, {"abcdef"}),
        ({"AWS_SECRET_ACCESS_KEY": "abc/def"}, {"abc/def"}),
        ({"MY_PASSWORD": "pw"}, set()),
        ({"UV_INDEX_CORP_PASSWORD": "geheim"}, {"geheim"}),
        ({"SSH_AUTH_SOCK": "/run/agent.1"}, set()),
        ({"PIP_REQUIRE_AUTH": "true"}, set()),
        ({"HTTPS_PROXY": "http://marta:geheim@proxy"}, {"geheim"}),
        ({"UV_EXTRA_INDEX_URL": "https://u123:geheim@a https://b"}, {"geheim"}),
        ({"PATH": "/usr/bin", "LANG": "C.UTF-8"}, set()),
    ],
)
def test_secrets_of_variables(variables: dict[str, str], secrets: set[str]) -> None:
    assert set(collect_redaction(variables).secrets) == secrets


def test_users_of_addresses() -> None:
    assert "marta" in collect_redaction({"HTTPS_PROXY": "http://marta:geheim@proxy"}).users


def test_servers_of_variables_but_not_those_that_everybody_knows() -> None:
    variables = {"HTTP_PROXY": "corp-proxy:3128", "PIP_INDEX_URL": "https://download.pytorch.org/whl"}
    hosts = collect_redaction(variables).hosts
    assert "corp-proxy" in hosts
    assert "download.pytorch.org" not in hosts


def test_the_folders_that_environments_lie_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, here = tmp_path / "other", tmp_path / "here/src"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    found = collect_redaction({"VIRTUAL_ENV": str(other / ".venv")}, Path("../.venv"))
    assert set(found.other_projects) == {str(other), str(here.parent)}
    told = found.text(f"{here.parent}/.venv/bin and {other}/.venv and {here}/x")
    assert told == "PROJECT/.venv/bin and PROJECT/.venv and PROJECT/x"
    assert collect_redaction({"VIRTUAL_ENV": "/opt/venv"}).other_projects == ()
    assert collect_redaction({"HOME": str(tmp_path)}, other / ".venv").other_projects == (), (
        "below a home it is told as such"
    )


@pytest.mark.skipif(os.name == "nt", reason="the folders are those of Linux")
def test_folders_in_lists_tell_whose_work_it_is_but_for_those_of_the_system() -> None:
    found = collect_redaction(
        {
            "HOME": "/home/marta",
            "PYTHONPATH": "/srv/umbrella/src:relative:/home/marta/lib",
            "LD_LIBRARY_PATH": "/usr/local/cuda-11.8/lib64:/mnt/clients/initech/lib",
            "PATH": "/data/soylent:/opt/conda/bin:/usr/bin",
            "MODULE": "/srv/other/x",
        }
    )
    assert {"/srv/umbrella", "/mnt/clients/initech", "/data/soylent"} <= set(found.other_projects)
    text = "/srv/umbrella/src:/usr/local/cuda-11.8/lib64:/mnt/clients/initech/lib; /data/soylent; ~/x /srv/other/x"
    assert found.text(text) == (
        "PROJECT/src:/usr/local/cuda-11.8/lib64:PROJECT/lib; PROJECT; ~/x /srv/other/x"
    )
