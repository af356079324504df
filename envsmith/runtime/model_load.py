"""Safe loaders of model files, one per format.

Pickles are only read with ``weights_only=True``; globals that torch refuses are listed from the opcodes, which are read
and not run. TorchScript and ONNX files are programs: loading one runs its code.

Sources: the documentation of `torch.load` and `torch.serialization` 2.13, of safetensors 0.6 and of ONNX Runtime 1.23
(read 2026-11-21).
"""

from __future__ import annotations

import contextlib
import importlib
import runpy
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAX_NAMES = 20
_TORCH_OWN = ("torch._utils.", "torch.FloatStorage", "collections.")
_PICKLE = runpy.run_path(str(Path(__file__).with_name("model_pickle.py")))


class ModelProblem(Exception):  # noqa: N818 - a finding about a model, not an error of this script
    """A problem of a model.

    Args:
        kind: one of the kinds that envsmith maps to a finding.
        text: message for people.
        names: classes, tensors, devices or inputs in question.
    """

    def __init__(self, kind: str, text: str, names: list[str] | None = None) -> None:
        super().__init__(kind, text)
        self.values = {"kind": kind, "text": text, "names": (names or [])[:MAX_NAMES]}


def describe(error: BaseException) -> str:
    """Return the class and first line of an error."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [""]
    return f"{type(error).__name__}: {lines[0][:300]}".rstrip(": ")


def import_library(name: str) -> Any:  # noqa: ANN401 - a module
    """Import the library of a format.

    Raises:
        ModelProblem: when the import fails.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ModelProblem("library", f"{name} cannot be imported: {describe(error)}", [name]) from error


def _torch(spec: dict[str, Any]) -> Any:  # noqa: ANN401 - a module
    torch = import_library("torch")
    kind = spec["device"].partition(":")[0]
    module = getattr(torch.backends if kind == "mps" else torch, kind, None)
    if kind != "cpu" and not (module and module.is_available()):
        raise ModelProblem(
            "device", f"torch {torch.__version__} finds no device {spec['device']}", [spec["device"]]
        )
    return torch


def _unsafe_globals_problem(torch: Any, path: str, error: Exception) -> ModelProblem:  # noqa: ANN401 - a module
    """Return the reason for which the safe loader refused a file."""
    (data, *_) = _PICKLE["pickles"](path) or [b""]
    unsafe_globals: Any = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    try:
        names = sorted(unsafe_globals(path))
    except Exception:  # noqa: BLE001 - torch before 2.6, or not an archive: read the opcodes
        found = _PICKLE["globals_of"](data)
        names = [
            name for name in found if not name.startswith(_TORCH_OWN) and not _PICKLE["is_harmless"](name)
        ]
    dangerous = [name for name in names if _PICKLE["is_dangerous"](name)]
    if dangerous:
        return ModelProblem(
            "dangerous", f"loading it as a pickle would call {', '.join(dangerous)}", dangerous
        )
    if not names:
        return ModelProblem("unreadable", describe(error))
    if _PICKLE["is_whole_object"](data):
        return ModelProblem(
            "whole-object", f"contains a whole object, not a state_dict: {', '.join(names)}", names
        )
    return ModelProblem("refused", f"contains objects that weights_only refuses: {', '.join(names)}", names)


def _state_dict(spec: dict[str, Any], answer: dict[str, Any]) -> None:
    torch = _torch(spec)
    _allow(torch, spec["safe_globals"])
    seen: set[str] = set()

    def keep(storage: Any, place: str) -> Any:  # noqa: ANN401 - torch's storages
        seen.add(place)
        return storage

    try:
        held = torch.load(spec["path"], map_location=keep, weights_only=True)
    except TypeError as error:
        raise ModelProblem(
            "library", f"torch {torch.__version__} cannot load it safely: {error}", ["torch"]
        ) from error
    except Exception as error:
        raise _unsafe_globals_problem(torch, spec["path"], error) from error
    if not isinstance(held, dict):
        raise ModelProblem(
            "whole-object", f"contains a {type(held).__name__}, not a state_dict", [type(held).__name__]
        )
    _note_other_devices(sorted(seen), spec, answer)
    tensors = dict(_tensors(torch, held))
    _check_tensors(tensors, spec, answer)


def _allow(torch: Any, names: list[str]) -> None:  # noqa: ANN401 - a module
    for name in names:
        module, _, attribute = name.rpartition(".")
        with contextlib.suppress(Exception):  # a failed import leaves the name refused, which is reported
            torch.serialization.add_safe_globals([getattr(importlib.import_module(module), attribute)])


def _note_other_devices(places: list[str], spec: dict[str, Any], answer: dict[str, Any]) -> None:
    """Report tensors saved on another device than the declared one: `torch.load` needs `map_location` for them."""
    kind = spec["device"].partition(":")[0]
    others = [place for place in places if place.partition(":")[0] not in ("cpu", kind)]
    if others:
        text = f"tensors were saved on {', '.join(others)}"
        answer["problems"].append(ModelProblem("elsewhere", text, others).values)


def _tensors(torch: Any, held: dict[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    for key, value in held.items():
        if isinstance(value, torch.Tensor):
            yield f"{before}{key}", value
        elif isinstance(value, dict):
            yield from _tensors(torch, value, f"{before}{key}.")


def _check_tensors(tensors: dict[str, Any], spec: dict[str, Any], answer: dict[str, Any]) -> None:
    answer["tensors"] = len(tensors)
    answer["dtypes"] = sorted({str(tensor.dtype).rpartition(".")[2] for tensor in tensors.values()})
    for name, shape in spec["tensors"].items():
        if name not in tensors:
            raise ModelProblem("shape", f"tensor {name} is missing", [name])
        if list(tensors[name].shape) != shape:
            raise ModelProblem(
                "shape", f"{name} has shape {list(tensors[name].shape)}, declared {shape}", [name]
            )


def _safetensors(spec: dict[str, Any], answer: dict[str, Any]) -> None:
    _torch(spec)
    found = import_library("safetensors")
    with found.safe_open(spec["path"], framework="pt", device=spec["device"]) as held:
        _check_tensors({name: held.get_tensor(name) for name in held.keys()}, spec, answer)  # noqa: SIM118 - no mapping


def _torchscript(spec: dict[str, Any], answer: dict[str, Any]) -> Any:  # noqa: ANN401 - a callable
    torch = _torch(spec)
    if not _PICKLE["is_torchscript"](spec["path"]):
        raise ModelProblem("unreadable", "not a TorchScript file: its archive contains no code")
    model = torch.jit.load(spec["path"], map_location=spec["device"]).eval()
    places = sorted(set().union(*map(_PICKLE["devices"], _PICKLE["pickles"](spec["path"]))))
    _note_other_devices(places, spec, answer)

    def run(values: list[Any]) -> list[Any]:
        with torch.no_grad():
            found = model(*(torch.from_numpy(value).to(spec["device"]) for value in values))
        return [
            one.detach().cpu().numpy() for one in (found if isinstance(found, (tuple, list)) else [found])
        ]

    return run


def _onnx(spec: dict[str, Any], answer: dict[str, Any]) -> Any:  # noqa: ANN401, ARG001 - a callable
    found = import_library("onnxruntime")
    wanted = {"cuda": "CUDAExecutionProvider"}.get(spec["device"].partition(":")[0], "CPUExecutionProvider")
    if wanted not in found.get_available_providers():
        raise ModelProblem("device", f"onnxruntime {found.__version__} has no {wanted}", [wanted])
    session = found.InferenceSession(spec["path"], providers=[wanted])
    if wanted not in session.get_providers():
        raise ModelProblem("device", f"onnxruntime {found.__version__} did not use {wanted}", [wanted])
    own = {one.name: one for one in session.get_inputs()}
    check_inputs(own, spec["inputs"])
    names = [one["name"] for one in spec["inputs"]]
    return lambda values: session.run(None, dict(zip(names, values)))  # noqa: B905 - 3.10's


def check_inputs(own: dict[str, Any], declared: list[dict[str, Any]]) -> None:
    """Compare the declared inputs with those of the model.

    Raises:
        ModelProblem: when names or shapes differ.
    """
    if declared and sorted(own) != sorted(one["name"] for one in declared):
        raise ModelProblem("shape", f"the model's inputs are {', '.join(sorted(own))}", sorted(own))
    for one in declared:
        shape, wanted = list(own[one["name"]].shape), one["shape"]
        is_fixed = len(shape) == len(wanted)
        for have, want in zip(shape, wanted):  # noqa: B905 - 3.10's
            is_fixed = is_fixed and (not isinstance(have, int) or have == want)
        if not is_fixed:
            raise ModelProblem("shape", f"{one['name']} has shape {shape}, declared {wanted}", [one["name"]])


LOADERS = {
    "state_dict": _state_dict,
    "safetensors": _safetensors,
    "torchscript": _torchscript,
    "onnx": _onnx,
}
LIBRARIES = {"state_dict": "torch", "safetensors": "torch", "torchscript": "torch", "onnx": "onnxruntime"}
