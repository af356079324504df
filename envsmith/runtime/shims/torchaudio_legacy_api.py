"""The five names that torchaudio had until 2.8, and a way to read files where TorchCodec cannot be imported.

Only names that are absent are added. Files are read by soundfile, which is imported when the first one is; what it does
not read, such as video, stays unread.

Sources: torchaudio 2.8.0 (``_backend/soundfile_backend.py``: what is told of which subtype) and 2.11.0
(``__init__.py``: what `load` takes), read in PyPI's wheels 2026-11-21; `SF_FORMAT` of libsndfile for the subtypes.
"""

# ruff: noqa: A002, ANN401, ARG001 - the names are torchaudio's, and a file is a path or an object
from __future__ import annotations

import importlib
import os
import warnings
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
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
"""Subtypes whose name ends in how many bits a sample has."""
_ENCODINGS = {"PCM_U8": "PCM_U", "FLOAT": "PCM_F", "DOUBLE": "PCM_F"}
_SAME = ("ULAW", "ALAW", "VORBIS")


@dataclass
class AudioMetaData:
    """What a file says of its sound."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str


def info(
    uri: Any, format: str | None = None, buffer_size: int = 4096, backend: str | None = None
) -> AudioMetaData:
    """Return what a file says of its sound.

    Args:
        uri: path, or file object opened for bytes.
        format: is taken and not used, as the two that follow.
        buffer_size: in bytes.
        backend: name of one.

    Raises:
        ImportError: where soundfile is not installed.
    """
    told = _soundfile().info(_source(uri))
    return AudioMetaData(
        sample_rate=told.samplerate,
        num_frames=told.frames,
        num_channels=told.channels,
        bits_per_sample=_bits(told.subtype),
        encoding=_encoding(told.format, told.subtype),
    )


def list_audio_backends() -> list[str]:
    """Return the names of what can read files here."""
    return ["soundfile"] if _is_installed("soundfile") else []


def get_audio_backend() -> str | None:
    """Return the name of what reads files."""
    return next(iter(list_audio_backends()), None)


def set_audio_backend(backend: str | None) -> None:
    """Do nothing: there is one."""


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
    """Read a file as torchaudio from 2.9 on does, by soundfile.

    Args:
        uri: path, or file object opened for bytes.
        frame_offset: frames passed over.
        num_frames: at most so many; -1 for all.
        normalize: samples are between -1 and 1 whatever is said here, and a warning tells so.
        channels_first: (channels, frames), else (frames, channels).
        format: is taken and not used, as the two that follow.
        buffer_size: in bytes.
        backend: name of one.

    Returns:
        The samples (float32), and how many there are in a second.

    Raises:
        ImportError: where soundfile is not installed.
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


def extend(module: Any) -> list[str]:
    """Add to torchaudio what it lacks.

    Returns:
        The names added; ``load`` where it was there and could not have worked.
    """
    absent = [name for name in NAMES if not hasattr(module, name)]
    for name in absent:
        setattr(module, name, NAMES[name])
    # From 2.9 on torchaudio has no backends, and its `load` is TorchCodec's.
    if "list_audio_backends" in absent and hasattr(module, "load_with_torchcodec") and not _has_torchcodec():
        module.load = load
        absent.append("load")
    return absent


def _has_torchcodec() -> bool:
    if not _is_installed("torchcodec"):
        return False
    try:
        importlib.import_module("torchcodec.decoders")
    except Exception:  # noqa: BLE001 - it may lack FFmpeg, or be made for another torch
        return False
    return True


def _is_installed(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def _soundfile() -> Any:
    try:
        return importlib.import_module("soundfile")
    except ImportError as error:
        raise ImportError("the shim torchaudio-legacy-api reads files by soundfile: add soundfile") from error


def _source(uri: Any) -> Any:
    return os.fspath(uri) if isinstance(uri, os.PathLike) else uri


def _bits(subtype: str) -> int:
    """Return how many bits a sample has; 0 where that says nothing."""
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
