"""Check of one model file: load it as safely as its format allows, and run it if inputs are declared.

Run as ``python -I model_check.py SPEC`` in the environment to check; SPEC is JSON, see `main`. The loaders are in
model_load.py, beside this file. The answer is JSON.

Standard library, and the environment's numpy, torch, safetensors and onnxruntime. No import of envsmith: runs on Python
3.9 and later.
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

# With -I a script's folder is not on sys.path, so the files beside it are run by path.
_LOAD = runpy.run_path(str(Path(__file__).with_name("model_load.py")))
ModelProblem: Any = _LOAD["ModelProblem"]
_import_library = _LOAD["import_library"]


def check(spec: dict[str, Any]) -> dict[str, Any]:
    """Load a model, run it if inputs are declared, and compare the outputs with its reference.

    Returns:
        ``problems``, each with kind, text and names; ``load_s``, ``first_run_s`` and ``run_s``; ``tensors`` and
        ``dtypes`` of formats with tensors; ``difference`` from the reference.
    """
    answer: dict[str, Any] = {"problems": []}
    try:
        _import_library(_LOAD["LIBRARIES"][spec["format"]])  # do not count the library's import as load time
        begun = time.perf_counter()
        model = _LOAD["LOADERS"][spec["format"]](spec, answer)
        answer["load_s"] = time.perf_counter() - begun
        if spec["inputs"] and model is not None:
            _run(model, spec, answer)
    except ModelProblem as problem:
        answer["problems"].append(problem.values)
    except Exception as error:  # noqa: BLE001 - any error is the answer
        answer["problems"].append(ModelProblem("unreadable", _LOAD["describe"](error)).values)
    return answer


def _run(model: Any, spec: dict[str, Any], answer: dict[str, Any]) -> None:  # noqa: ANN401 - a callable
    expected = None
    values = _generated_inputs(spec)
    if spec["reference"].endswith(".npz"):
        values, expected = _recorded_inputs(spec)
    begun = time.perf_counter()
    try:
        found = model(values)
    except Exception as error:
        raise ModelProblem("shape", f"it rejects the declared inputs: {_LOAD['describe'](error)}") from error
    answer["first_run_s"] = time.perf_counter() - begun
    begun = time.perf_counter()
    model(values)
    answer["run_s"] = time.perf_counter() - begun
    if spec["reference"] and expected is None:
        other = {**spec, "path": spec["reference"], "format": spec["reference_format"], "reference": ""}
        expected = _LOAD["LOADERS"][other["format"]](other, {"problems": []})(values)
    if expected is not None:
        answer["difference"] = _difference(found, expected, spec)


def _generated_inputs(spec: dict[str, Any]) -> list[Any]:
    """Generate the same inputs each time: standard normal floats, and integers 0 or 1."""
    numpy = _import_library("numpy")
    random = numpy.random.default_rng(0)
    symbols = {part: None for one in spec["inputs"] for part in one["shape"] if isinstance(part, str)}
    sizes = {symbol: spec["sizes"].get(symbol, 2 + number) for number, symbol in enumerate(symbols)}
    made = []
    for one in spec["inputs"]:
        shape = [sizes[part] if isinstance(part, str) else part for part in one["shape"]]
        is_real = "float" in one["dtype"]
        values = random.standard_normal(shape) if is_real else random.integers(0, 2, shape)
        made.append(numpy.asarray(values, dtype=one["dtype"]))
    return made


def _recorded_inputs(spec: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Read recorded inputs and outputs; arrays not named as inputs are outputs, sorted by name."""
    numpy = _import_library("numpy")
    with numpy.load(spec["reference"], allow_pickle=False) as held:
        names = [one["name"] for one in spec["inputs"]]
        missing = [name for name in names if name not in held]
        if missing:
            raise ModelProblem("reference", f"{spec['reference']} has no array {', '.join(missing)}", missing)
        outputs = sorted(name for name in held if name not in names)
        return [held[name] for name in names], [held[name] for name in outputs]


def _difference(found: list[Any], expected: list[Any], spec: dict[str, Any]) -> float:
    """Return the largest difference between outputs; raise `ModelProblem` if one exceeds the tolerance."""
    numpy = _import_library("numpy")
    shapes = [list(one.shape) for one in found], [list(one.shape) for one in expected]
    if shapes[0] != shapes[1]:
        raise ModelProblem(
            "differs", f"its outputs have shapes {shapes[0]}, the reference's have {shapes[1]}"
        )
    most = 0.0
    for one, other in zip(found, expected):  # noqa: B905 - 3.10's
        away = numpy.abs(one.astype("float64") - other.astype("float64"))
        bound = spec["atol"] + spec["rtol"] * numpy.abs(other.astype("float64"))
        same = (away <= bound) | (numpy.isnan(one) & numpy.isnan(other))
        most = max(most, float(numpy.nanmax(away, initial=0.0)))
        if not same.all():
            count, worst = int((~same).sum()), float(numpy.nanmax(away, initial=0.0))
            text = f"{count} of {same.size} values differ from the reference by up to {worst:.3g}"
            raise ModelProblem(
                "differs", f"{text}; tolerance: {spec['atol']:g} + {spec['rtol']:g} of the value"
            )
    return most


def main(words: list[str]) -> None:
    """Check a model and print the answer on the last line of standard output.

    The only argument is JSON: ``path``, ``format``, ``device``, ``inputs`` (``name``, ``shape`` and ``dtype`` of each),
    ``sizes``, ``tensors``, ``reference``, ``reference_format``, ``atol``, ``rtol`` and ``safe_globals``.
    """
    with contextlib.redirect_stdout(sys.stderr):
        answer = check(json.loads(words[0]))
    print("\n" + json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
