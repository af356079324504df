from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.install.store_names import lost_files

FOLDER = "one-1.dist-info"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """One distribution with a program, and a module with a comma in its name."""
    site = tmp_path / "lib" / "site-packages"
    (site / FOLDER).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "one").write_text("run", "utf-8")
    (site / "one,two.py").write_text("12345", "utf-8")
    rows = f'"one,two.py",sha256=x,5\n../../bin/one,sha256=y,3\n{FOLDER}/RECORD,,\n'
    (site / FOLDER / "RECORD").write_text(rows, "utf-8")
    return site


def test_nothing_is_lost_of_what_is_whole_whatever_lies_beside(site: Path) -> None:
    (site / "more-2.dist-info").mkdir()
    (site / "more.py").touch()
    assert lost_files(site, [FOLDER]) == ()


def test_what_is_gone_or_of_another_size_is_named(site: Path) -> None:
    (site / "one,two.py").write_text("1234", "utf-8")
    assert lost_files(site, [FOLDER]) == ("one,two.py",)
    (site.parents[1] / "bin" / "one").unlink()
    assert lost_files(site, [FOLDER]) == ("one,two.py", "../../bin/one")


@pytest.mark.parametrize("text", ["", "\n", None])
def test_a_distribution_without_its_record_is_lost(site: Path, text: str | None) -> None:
    if text is None:
        (site / FOLDER / "RECORD").unlink()
    else:
        (site / FOLDER / "RECORD").write_text(text, "utf-8")
    assert lost_files(site, [FOLDER]) == (f"{FOLDER}/RECORD",)
    assert lost_files(site, ["gone-1.dist-info"]) == ("gone-1.dist-info/RECORD",)
