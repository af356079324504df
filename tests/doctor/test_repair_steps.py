from __future__ import annotations

import pytest

from envsmith.doctor.repair_plan import RepairStep, StepKind


@pytest.mark.parametrize(
    ("kind", "subject", "told"),
    [
        (StepKind.REBUILD, "small", "envsmith install small --deep"),
        (StepKind.MOVE, "~umpy", "mv ~umpy env/set-aside/"),
        (StepKind.REMOVE, "extra", "uv pip uninstall --python env extra"),
        (StepKind.INSTALL, "a==1", "uv pip install --python env --no-deps --reinstall a==1"),
    ],
)
def test_a_step_is_a_command_in_words(kind: StepKind, subject: str, told: str) -> None:
    step = RepairStep(kind=kind, subjects=(subject,))
    assert " ".join(step.argv("env")) == told
    assert step.to_json("env") == {"kind": kind, "subjects": [subject], "argv": told.split(), "hashed": False}
