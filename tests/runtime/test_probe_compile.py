"""With a torch that compiles nothing; the real one takes 20 s and a compiler."""

from __future__ import annotations

from tests.runtime.probes import Bare

TORCH = """
import os

__version__ = "2.13.0+cpu"
FOLDER = os.environ["TORCHINDUCTOR_CACHE_DIR"]


class Row:
    def __init__(self, values):
        self.values = values

    def __mul__(self, number):
        return Row([value * number for value in self.values])

    def __sub__(self, number):
        return Row([value - number for value in self.values])

    def __add__(self, other):
        return Row([one + more for one, more in zip(self.values, other.values)])


def arange(first, last, device):
    return Row([first, last])


def relu(row):
    return Row([max(value, 0.0) for value in row.values])


def compile(function):
    assert os.path.isdir(FOLDER)
    return COMPILED


def equal(one, other):
    return one.values == other.values
"""


def test_the_compiled_function_is_compared_with_itself_uncompiled(bare: Bare) -> None:
    place = bare.site / "torch.py"
    place.write_text(TORCH.replace("COMPILED", "function"), "utf-8")
    facts = bare.trial("compile")["facts"]
    assert (facts["device"], facts["product"]) == ("cpu", True)
    assert facts["compile_s"] >= 0
    place.write_text(TORCH.replace("COMPILED", "lambda row: row"), "utf-8")
    assert bare.trial("compile")["facts"]["product"] is False


def test_a_compiler_that_is_missing_is_told(bare: Bare) -> None:
    text = TORCH.replace("return COMPILED", "raise RuntimeError('No working C++ compiler found')")
    (bare.site / "torch.py").write_text(text, "utf-8")
    found = bare.trial("compile")
    assert found["error"] == "RuntimeError: No working C++ compiler found"
    assert found["facts"]["device"] == "cpu"
