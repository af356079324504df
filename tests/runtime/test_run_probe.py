from __future__ import annotations

import json

from tests.runtime.fake_torch import fake_torch
from tests.runtime.probes import Bare


def test_the_answer_tells_seconds_and_memory_and_comes_last(bare: Bare) -> None:
    fake_torch(bare.site)
    lines = [json.loads(line) for line in bare.run("torch").stdout.splitlines()]
    assert lines[0] == {"step": "importing torch"}
    assert lines[-1]["name"] == "torch"
    assert lines[-1]["error"] == ""
    assert lines[-1]["seconds"] > 0
    assert lines[-1]["peak_bytes"] > 1_000_000


def test_what_a_library_prints_goes_elsewhere(bare: Bare) -> None:
    fake_torch(bare.site, at_import="print('{\"facts\": 1}'); os.write(1, b'raw')")
    done = bare.run("torch")
    assert all("facts" not in json.loads(line) for line in done.stdout.splitlines()[:-1])
    assert '{"facts": 1}' in done.stderr
    assert "raw" in done.stderr


def test_an_error_is_told_with_its_place_and_what_was_known_by_then(bare: Bare) -> None:
    fake_torch(bare.site, at_import="raise OSError('libcudart.so.12: cannot open shared object file')")
    found = bare.trial("torch")
    assert found["error"] == "OSError: libcudart.so.12: cannot open shared object file"
    assert ":" in found["place"]
    assert found["facts"] == {}


def test_an_import_that_ends_the_interpreter_is_an_error(bare: Bare) -> None:
    fake_torch(bare.site, at_import="raise SystemExit(0)")
    assert bare.trial("torch")["error"] == "SystemExit: 0"


def test_a_crash_leaves_the_step_it_happened_in(bare: Bare) -> None:
    fake_torch(bare.site, at_import="os.abort()")
    done = bare.run("torch")
    assert done.returncode != 0
    assert json.loads(done.stdout.splitlines()[-1]) == {"step": "importing torch"}


def test_a_library_that_is_not_there_is_an_error(bare: Bare) -> None:
    assert bare.trial("jax")["error"] == "ModuleNotFoundError: No module named 'jax'"


def test_an_unknown_name_is_an_error(bare: Bare) -> None:
    assert bare.trial("nothing")["error"] == "ValueError: unknown: nothing"
