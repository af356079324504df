"""What starts with Python, followed in Pythons of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runtime.shims.site import LEGACY_NAMES, NEW_AUDIO, OLD_AUDIO, SERIALIZATION, Site

SAID = "import envsmith_shims; said = [envsmith_shims.added, envsmith_shims.failed]"


def python_of(version: str) -> str | Path | None:
    """Return an interpreter of a version; pyenv's own commands stand in the way of all but one."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return kept[-1] if kept else shutil.which(f"python{version}")


def test_nothing_is_imported_when_python_starts(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO, torch__serialization=SERIALIZATION, own__shapes="class Shape: pass")
    site.shims(safe_globals=["own.shapes.Shape"])
    code = "import sys; said = sorted(sys.modules)"
    assert set(site.run(code)) - set(site.run(code, packages=False)) == {"envsmith_shims"}


@pytest.mark.parametrize("minor", [9, 10, 11, 12, 13, 14])
def test_all_pythons_run_it(site: Site, minor: int) -> None:
    python = python_of(f"3.{minor}")
    if python is None:
        pytest.skip(f"there is no Python 3.{minor} here")
    site.write(torchaudio=NEW_AUDIO, torch__serialization=SERIALIZATION, own__shapes="class Shape: pass")
    site.shims(safe_globals=["own.shapes.Shape"])
    added, failed = site.run(f"import torchaudio, torch.serialization, own.shapes; {SAID}", python=python)
    assert failed == {}
    assert sorted(added["torchaudio-legacy-api"]) == sorted([*LEGACY_NAMES, "load"])
    assert added["torch-safe-globals"] == ["own.shapes.Shape"]


def test_an_import_stays_what_it_was(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    site.shims()
    code = (
        "import torchaudio, importlib; first = torchaudio.info; importlib.reload(torchaudio)\n"
        "spec = torchaudio.__spec__; said = [type(spec.loader).__name__, vars(spec.loader).get('exec_module'), "
        "torchaudio.__loader__ is spec.loader, torchaudio.info is first, spec.origin.endswith('torchaudio.py')]"
    )
    assert site.run(code) == ["SourceFileLoader", None, True, True, True]


def test_looking_for_a_package_does_not_import_it(site: Site) -> None:
    site.write(torchaudio="raise SystemExit('imported')")
    site.shims()
    assert (
        site.run("import importlib.util; said = importlib.util.find_spec('torchaudio').name") == "torchaudio"
    )


def test_what_is_not_there_is_missing_as_before(site: Site) -> None:
    site.shims()
    code = "try:\n import torchaudio\nexcept ModuleNotFoundError as error:\n said = str(error)"
    assert site.run(code) == "No module named 'torchaudio'"


def test_an_import_that_fails_fails_as_before_and_may_be_tried_again(site: Site) -> None:
    site.write(torchaudio="import os\nif os.environ.pop('BROKEN', ''): raise OSError('broken')\n" + NEW_AUDIO)
    site.shims()
    code = (
        "try:\n import torchaudio\nexcept OSError as error:\n said = [str(error)]\n"
        "import torchaudio; said.append(torchaudio.list_audio_backends())"
    )
    assert site.run(code, BROKEN="1") == ["broken", []]


def test_a_shim_that_fails_is_told_and_the_import_goes_on(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    site.shims()
    (site.folder / "envsmith_shims" / "torchaudio_legacy_api.py").write_text("raise ValueError('damaged')")
    code = (
        "import warnings\nwith warnings.catch_warnings(record=True) as seen:\n"
        " warnings.simplefilter('always'); import torchaudio\n"
        "import envsmith_shims; said = [torchaudio.load(), str(seen[-1].message), envsmith_shims.failed]"
    )
    text = "ValueError: damaged"
    told = f"envsmith_shims: shim for torchaudio failed: {text}"
    assert site.run(code) == ["own", told, {"torchaudio": text}]


def test_another_tool_that_looks_through_the_finders_is_no_circle(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    site.shims()
    code = """
import sys
class Other:
    busy = False
    def find_spec(self, name, path=None, target=None):
        if self.busy or name != "torchaudio":
            return None
        self.busy = True
        try:
            return next(spec for finder in sys.meta_path if (spec := finder.find_spec(name, path, target)))
        finally:
            self.busy = False
sys.meta_path.insert(0, Other())
import torchaudio
said = sorted(name for name in vars(torchaudio) if name.endswith("backend"))
"""
    assert site.run(code) == ["get_audio_backend", "set_audio_backend"]


def test_a_variable_turns_all_of_it_off(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    site.shims()
    code = "import torchaudio, sys; said = [hasattr(torchaudio, 'info'), len(sys.meta_path)]"
    assert site.run(code, ENVSMITH_SHIMS="off") == [False, 3]
    assert site.run(code) == [True, 4]


def test_a_shim_that_is_not_asked_for_is_not_there(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO, torch__serialization=SERIALIZATION, own__shapes="class Shape: pass")
    site.shims(["torch-safe-globals"], ["own.shapes.Shape"])
    code = f"import torchaudio, torch.serialization, own.shapes; {SAID}"
    assert site.run(code) == [{"torch-safe-globals": ["own.shapes.Shape"]}, {}]


def test_python_reads_pth_files_twice_and_once_is_enough(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    site.shims()
    code = f"site.addsitedir({str(site.folder)!r}); import sys, torchaudio, envsmith_shims\n"
    code += "said = [len(sys.meta_path), 'info' in envsmith_shims.added['torchaudio-legacy-api']]"
    assert site.run(code) == [4, True]


def test_a_list_that_is_gone_is_no_error(site: Site) -> None:
    site.write(torchaudio=OLD_AUDIO)
    site.shims()
    (site.folder / "envsmith_shims" / "active.txt").unlink()
    assert site.run(f"import torchaudio; {SAID}") == [{}, {}]
