from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError
from envsmith.process.runner import Processes
from envsmith.shims.environment import ShimProbe

AUDIO = ("torchaudio-legacy-api", "torchaudio", "torchaudio")
GLOBALS = ("torch-safe-globals", "torch.serialization", "torch")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("env") / "env"
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "torchaudio.py").write_text(
        "import os, time\ninfo = 1\nif os.environ.get('SLOW'): time.sleep(60)\n"
    )
    assert interpreter_path(folder).exists()
    return folder


def test_an_environment_is_asked(prefix: Path) -> None:
    told = ShimProbe(processes=Processes()).check_shims(prefix, (*AUDIO, "--"), is_off=True, timeout_s=60)
    assert told.is_needed
    assert "no attribute 'load'" in told.reasons[1]
    assert told.failures[1].startswith("info fails even with the shim: TypeError: ")
    assert told.active == ()


def test_one_that_hangs_is_ended(prefix: Path, tmp_path: Path) -> None:
    (site,) = prefix.glob(f"lib/python{sys.version_info[0]}.*/site-packages")
    hanging = tmp_path / "torchaudio.py"
    hanging.write_text("import time; time.sleep(60)\n", "utf-8")
    (site / "torch.py").write_text(hanging.read_text("utf-8"), "utf-8")
    with pytest.raises(InstallError) as caught:
        ShimProbe(processes=Processes()).check_shims(
            prefix, (*GLOBALS, "a.B", "--"), is_off=False, timeout_s=0.5
        )
    assert caught.value.code == "ENV029"
