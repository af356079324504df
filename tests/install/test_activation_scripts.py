from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.activate.model import Activation
from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError
from envsmith.install.build import write_activation_scripts

ACTIVATION = Activation(profile="own", env={"A": "it's"})


def test_the_scripts_lie_among_the_programs_and_replace_what_was_there(tmp_path: Path) -> None:
    folder = interpreter_path(tmp_path).parent
    folder.mkdir()
    (folder / "activate.fish").write_text("uv's", "utf-8")
    write_activation_scripts(tmp_path, ACTIVATION)
    assert "'it\\'s'" in (folder / "activate.fish").read_text("utf-8")
    assert "'it'\\''s'" in (folder / "activate").read_text("utf-8")
    assert (folder / "deactivate.bat").exists()


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstallError):
        write_activation_scripts(tmp_path / "nowhere", ACTIVATION)


def test_a_file_that_uv_linked_from_its_cache_is_replaced_and_the_cache_stays(tmp_path: Path) -> None:
    folder = interpreter_path(tmp_path).parent
    folder.mkdir()
    cached = tmp_path / "cached"
    cached.write_text("of a wheel", "utf-8")
    (folder / "activate").hardlink_to(cached)
    (folder / "activate.csh").symlink_to(cached)
    write_activation_scripts(tmp_path, ACTIVATION)
    assert cached.read_text("utf-8") == "of a wheel"
    assert "envsmith" in (folder / "activate.csh").read_text("utf-8")
