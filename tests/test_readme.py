"""What README shows is what the commands print."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from envsmith.cli.main import COMMANDS, main
from tests.index_recording import Recording
from tests.index_server import IndexReplay

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [
    *ROOT.glob("*.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
SECONDS = re.compile(r"\d+\.\d s")


def test_the_first_screen_is_true(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Seconds differ from run to run; that files were not compared is only told where PyTorch's server is silent."""
    block = re.search(r"\$ make lock[^\n]*\n(.*?)```", README, re.DOTALL)
    assert block
    arguments = ["lock", "cu128", "--catalog", "embedded", "--as-of", "2026-11-20T09:00:00Z"]
    with IndexReplay(Recording.read("shipped")) as index:
        for name, value in index.environ(cache=tmp_path / "uv").items():
            monkeypatch.setenv(name, value)
        assert main(arguments) == 0
        # As in a fresh clone, where the pylocks are not there.
        for path in (project / "lockfiles" / "cu128").glob("pylock.*"):
            path.unlink()
        capfd.readouterr()
        assert main(arguments[:4]) == 0
    assert not index.missed
    printed = "".join(
        line
        for line in capfd.readouterr().out.splitlines(True)
        if not line.startswith("warning   file conflicts")
    )
    assert SECONDS.sub("- s", printed) == SECONDS.sub("- s", block[1])
    assert (project / "lockfiles" / "cu128" / "manifest.toml").is_file()


def test_commands_shown_exist() -> None:
    shown = set(re.findall(r"^\$ envsmith ([a-z-]+)", README, re.MULTILINE))
    assert shown
    assert shown <= set(COMMANDS)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not link.startswith("https://"):
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_of_the_repository_that_pages_name_exist(page: Path) -> None:
    named = re.findall(r"`((?:envsmith|tests|tools|bench|docs)/[\w./-]+)`", page.read_text("utf-8"))
    assert not [path for path in named if not (ROOT / path).exists()]


def test_programs_that_pages_tell_of_are_there() -> None:
    """Figures are worth as much as the program that anybody can run to get them again."""
    told = {
        name
        for page in PAGES
        for name in re.findall(r"python -m (bench(?:\.[a-z_]+)*)", page.read_text("utf-8"))
    }
    assert {"bench", "bench.faults", "bench.download_faults"} <= told
    assert not [name for name in told if find_spec(name) is None]
