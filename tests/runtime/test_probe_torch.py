"""With a torch that computes with lists; the real one is in tests/install/test_real_probes.py."""

from __future__ import annotations

from tests.runtime.fake_torch import fake_torch
from tests.runtime.probes import Bare


def test_what_it_computes_is_compared(bare: Bare) -> None:
    fake_torch(bare.site)
    facts = bare.trial("torch")["facts"]
    assert (facts["product"], facts["convolution"]) == (True, True)
    fake_torch(bare.site, wrong_on_cpu=0.5)
    facts = bare.trial("torch")["facts"]
    assert (facts["product"], facts["convolution"]) == (False, False)


def test_what_it_computes_with_is_told(bare: Bare) -> None:
    fake_torch(bare.site, threads=3, onednn=False, cpu_capability="DEFAULT")
    facts = bare.trial("torch")["facts"]
    assert (facts["version"], facts["cuda"]) == ("2.13.0+cpu", "")
    assert (facts["threads"], facts["onednn"], facts["cpu_capability"]) == (3, False, "DEFAULT")
    assert facts["blas"] == "mkl"
    assert facts["cpus"] > 0
