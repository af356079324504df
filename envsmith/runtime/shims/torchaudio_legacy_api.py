"""Shim ``torchaudio-legacy-api``: five names removed after torchaudio 2.8, and `load` without TorchCodec.

Only missing names are added. Files are read by soundfile, imported on first use; formats that soundfile cannot read,
such as video, still fail.

Sources: torchaudio 2.8.0 (``_backend/soundfile_backend.py``: encodings by subtype) and 2.11.0 (``__init__.py``:
parameters of `load`), read in PyPI's wheels 2026-11-21; libsndfile's `SF_FORMAT` for the subtypes.
"""

# ruff: noqa: A002, ANN401, ARG001 - signatures are torchaudio's; a file is a path or a file object
from __future__ import annotations

import importlib
import os
import warnings
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_CODED = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "FLOAT": 32,
    "DOUBLE": 64,
    "ULAW": 8,
    "ALAW": 8,
    "DPCM_8": 8,
    "DPCM_16": 16,
}
_COUNTED = ("PCM_", "ALAC_", "DWVW_")
"""Subtypes whose name ends in the bits per sample."""
_ENCODINGS = {"PCM_U8": "PCM_U", "FLOAT": "PCM_F", "DOUBLE": "PCM_F"}
_SAME = ("ULAW", "ALAW", "VORBIS")
_FRAMES, _RATE = 160, 16000
"""Sound of the check."""


@dataclass
class AudioMetaData:
    """Metadata of an audio file."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str


def info(
    uri: Any, format: str | None = None, buffer_size: int = 4096, backend: str | None = None
) -> AudioMetaData:
    """Return the metadata of an audio file.

    Args:
        uri: path, or binary file object.
        format: ignored.
        buffer_size: ignored.
        backend: ignored.

    Raises:
        ImportError: when soundfile is not installed.
    """
    found = _soundfile().info(_source(uri))
    return AudioMetaData(
        sample_rate=found.samplerate,
        num_frames=found.frames,
        num_channels=found.channels,
        bits_per_sample=_bits(found.subtype),
        encoding=_encoding(found.format, found.subtype),
    )


def list_audio_backends() -> list[str]:
    """Return the installed libraries that can read audio files."""
    return ["soundfile"] if _is_installed("soundfile") else []


def get_audio_backend() -> str | None:
    """Return the library that reads audio files; None if none is installed."""
    return next(iter(list_audio_backends()), None)


def set_audio_backend(backend: str | None) -> None:
    """Do nothing: soundfile is the only backend."""


def load(  # noqa: PLR0913, PLR0917 - torchaudio's own
    uri: Any,
    frame_offset: int = 0,
    num_frames: int = -1,
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
) -> tuple[Any, int]:
    """Read a file with soundfile, with the behaviour of torchaudio 2.9 and later.

    Args:
        uri: path, or binary file object.
        frame_offset: frames to skip.
        num_frames: most frames to read; -1 for all.
        normalize: False is ignored with a warning; samples are always between -1 and 1.
        channels_first: shape (channels, frames), else (frames, channels).
        format: ignored.
        buffer_size: ignored.
        backend: ignored.

    Returns:
        Samples (float32) and sample rate.

    Raises:
        ImportError: when soundfile is not installed.
    """
    if not normalize:
        warnings.warn(
            "samples are always normalized float32: normalize=False is ignored", UserWarning, stacklevel=2
        )
    torch = importlib.import_module("torch")
    with _soundfile().SoundFile(_source(uri)) as sound:
        sound.seek(min(max(frame_offset, 0), sound.frames))
        samples = sound.read(num_frames if num_frames >= 0 else -1, dtype="float32", always_2d=True)
        found = torch.from_numpy(samples)
        return (found.t().contiguous() if channels_first else found), sound.samplerate


NAMES = {
    "AudioMetaData": AudioMetaData,
    "info": info,
    "list_audio_backends": list_audio_backends,
    "get_audio_backend": get_audio_backend,
    "set_audio_backend": set_audio_backend,
}


def apply(module: Any, names: list[str], added: list[str], failed: dict[str, str]) -> None:
    """Add the missing names to torchaudio.

    Args:
        module: torchaudio.
        names: ignored.
        added: extended by the names; by ``load`` if torchaudio's own needs TorchCodec and it cannot be imported.
        failed: ignored.
    """
    absent = [name for name in NAMES if not hasattr(module, name)]
    added += absent
    for name in absent:
        setattr(module, name, NAMES[name])
    # torchaudio 2.9 removed its backends; its `load` calls TorchCodec.
    if "list_audio_backends" in absent and hasattr(module, "load_with_torchcodec") and not _has_torchcodec():
        module.load = load
        added.append("load")


def _has_torchcodec() -> bool:
    if not _is_installed("torchcodec"):
        return False
    try:
        importlib.import_module("torchcodec.decoders")
    except Exception:  # noqa: BLE001 - FFmpeg may be missing, or torchcodec built for another torch
        return False
    return True


def _is_installed(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def _soundfile() -> Any:
    try:
        return importlib.import_module("soundfile")
    except ImportError as error:
        raise ImportError(
            "the shim torchaudio-legacy-api needs soundfile to read files: add soundfile to the requirements"
        ) from error


def _source(uri: Any) -> Any:
    return os.fspath(uri) if isinstance(uri, os.PathLike) else uri


def _bits(subtype: str) -> int:
    """Return the bits per sample of a subtype; 0 if unknown."""
    if subtype in _CODED:
        return _CODED[subtype]
    number = subtype.rpartition("_")[2]
    return int(number) if subtype.startswith(_COUNTED) and number.isdigit() else 0


def _encoding(kind: str, subtype: str) -> str:
    if kind == "FLAC":
        return "FLAC"
    if subtype in _SAME:
        return subtype
    return _ENCODINGS.get(subtype) or ("PCM_S" if subtype.startswith("PCM_") else "UNKNOWN")


def check(
    module: Any, package: str, names: Sequence[str], files: Sequence[str], error_of: Callable[[Any], str]
) -> dict[str, Any]:
    """Return whether torchaudio lacks names or cannot read a WAV file, and its errors with the shim.

    Args:
        module: torchaudio.
        package: its name and version.
        names: ignored.
        files: ignored.
        error_of: calls a function and returns its error, empty without one.
    """
    import tempfile

    absent = [name for name in NAMES if not hasattr(module, name)]
    reasons = [f"{package} has no {', '.join(absent)}"] if absent else []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sound.wav")  # noqa: PTH118 - torchaudio takes a text
        _write_wav(path)
        errors = {"load": error_of(lambda: _check_load(module, path))}
        if "info" not in absent:
            errors["info"] = error_of(lambda: _check_info(module, path))
    if errors["load"]:
        reasons.append(f"its load cannot read a WAV file: {errors['load']}")
    return {
        "is_needed": bool(reasons),
        "reasons": reasons or [f"{package} has all five names, and its load reads a WAV file"],
        "failures": [f"{name} fails even with the shim: {why}" for name, why in errors.items() if why],
    }


def _write_wav(path: str) -> None:
    import contextlib
    import wave

    with contextlib.closing(wave.open(path, "wb")) as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(b"\0\x40" * _FRAMES)


def _check_load(torchaudio: Any, path: str) -> None:
    samples, rate = torchaudio.load(path)
    found = (rate, tuple(samples.shape), float(samples[0, 0]))
    if found != (_RATE, (1, _FRAMES), 0.5):
        raise ValueError(f"a WAV of {_FRAMES} frames at {_RATE} Hz, all 0.5, is read as {found}")


def _check_info(torchaudio: Any, path: str) -> None:
    info = torchaudio.info(path)
    found = (info.sample_rate, info.num_frames, info.num_channels, info.bits_per_sample)
    if found != (_RATE, _FRAMES, 1, 16):
        raise ValueError(f"a WAV of {_FRAMES} frames of 16 bits at {_RATE} Hz is described as {found}")
