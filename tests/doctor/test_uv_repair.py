from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.doctor.repair import UvRepairer
from envsmith.errors import EnvsmithError
from envsmith.lockfile.pins import InstallSource
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from tests.install.made import made


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    return tmp_path / "env"


def site(prefix: Path) -> Path:
    return next(prefix.glob("[Ll]ib*/**/site-packages"))


def repairer() -> UvRepairer:
    return UvRepairer(processes=Processes(), executable=find_uv(), offline=True)


def test_one_is_put_in_and_taken_out(prefix: Path, tmp_path: Path) -> None:
    wheel = made("beside")
    (tmp_path / wheel.filename).write_bytes(wheel.body)
    line = f"beside==1.0 --hash=sha256:{wheel.sha256}\n"
    supply = InstallSource(text=line, is_pylock=False, wheelhouse=str(tmp_path))
    repairer().reinstall(prefix, supply, is_hashed=True)
    module = site(prefix) / "beside" / "__init__.py"
    module.unlink()
    repairer().reinstall(
        prefix,
        InstallSource(text="beside==1.0\n", is_pylock=False, wheelhouse=str(tmp_path)),
        is_hashed=False,
    )
    assert module.is_file()
    wrong = InstallSource(
        text=f"beside==1.0 --hash=sha256:{'0' * 64}\n", is_pylock=False, wheelhouse=str(tmp_path)
    )
    repairer().clean_cache(["beside"])
    with pytest.raises(EnvsmithError, match=r"cannot reinstall the packages"):
        repairer().reinstall(prefix, wrong, is_hashed=True)
    assert module.is_file()
    repairer().remove(prefix, ["beside"])
    assert not module.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_nothing_is_set_aside_through_a_link_out_of_the_environment(prefix: Path, tmp_path: Path) -> None:
    (site(prefix) / "~umpy").mkdir()
    (tmp_path / "precious").mkdir()
    (prefix / "set-aside").symlink_to(tmp_path / "precious")
    with pytest.raises(EnvsmithError, match="TOL019"):
        repairer().move_aside(prefix, str(site(prefix).relative_to(prefix)), ["~umpy"])
    assert list((tmp_path / "precious").iterdir()) == []


def test_what_is_set_aside_is_kept_under_names_of_its_own(prefix: Path) -> None:
    for _ in range(2):
        (site(prefix) / "~umpy").mkdir()
        repairer().move_aside(prefix, str(site(prefix).relative_to(prefix)), ["~umpy"])
    assert sorted(path.name for path in (prefix / "set-aside").iterdir()) == ["~umpy", "~umpy.2"]
    assert not (site(prefix) / "~umpy").exists()


def test_what_cannot_be_moved_is_an_error(prefix: Path) -> None:
    with pytest.raises(EnvsmithError) as caught:
        repairer().move_aside(prefix, str(site(prefix).relative_to(prefix)), ["none"])
    assert caught.value.code == "ENV024"
