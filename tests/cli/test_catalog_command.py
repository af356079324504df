import json
from pathlib import Path

import pytest

from envsmith.cli.main import main
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

FILE = ReplayFile.made("torch", "2.14.5+cu130", "cp312-cp312-win_amd64", index="cu130")


def shown(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["catalog", *words])
    out = capfd.readouterr()
    return status, out.out, out.err


def test_all_backends(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = shown(capfd, "show")
    assert status == 0
    line = next(text for text in out.splitlines() if text.startswith("cu128 "))
    assert "2.11.0" in line
    assert "cu130" in line


def test_one_backend(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = shown(capfd, "show", "cu128")
    assert status == 0
    assert "CUDA 12.8 · torch 2.7.0 to 2.11.0" in out
    assert "sm_120" in out


def test_one_backend_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = shown(capfd, "show", "cu128", "--json")
    data = json.loads(out)["data"]
    assert (status, data["backend"], data["last_torch"], data["successor"]) == (0, "cu128", "2.11.0", "cu130")
    newest = [
        build for build in data["builds"] if (build["project"], build["version"]) == ("torch", "2.11.0+cu128")
    ]
    assert {build["platform"] for build in newest} == {"linux x86_64", "linux aarch64", "windows amd64"}


@pytest.mark.parametrize(("text", "code"), [("cu999", "CAT020"), ("cuda", "PRF010")])
def test_no_backend(text: str, code: str, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = shown(capfd, "show", text)
    assert (status, out) == (2, "")
    assert code in err


@pytest.mark.usefixtures("project")
def test_refresh_reads_the_server_into_the_cache(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with ReplayIndex([FILE]) as replay:
        status, out, _ = shown(capfd, "refresh", "cu130", "--index-base", replay.base, "--json")
    (row,) = json.loads(out)["data"]
    assert (status, row["index"], row["new"]) == (0, "cu130", 1)
    assert any((tmp_path / "cache").rglob("*.json"))


@pytest.mark.usefixtures("project")
def test_refresh_of_a_server_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    with ReplayIndex() as replay:
        gone = replay.base
    status, out, err = shown(capfd, "refresh", "cu130", "--index-base", gone, "--timeout", "1")
    assert (status, "new" in out) == (2, False)
    assert "TOL03" in err
