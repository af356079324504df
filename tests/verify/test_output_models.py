from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from envsmith.config.model_files import ModelCheckResult, ModelFile
from envsmith.verify import model_findings, output
from envsmith.verify.model_findings import CheckedModel
from tests.install.locked import locked_shop
from tests.install.made import PROFILE, Shop, made

MODEL = ModelFile(path="models/a.onnx", format="onnx")
DECLARED = '\n[[models]]\npath = "models/a.onnx"\nformat = "onnx"\n'
BEGIN = 'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\n'


def test_what_was_done_with_each_model_and_what_is_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    told = ModelCheckResult(
        load_s=0.25, first_run_s=0.5, run_s=0.125, tensors=2, dtypes=("float32",), difference=1e-6
    )
    good = CheckedModel(model=MODEL, result=told, findings=())
    bad = CheckedModel(model=MODEL, result=ModelCheckResult(), findings=(model_findings.missing(MODEL),))
    output.show_models((good, bad))
    said = " ".join(capfd.readouterr().out.split())
    assert (
        "models/a.onnx · onnx · 2 tensors of float32 · loaded in 0.250 s · first run 0.500 s · next run 0.125 s"
        in said
    )
    assert "within 1e-06 of its reference" in said
    assert "error ENV100 models/a.onnx: is missing" in said
    assert not output.has_errors((good,))
    assert output.has_errors((good, bad))
    output.show_models(())
    assert "no models declared" in capfd.readouterr().out


def test_verify_ends_with_1_where_a_model_is_missing_and_says_nothing_of_models_unasked(
    tmp_path: Path,
) -> None:
    shop = Shop.opened(tmp_path)
    shop.stock(made("beside"))
    shop.lock(made("beside"))
    (shop.project.root / "profiles").mkdir()
    (shop.project.root / "profiles" / f"{PROFILE}.toml").write_text(BEGIN + DECLARED, "utf-8")
    assert shop.install().status == 0
    assert shop.project.run("verify").status == 0
    ran = shop.project.run("verify", "--models")
    assert (ran.status, "models/a.onnx: is missing" in ran.said) == (1, True)
    (shop.project.root / "models").mkdir()
    (shop.project.root / "models" / "a.onnx").write_bytes(b"")
    ran = shop.project.run("verify", "--models", "--json")
    (model,) = json.loads(ran.out)["data"]["models"]
    assert [finding["code"] for finding in model["findings"]] == ["ENV112", "ENV111"]


def test_a_lock_records_models_and_their_change_makes_it_stale(tmp_path: Path) -> None:
    with locked_shop(tmp_path) as shop:
        project = shop.project
        before = project.manifest("own")
        path = project.root / "profiles" / "own.toml"
        path.write_text(path.read_text("utf-8") + DECLARED, "utf-8")
        lock = ("lock", "own", "--offline")
        assert project.run(*lock, "--check").status == 0, "the file is not here"
        (project.root / "models").mkdir()
        (project.root / "models" / "a.onnx").write_bytes(b"one")
        ran = project.run(*lock, "--check")
        assert (ran.status, "LCK050" in ran.said) == (1, True)
        assert project.run(*lock).status == 0
        after = project.manifest("own")
        assert after.models == {"models/a.onnx": hashlib.sha256(b"one").hexdigest()}
        assert after.targets == before.targets, "what is installed stays the same"
        assert project.run(*lock, "--check").status == 0
        (project.root / "models" / "a.onnx").write_bytes(b"two")
        assert project.run(*lock, "--check").status == 1
        path.write_text(path.read_text("utf-8") + f'sha256 = "{after.models["models/a.onnx"]}"\n', "utf-8")
        ran = project.run(*lock)
        assert "LCK039" in ran.said
        assert ran.status != 0
