"""The pipelines for GitLab, their scripts run line by line on fresh machines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from envsmith.ci import service_formats
from tests.ci.test_service_formats import template
from tests.install.locked import add_torch
from tests.pipelines.conftest import Site
from tests.pipelines.machine import Machine, Step, load
from tests.pipelines.test_valid import wish
from tests.repositories import git
from tests.shells.test_powershell import nodes, parsed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runs scripts for Linux")


def job(machine: Machine, file: str, name: str) -> dict[str, Any]:
    """Return a job with what it extends put under it, as GitLab merges them."""
    found = load(machine.work / file)
    whole: dict[str, Any] = {}
    while True:
        own = found[name]
        whole = {**own, **whole, "variables": {**own.get("variables", {}), **whole.get("variables", {})}}
        if "extends" not in own:
            return whole
        name = own["extends"]


def run(machine: Machine, work: dict[str, Any], **env: str) -> Step:
    """Run a job: GitLab gives all lines of it to one shell."""
    variables = {name: value for name, value in work["variables"].items() if isinstance(value, str)}
    text = "\n".join([f'export {name}="{value}"' for name, value in variables.items()])
    lines = [*work["before_script"], *work["script"]]
    return machine.run("\n".join([text, *lines]), CI_PROJECT_DIR=str(machine.work), **env)


def test_lock_check_install_verify_and_test_in_order(site: Site) -> None:
    first = site.machine("first")
    assert load(first.work / ".gitlab-ci.yml")["include"] == [{"local": ".gitlab/envsmith.yml"}]
    done = run(first, job(first, ".gitlab/envsmith.yml", "envsmith-locks"))
    assert done.status == 0, done.out
    whole = load(first.work / "envsmith-matrix.yml")
    assert whole.pop("workflow") == {"rules": [{"when": "always"}]}, "else a merge request has no jobs"
    (made,) = whole.values()
    assert made["tags"] == ["saas-linux-medium-amd64-gpu-standard"]
    (row,) = made["parallel"]["matrix"]

    second = site.machine("second")
    done = run(second, job(second, ".gitlab/envsmith-jobs.yml", made["extends"]), **row)
    assert done.status == 0, done.out
    told = [done.out.index(word) for word in ("current ", "own/cp3", "tested 2.20.0+cu134")]
    assert told == sorted(told), done.out
    assert not (second.work / "made-it").exists()


@contextmanager
def api(opened: list[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[str, str, dict[str, list[str]]]]]]:
    """Serve what stands for GitLab's API of merge requests; it keeps what it hears."""
    heard: list[tuple[str, str, dict[str, list[str]]]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            pass

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            assert self.headers["PRIVATE-TOKEN"] == "secret"
            heard.append((self.command, parts.path, parse_qs(body or parts.query)))
            said = json.dumps(opened if self.command == "GET" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - their names in the base class

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.skipif(
    not shutil.which("curl", path="/usr/bin:/bin"), reason="has no curl, which the script asks with"
)
def test_a_change_is_opened_and_brought_up_to_date(site: Site) -> None:
    place = "http://envsmith:secret@gitlab.example:80/group/project.git"
    (site.origin.parent / "gitconfig").write_text(f'[url "{site.origin}"]\n\tinsteadOf = {place}\n', "utf-8")
    env = {
        "CI_SERVER_PROTOCOL": "http",
        "CI_SERVER_HOST": "gitlab.example",
        "CI_SERVER_PORT": "80",
        "CI_PROJECT_PATH": "group/project",
        "CI_PROJECT_ID": "5",
        "CI_DEFAULT_BRANCH": "main",
        "ENVSMITH_TOKEN": "secret",
    }
    add_torch(site.replay, "2.21.0+cu134")
    opened: list[dict[str, Any]] = [{"iid": 6, "source_project_id": 9}]  # a fork's
    with api(opened) as (base, heard):
        for name in ("one", "two"):
            machine = site.machine(name)
            work = job(machine, ".gitlab/envsmith.yml", "envsmith-relock")
            done = run(machine, work, CI_API_V4_URL=f"{base}/api/v4", **env)
            assert done.status == 0, done.out
            opened[:] = [{"iid": 6, "source_project_id": 9}, {"iid": 7, "source_project_id": 5}]
    ways = [(method, path.removeprefix("/api/v4/projects/5/")) for method, path, _ in heard]
    assert ways == [
        ("GET", "merge_requests"),
        ("POST", "merge_requests"),
        ("GET", "merge_requests"),
        ("PUT", "merge_requests/7"),
    ]
    assert heard[1][2]["target_branch"] == ["main"]
    for _, _, said in (heard[1], heard[3]):
        assert said["description"][0].startswith("## own at HEAD → own: torch 2.20.0+cu134 → 2.21.0+cu134")
    assert "manifest.toml" in git(site.origin, "diff", "--name-only", "main", "envsmith/relock")


def rules_of(found: dict[str, Any], name: str) -> list[dict[str, str]]:
    """Return the rules of a job, its own or those it gets from what it extends."""
    own = found[name]
    rules: list[dict[str, str]] = own["rules"] if "rules" in own else rules_of(found, own["extends"])
    return rules


def test_a_merge_request_has_its_jobs_and_a_push_starts_one_pipeline() -> None:
    texts = {
        path: YAML(typ="safe", pure=True).load(text)
        for path, text in service_formats.gitlab(wish("plain"), template).items()
    }
    never, always = texts[".gitlab-ci.yml"]["workflow"]["rules"]
    assert never["when"] == "never"
    assert all(word in never["if"] for word in ('$CI_PIPELINE_SOURCE == "push"', "$CI_OPEN_MERGE_REQUESTS"))
    assert always == {"when": "always"}
    jobs = texts[".gitlab/envsmith-jobs.yml"]
    for system in ("linux", "macos", "windows"):
        assert rules_of(jobs, f".envsmith-{system}") == [{"when": "on_success"}]
    for name in ("envsmith-locks", "envsmith-test"):
        assert rules_of(texts[".gitlab/envsmith.yml"], name)[-1] == {"when": "on_success"}


@pytest.mark.parametrize(
    ("status", "said", "ended", "goes_on"),
    [(0, "same", 0, False), (1, "changed", 0, True), (1, "", 1, False), (2, "half", 2, False)],
)
def test_a_diff_that_fails_is_a_failure(
    status: int, said: str, ended: int, goes_on: bool, tmp_path: Path
) -> None:
    found = YAML(typ="safe", pure=True).load(
        service_formats.gitlab(wish("plain"), template)[".gitlab/envsmith.yml"]
    )
    lines = found["envsmith-relock"]["script"]
    asked = [line for line in lines if "diff" in line or "$status" in line][:3]
    script = "\n".join([f"envsmith() {{ printf '%s' '{said}'; return {status}; }}", *asked, "echo went on"])
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (ended, "went on\n" if goes_on else "")


@pytest.mark.parametrize("name", ["plain", "nasty"])
def test_what_windows_is_told_is_powershell(name: str) -> None:
    found = YAML(typ="safe", pure=True).load(
        service_formats.gitlab(wish(name), template)[".gitlab/envsmith-jobs.yml"]
    )
    job = found[".envsmith-windows"]
    lines = [*(job["before_script"][:2]), *job["script"]]
    root = parsed("\n".join(lines).encode())
    assert not root.has_error
    commands = [node.text for node in nodes(root) if node.type == "command_name"]
    activate = rb".\.envsmith-ci\tools\Scripts\Activate.ps1"
    assert commands == [b"python", activate, b"uv", b"uv", b"envsmith", b"envsmith", b"envsmith"]
