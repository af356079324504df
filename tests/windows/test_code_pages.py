"""Output in the code pages of Korean, Japanese and Western Windows: Wine takes the code page of the locale."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.install.made import Shop, made, made_torch
from tests.shells.drivers import wanted
from tests.windows.conftest import Drive

PAGES = {"cp949": "ko_KR", "cp932": "ja_JP", "cp1252": "en_US"}
SOURCES = Path("/usr/share/i18n/locales")


@pytest.fixture
def locales(tmp_path: Path, page: str) -> Path:
    """A folder with the locale of a code page."""
    if not SOURCES.is_dir() or not shutil.which("localedef"):
        if wanted():
            pytest.fail(f"{SOURCES} or localedef is not installed")
        pytest.skip(f"{SOURCES} or localedef is not installed")
    words = ["localedef", "-i", PAGES[page], "-f", "UTF-8", str(tmp_path / f"{PAGES[page]}.UTF-8")]
    subprocess.run(words, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize(
    "page", ["cp949", *(pytest.param(page, marks=pytest.mark.weekly) for page in ("cp932", "cp1252"))]
)
def test_people_can_read_it_and_programs_get_utf_8(
    shop: Shop, drive: Drive, locales: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setenv("LOCPATH", str(locales))
    monkeypatch.setenv("LC_ALL", f"{PAGES[page]}.UTF-8")
    project = shop.project
    shop.stock(made_torch("2.20.0+cpu"), made("beside"))
    shop.lock(made_torch("2.20.0+cpu"), made("beside"))
    shop.lock(made_torch("2.20.0+cpu"), profile="other")
    python = ["python.exe", "-c", "import locale; print(locale.getpreferredencoding(False))"]
    assert drive.run(*python, at=project.root).stdout.decode().strip() == page

    def printed(*words: str, status: int = 0) -> bytes:
        done = drive.run("python.exe", "-m", "envsmith", *words, at=project.root, env=project.environ())
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    house = drive.path(shop.wheelhouse)
    place = drive.path(project.root)
    for words, status, expected in (
        (("install", "small", "--frozen", "--offline", "--wheelhouse", house), 0, "small"),
        (("verify", "small"), 0, "small"),
        (("doctor",), 0, "checks"),
        (("--help",), 0, "Usage"),
        (("diff", "small", "other"), 0, "beside"),
        (("lock", "-r", "없는 파일.txt", "--backend", "cpu"), 2, "없는 파일.txt"),
        (("--project", f"{place}\\없음", "lock"), 2, "없음"),
    ):
        text = printed(*words, status=status).decode(page)
        assert expected.encode(page, "replace").decode(page) in text, text
        assert "\ufffd" not in text
        assert "Traceback" not in text
    for asked in (
        ("profiles", "show", "cu128"),
        ("env", "--json"),
        ("activate", "--shell", "powershell"),
        ("export", "small", "--format", "constraints"),
        ("matrix", "small", "--format", "json"),
        ("diff", "small", "other", "--json"),
    ):
        text = printed(*asked).decode()
        assert "\r" not in text, asked
        if asked[0] == "env":
            assert json.loads(text)["data"]["set"]["VIRTUAL_ENV"] == drive.path(shop.link)
