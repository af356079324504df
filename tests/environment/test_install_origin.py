"""Origins of installed distributions, compared with the places of locked packages."""

from __future__ import annotations

import pytest

from envsmith.environment.model import InstallOrigin

PROJECT = "/home/me/project"
COMMIT = "a" * 40
GIT = {
    "url": "https://host.invalid/r",
    "vcs_info": {"vcs": "git", "commit_id": COMMIT},
    "subdirectory": "lib",
}
EDITABLE = {"url": f"file://{PROJECT}/libs/a%20b", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (GIT, f"git+https://host.invalid/r@{COMMIT}#subdirectory=lib"),
        (EDITABLE, "./libs/a%20b#editable=true"),
        ({"url": "file:///home/me/side", "dir_info": {}}, "../side"),
        ({"url": f"file://{PROJECT}", "dir_info": {"editable": True}}, ".#editable=true"),
        ({"url": f"file://{PROJECT}/x-1.zip", "archive_info": {}}, f"./x-1.zip#sha256={'0' * 64}"),
        ({"url": "https://host.invalid/x-1.zip", "archive_info": {}}, "https://host.invalid/x-1.zip"),
    ],
)
def test_the_locked_place(data: dict[str, object], source: str) -> None:
    assert InstallOrigin.parse(data, PROJECT).is_of(source)


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (GIT, f"git+https://host.invalid/r@{'b' * 40}#subdirectory=lib"),
        (GIT, f"git+https://host.invalid/r@{COMMIT}"),
        (GIT, f"git+https://other.invalid/r@{COMMIT}#subdirectory=lib"),
        (EDITABLE, "./libs/a%20b"),
        (EDITABLE, "./libs/other#editable=true"),
        ({"url": "https://host.invalid/x-1.zip", "archive_info": {}}, "https://host.invalid/x-2.zip"),
    ],
)
def test_other_places(data: dict[str, object], source: str) -> None:
    assert not InstallOrigin.parse(data, PROJECT).is_of(source)


def test_a_drive_of_windows() -> None:
    data = {"url": "file:///C:/project/libs/x", "dir_info": {}}
    assert InstallOrigin.parse(data, "C:/project").is_of("./libs/x")
