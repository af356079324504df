"""Load one model file as safely as its format allows, run it where inputs are declared, and say as JSON how that went.

Run as ``python -I model_check.py SPEC`` in the environment that is asked about; SPEC is JSON, see `main`. How each
format is loaded lies in model_load.py, beside this file.

Standard library, and what the environment has: numpy, torch, safetensors, onnxruntime. No name of envsmith's; any
Python from 3.9 on runs it.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# -I keeps the folder of a script off the path, and so nothing here is mistaken for a package.
_LOAD = runpy.run_path(str(Path(__file__).with_name("model_load.py")))
Told: Any = _LOAD["Told"]
_library = _LOAD["library"]


def check(spec: dict[str, Any]) -> dict[str, Any]:
    """Load a model, run it where inputs are declared, and compare it with its reference.

    Returns:
        ``problems``, each with kind, text and names; ``load_s``, ``first_run_s`` and ``run_s``; ``tensors`` and
        ``dtypes`` of those that hold them; ``difference`` from the reference.
    """
    answer: dict[str, Any] = {"problems": []}
    try:
        _library(_LOAD["LIBRARIES"][spec["format"]])  # its own import is not the model's time
        begun = time.perf_counter()
        model = _LOAD["LOADERS"][spec["format"]](spec, answer)
        answer["load_s"] = time.perf_counter() - begun
        if spec["inputs"] and model is not None:
            _run(model, spec, answer)
    except Told as told:
        answer["problems"].append(told.values)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        answer["problems"].append(Told("unreadable", _LOAD["text"](error)).values)
    return answer


def _run(model: Any, spec: dict[str, Any], answer: dict[str, Any]) -> None:  # noqa: ANN401 - whatever can be called
    expected = None
    values = _made(spec)
    if spec["reference"].endswith(".npz"):
        values, expected = _recorded(spec)
    begun = time.perf_counter()
    try:
        found = model(values)
    except Exception as error:
        raise Told("shape", f"it does not take the declared inputs: {_LOAD['text'](error)}") from error
    answer["first_run_s"] = time.perf_counter() - begun
    begun = time.perf_counter()
    model(values)
    answer["run_s"] = time.perf_counter() - begun
    if spec["reference"] and expected is None:
        other = {**spec, "path": spec["reference"], "format": spec["reference_format"], "reference": ""}
        expected = _LOAD["LOADERS"][other["format"]](other, {"problems": []})(values)
    if expected is not None:
        answer["difference"] = _compared(found, expected, spec)


def _made(spec: dict[str, Any]) -> list[Any]:
    """Make inputs, the same each time: small normal numbers, and 0 or 1 where numbers are whole."""
    numpy = _library("numpy")
    chance = numpy.random.default_rng(0)
    symbols = {part: None for one in spec["inputs"] for part in one["shape"] if isinstance(part, str)}
    sizes = {symbol: spec["sizes"].get(symbol, 2 + number) for number, symbol in enumerate(symbols)}
    made = []
    for one in spec["inputs"]:
        shape = [sizes[part] if isinstance(part, str) else part for part in one["shape"]]
        is_real = "float" in one["dtype"]
        values = chance.standard_normal(shape) if is_real else chance.integers(0, 2, shape)
        made.append(numpy.asarray(values, dtype=one["dtype"]))
    return made


def _recorded(spec: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Read inputs and outputs that were written down; arrays that are no inputs are outputs, by name."""
    numpy = _library("numpy")
    with numpy.load(spec["reference"], allow_pickle=False) as held:
        names = [one["name"] for one in spec["inputs"]]
        missing = [name for name in names if name not in held]
        if missing:
            raise Told("reference", f"{spec['reference']} has no array {', '.join(missing)}", missing)
        outputs = sorted(name for name in held if name not in names)
        return [held[name] for name in names], [held[name] for name in outputs]


def _compared(found: list[Any], expected: list[Any], spec: dict[str, Any]) -> float:
    """Return the largest difference, where all are within the tolerance."""
    numpy = _library("numpy")
    shapes = [list(one.shape) for one in found], [list(one.shape) for one in expected]
    if shapes[0] != shapes[1]:
        raise Told("differs", f"its outputs have the shapes {shapes[0]}, the reference's {shapes[1]}")
    most = 0.0
    for one, other in zip(found, expected):  # noqa: B905 - 3.10's
        away = numpy.abs(one.astype("float64") - other.astype("float64"))
        bound = spec["atol"] + spec["rtol"] * numpy.abs(other.astype("float64"))
        same = (away <= bound) | (numpy.isnan(one) & numpy.isnan(other))
        most = max(most, float(numpy.nanmax(away, initial=0.0)))
        if not same.all():
            count, worst = int((~same).sum()), float(numpy.nanmax(away, initial=0.0))
            text = f"{count} of {same.size} values differ from the reference by up to {worst:.3g}"
            raise Told("differs", f"{text}; allowed are {spec['atol']:g} + {spec['rtol']:g} of the value")
    return most


def main(words: list[str]) -> None:
    """Answer what the command line asks, on the last line of standard output.

    The one word is JSON: ``path``, ``format``, ``device``, ``inputs`` (each with ``name``, ``shape`` and ``dtype``),
    ``sizes``, ``tensors``, ``reference``, ``reference_format``, ``atol``, ``rtol`` and ``safe_globals``.
    """
    with contextlib.redirect_stdout(sys.stderr):
        answer = check(json.loads(words[0]))
    print("\n" + json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
