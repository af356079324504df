"""Model files of a profile, and the result of checking one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envsmith.config import readers
from envsmith.config.readers import Key, Location, Reader
from envsmith.errors import ProfileError
from envsmith.model.wheel import SHA256

FORMATS = ("state_dict", "torchscript", "onnx", "safetensors")
RUNNABLE = ("torchscript", "onnx")
DTYPES = ("float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")
ARRAYS = ".npz"
"""Suffix of a reference file with inputs and outputs."""
_REQUIRED = ("path", "format")
_SIZE_LIMIT = 1 << 31
_TOLERANCE_LIMIT = 1e30
_DEVICE = re.compile(r"cpu|(?:cuda|xpu)(?::\d{1,3})?|mps", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One model of a profile."""

    path: str
    """Relative to the project, with ``/``."""
    format: str
    sha256: str = ""
    """Declared in the profile; otherwise the lock records it."""
    device: str = "cpu"
    inputs: tuple[Mapping[str, Any], ...] = ()
    """Each with ``name``, ``shape`` (numbers and dimension names) and ``dtype``."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Dimension name → size in the test run."""
    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Tensor → shape, for formats that contain tensors only."""
    reference: str = ""
    """Another runnable model of the profile, or a file of input and output arrays."""
    atol: float = 1e-5
    rtol: float = 1e-3

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> ModelFile:
        """Build a model from values that `read_model` accepted."""
        known = dict(values)
        known["inputs"] = tuple(dict(one) for one in known.get("inputs", ()))
        return cls(**known)

    def to_spec(self, reference_format: str, safe_globals: tuple[str, ...]) -> dict[str, object]:
        """Return the input of `runtime/model_check.py`, except its paths."""
        return {
            "format": self.format,
            "device": self.device,
            "inputs": [{**one, "shape": list(one["shape"])} for one in self.inputs],
            "sizes": dict(self.sizes),
            "tensors": {name: list(shape) for name, shape in self.tensors.items()},
            "reference_format": reference_format,
            "atol": self.atol,
            "rtol": self.rtol,
            "safe_globals": list(safe_globals),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCheckResult:
    """Result of checking one model."""

    problems: tuple[Mapping[str, Any], ...] = ()
    """Each with ``kind``, ``text`` and ``names``."""
    load_s: float | None = None
    first_run_s: float | None = None
    run_s: float | None = None
    tensors: int | None = None
    dtypes: tuple[str, ...] = ()
    difference: float | None = None
    """Largest absolute difference from the reference."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelCheckResult:
        """Parse the output of `runtime/model_check.py`.

        Raises:
            KeyError: when a key is missing.
            TypeError: when a value has another type.
        """
        known = dict(values)
        return cls(problems=tuple(known.pop("problems")), dtypes=tuple(known.pop("dtypes", ())), **known)


def _models(value: object, location: Location) -> tuple[Mapping[str, Any], ...] | None:
    found = _LIST(value, location)
    models = found or ()
    runnable = {one["path"] for one in models if one["format"] in RUNNABLE}
    for number, one in enumerate(models):
        reference = one.get("reference", "")
        if reference and not reference.endswith(ARRAYS) and reference not in runnable - {one["path"]}:
            location.at(number).problem(
                "PRF005",
                f"invalid reference {reference!r}",
                "name another model here, torchscript or onnx, or an .npz",
            )
        if [other["path"] for other in models].index(one["path"]) != number:
            location.at(number).problem("PRF005", f"{one['path']!r} is declared twice", "remove one of them")
    return found


def _model(value: object, location: Location) -> Mapping[str, Any] | None:
    """Read one model as plain values."""
    found = readers.fields(value, location, _MODEL)
    for key in _REQUIRED:
        if isinstance(value, Mapping) and key not in value:
            location.at(key).problem(
                "PRF014", f"{key} is missing", "each of [[models]] has a path and a format"
            )
    if not set(_REQUIRED) <= set(found):
        return None
    if found.get("reference") and not found.get("inputs"):
        location.at("reference").problem("PRF014", "inputs are missing", "add the inputs to compare it with")
    plain = readers.json_value(_plain(found), location)
    return plain if isinstance(plain, Mapping) else None


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _path(text: str) -> str:
    if readers.is_outside(text):
        raise ProfileError(
            "PRF005", f"{text!r} is not inside the project", hint="a path relative to the project"
        )
    return "/".join(part for part in text.replace("\\", "/").split("/") if part not in ("", "."))


def _matching(pattern: re.Pattern[str], what: str, hint: str) -> Reader[str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ProfileError("PRF005", f"invalid {what} {text[:100]!r}", hint=hint)
        return text

    return readers.parsed(parse, readers.pattern_schema(pattern))


def _size(value: object, location: Location) -> int | None:
    if type(value) is int and 0 < value < _SIZE_LIMIT:
        return value
    location.problem("PRF005", "must be a size", "a whole number from 1 on")
    return None


def _dimension(value: object, location: Location) -> str | int | None:
    return _SYMBOLS(value, location) if isinstance(value, str) else _size(value, location)


def _tolerance(value: object, location: Location) -> float | None:
    if type(value) in (int, float) and 0 <= float(str(value)) < _TOLERANCE_LIMIT:
        return float(str(value))
    location.problem("PRF005", "must be a tolerance", "a number from 0 on, such as 1e-4")
    return None


def _input(value: object, location: Location) -> dict[str, object] | None:
    found = readers.fields(value, location, _INPUT)
    missing = [key for key in _INPUT if isinstance(value, Mapping) and key not in value]
    if missing:
        location.problem(
            "PRF014",
            f"{', '.join(missing)} missing",
            'such as { name = "x", shape = [1], dtype = "float32" }',
        )
    return found if set(found) == set(_INPUT) else None


def _table_of(read_item: Reader[Any]) -> Reader[dict[str, object]]:
    def read(value: object, location: Location) -> dict[str, object]:
        items = (readers.table(value, location) or {}).items()
        return {key: found for key, item in items if (found := read_item(item, location.at(key))) is not None}

    return Reader(read, readers.table_schema(read_item.schema))


_SYMBOLS = _matching(_SYMBOL, "name of a dimension", "letters, digits and _: batch")
_SIZES: Reader[int] = Reader(_size, {"type": "integer", "minimum": 1, "exclusiveMaximum": _SIZE_LIMIT})
_DIMENSIONS = readers.listed(Reader(_dimension, {"anyOf": [_SYMBOLS.schema, _SIZES.schema]}))
_PATHS = readers.parsed(_path, readers.INSIDE)
_TOLERANCES: Reader[float] = Reader(
    _tolerance, {"type": "number", "minimum": 0, "exclusiveMaximum": _TOLERANCE_LIMIT}
)
_INPUT: Mapping[str, Key] = {
    "name": Key(readers.text, "Name of the input."),
    "shape": Key(_DIMENSIONS, "Sizes of its dimensions: numbers, or names explained under `sizes`."),
    "dtype": Key(readers.choice(*DTYPES), "Type of its elements."),
}
_MODEL: Mapping[str, Key] = {
    "path": Key(_PATHS, "Path of the file, relative to the project.", examples=("models/voice.onnx",)),
    "format": Key(readers.choice(*FORMATS), "Format of the file."),
    "sha256": Key(
        _matching(SHA256, "sha256", "64 hexadecimal digits; without it `envsmith lock` records the hash"),
        "Expected sha256 of the file; by default the one recorded by `envsmith lock`.",
    ),
    "device": Key(
        _matching(_DEVICE, "device", "cpu, cuda, cuda:1, mps or xpu"),
        "Device on which the model is loaded.",
        default="cpu",
        examples=("cpu", "cuda", "cuda:1", "mps", "xpu"),
    ),
    "inputs": Key(
        readers.listed(Reader(_input, readers.fields_schema(_INPUT, required=list(_INPUT)))),
        "Inputs with which the model is run.",
    ),
    "sizes": Key(_table_of(_SIZES), "Sizes of the dimensions that `inputs` name."),
    "tensors": Key(
        _table_of(readers.listed(_SIZES)), "Names and shapes of tensors that the file must contain."
    ),
    "reference": Key(
        _PATHS,
        "Another model of the profile, or an .npz file of inputs and outputs, to compare outputs with.",
    ),
    "atol": Key(_TOLERANCES, "Absolute tolerance of the comparison.", default=1e-5),
    "rtol": Key(_TOLERANCES, "Relative tolerance of the comparison.", default=1e-3),
}
_LIST = readers.listed(
    Reader(
        _model,
        readers.fields_schema(
            _MODEL,
            required=list(_REQUIRED),
            dependencies={"reference": {"required": ["inputs"], "properties": {"inputs": {"minItems": 1}}}},
        ),
    )
)
MODELS: Reader[tuple[Mapping[str, Any], ...]] = Reader(_models, _LIST.schema)
"""Reads the models of a profile as plain values."""
