"""Load a model file as safely as its format allows.

A pickle is only ever read with ``weights_only=True``; what that refuses is named from its opcodes, which are read and
not run. TorchScript and ONNX are programs of their own: to load one is to run what it says.

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

MOST_NAMED = 20
_OWN = ("torch._utils.", "torch.FloatStorage", "collections.")
_PICKLE = runpy.run_path(str(Path(__file__).with_name("model_pickle.py")))


class Told(Exception):  # noqa: N818 - it is told, and no fault of this program
    """One thing that is wrong with a model.

    Args:
        kind: a word that envsmith knows.
        text: a sentence.
        names: of what it speaks of.
    """

    def __init__(self, kind: str, text: str, names: list[str] | None = None) -> None:
        super().__init__(kind, text)
        self.values = {"kind": kind, "text": text, "names": (names or [])[:MOST_NAMED]}


def text(error: BaseException) -> str:
    """Return kind and first line of an error."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [""]
    return f"{type(error).__name__}: {lines[0][:300]}".rstrip(": ")


def library(name: str) -> Any:  # noqa: ANN401 - a module
    """Import what a format needs.

    Raises:
        Told: when it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise Told("library", f"{name} cannot be imported: {text(error)}", [name]) from error


def _torch(spec: dict[str, Any]) -> Any:  # noqa: ANN401 - a module
    torch = library("torch")
    family = spec["device"].partition(":")[0]
    has = getattr(torch.backends if family == "mps" else torch, family, None)
    if family != "cpu" and not (has and has.is_available()):
        raise Told(
            "device", f"torch {torch.__version__} sees no device {spec['device']} here", [spec["device"]]
        )
    return torch


def _refused(torch: Any, path: str, error: Exception) -> Told:  # noqa: ANN401 - a module
    """Say what the safe loader refuses."""
    (data, *_) = _PICKLE["pickles"](path) or [b""]
    ask: Any = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    try:
        names = sorted(ask(path))
    except Exception:  # noqa: BLE001 - before torch 2.6, or no archive: then from the opcodes alone
        asked = _PICKLE["globals_of"](data)
        names = [name for name in asked if not name.startswith(_OWN) and not _PICKLE["is_harmless"](name)]
    dangerous = [name for name in names if _PICKLE["is_dangerous"](name)]
    if dangerous:
        return Told("dangerous", f"reading it as a pickle would call {', '.join(dangerous)}", dangerous)
    if not names:
        return Told("unreadable", text(error))
    if _PICKLE["is_whole_object"](data):
        return Told("whole-object", f"it holds an object and no state_dict: {', '.join(names)}", names)
    return Told("refused", f"it holds objects that weights_only refuses: {', '.join(names)}", names)


def _state_dict(spec: dict[str, Any], answer: dict[str, Any]) -> None:
    torch = _torch(spec)
    _allow(torch, spec["safe_globals"])
    seen: set[str] = set()

    def stay(storage: Any, place: str) -> Any:  # noqa: ANN401 - torch's storages
        seen.add(place)
        return storage

    try:
        held = torch.load(spec["path"], map_location=stay, weights_only=True)
    except TypeError as error:
        raise Told(
            "library", f"torch {torch.__version__} has no safe way to read it: {error}", ["torch"]
        ) from error
    except Exception as error:
        raise _refused(torch, spec["path"], error) from error
    if not isinstance(held, dict):
        raise Told(
            "whole-object", f"it holds a {type(held).__name__} and no state_dict", [type(held).__name__]
        )
    _told_elsewhere(sorted(seen), spec, answer)
    tensors = dict(_tensors(torch, held))
    _counted(tensors, spec, answer)


def _allow(torch: Any, names: list[str]) -> None:  # noqa: ANN401 - a module
    for name in names:
        module, _, attribute = name.rpartition(".")
        with contextlib.suppress(Exception):  # what cannot be imported stays refused, and is named
            torch.serialization.add_safe_globals([getattr(importlib.import_module(module), attribute)])


def _told_elsewhere(places: list[str], spec: dict[str, Any], answer: dict[str, Any]) -> None:
    """Note tensors that lie on another device than the declared one: without map_location they are sought there."""
    family = spec["device"].partition(":")[0]
    others = [place for place in places if place.partition(":")[0] not in ("cpu", family)]
    if others:
        text = f"its tensors were saved on {', '.join(others)}"
        answer["problems"].append(Told("elsewhere", text, others).values)


def _tensors(torch: Any, held: dict[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    for key, value in held.items():
        if isinstance(value, torch.Tensor):
            yield f"{before}{key}", value
        elif isinstance(value, dict):
            yield from _tensors(torch, value, f"{before}{key}.")


def _counted(tensors: dict[str, Any], spec: dict[str, Any], answer: dict[str, Any]) -> None:
    answer["tensors"] = len(tensors)
    answer["dtypes"] = sorted({str(tensor.dtype).rpartition(".")[2] for tensor in tensors.values()})
    for name, shape in spec["tensors"].items():
        if name not in tensors:
            raise Told("shape", f"it has no tensor {name}", [name])
        if list(tensors[name].shape) != shape:
            raise Told(
                "shape", f"{name} has the shape {list(tensors[name].shape)}, declared is {shape}", [name]
            )


def _safetensors(spec: dict[str, Any], answer: dict[str, Any]) -> None:
    _torch(spec)
    found = library("safetensors")
    with found.safe_open(spec["path"], framework="pt", device=spec["device"]) as held:
        _counted({name: held.get_tensor(name) for name in held.keys()}, spec, answer)  # noqa: SIM118 - no mapping


def _torchscript(spec: dict[str, Any], answer: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever can be called
    torch = _torch(spec)
    if not _PICKLE["is_torchscript"](spec["path"]):
        raise Told("unreadable", "it is no TorchScript: its archive holds no code")
    model = torch.jit.load(spec["path"], map_location=spec["device"]).eval()
    places = sorted(set().union(*map(_PICKLE["devices"], _PICKLE["pickles"](spec["path"]))))
    _told_elsewhere(places, spec, answer)

    def run(values: list[Any]) -> list[Any]:
        with torch.no_grad():
            found = model(*(torch.from_numpy(value).to(spec["device"]) for value in values))
        return [
            one.detach().cpu().numpy() for one in (found if isinstance(found, (tuple, list)) else [found])
        ]

    return run


def _onnx(spec: dict[str, Any], answer: dict[str, Any]) -> Any:  # noqa: ANN401, ARG001 - whatever can be called
    found = library("onnxruntime")
    wanted = {"cuda": "CUDAExecutionProvider"}.get(spec["device"].partition(":")[0], "CPUExecutionProvider")
    if wanted not in found.get_available_providers():
        raise Told("device", f"onnxruntime {found.__version__} has no {wanted}", [wanted])
    session = found.InferenceSession(spec["path"], providers=[wanted])
    if wanted not in session.get_providers():
        raise Told("device", f"onnxruntime {found.__version__} did not take {wanted}", [wanted])
    own = {one.name: one for one in session.get_inputs()}
    same_inputs(own, spec["inputs"])
    names = [one["name"] for one in spec["inputs"]]
    return lambda values: session.run(None, dict(zip(names, values)))  # noqa: B905 - 3.10's


def same_inputs(own: dict[str, Any], declared: list[dict[str, Any]]) -> None:
    """Compare the inputs that a profile declares with a model's own.

    Raises:
        Told: where they are others, or have another shape.
    """
    if declared and sorted(own) != sorted(one["name"] for one in declared):
        raise Told("shape", f"its inputs are {', '.join(sorted(own))}", sorted(own))
    for one in declared:
        shape, wanted = list(own[one["name"]].shape), one["shape"]
        is_fixed = len(shape) == len(wanted)
        for have, want in zip(shape, wanted):  # noqa: B905 - 3.10's
            is_fixed = is_fixed and (not isinstance(have, int) or have == want)
        if not is_fixed:
            raise Told("shape", f"{one['name']} has the shape {shape}, declared is {wanted}", [one["name"]])


LOADERS = {
    "state_dict": _state_dict,
    "safetensors": _safetensors,
    "torchscript": _torchscript,
    "onnx": _onnx,
}
LIBRARIES = {"state_dict": "torch", "safetensors": "torch", "torchscript": "torch", "onnx": "onnxruntime"}
