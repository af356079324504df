"""Effect of an environment's shims, as JSON.

Run as ``python -I shim_check.py audio`` or ``python -I shim_check.py globals NAME ... [-- FILE ...]`` in the
environment to check, once with its shims and once with ``ENVSMITH_SHIMS=off``. Both checks use the library: write and
read a WAV, and load for each dotted name a checkpoint that contains only that name.

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import tempfile
import wave
import zipfile
from importlib import metadata
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAMES = ("AudioMetaData", "info", "list_audio_backends", "get_audio_backend", "set_audio_backend")
_PROJECTS = ("torch", "torchaudio", "torchcodec", "soundfile", "pyannote.audio", "envsmith-shims")
_FRAMES, _RATE = 160, 16000


def check_audio() -> dict[str, Any]:
    """Return torchaudio's missing legacy names, and the errors of its `load` and `info`."""
    try:
        torchaudio = importlib.import_module("torchaudio")
    except BaseException as error:  # noqa: BLE001 - any error is the answer
        return {"error": _describe(error)}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "sound.wav"))
        _write_wav(path)
        absent = [name for name in _NAMES if not hasattr(torchaudio, name)]
        return {
            "absent": absent,
            "load": _error_of(lambda: _check_load(torchaudio, path)),
            "info": "" if "info" in absent else _error_of(lambda: _check_info(torchaudio, path)),
        }


def _write_wav(path: str) -> None:
    with contextlib.closing(wave.open(path, "wb")) as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(b"\0\x40" * _FRAMES)


def _check_load(torchaudio: Any, path: str) -> None:  # noqa: ANN401 - a module
    samples, rate = torchaudio.load(path)
    found = (rate, tuple(samples.shape), float(samples[0, 0]))
    if found != (_RATE, (1, _FRAMES), 0.5):
        raise ValueError(f"a WAV of {_FRAMES} frames at {_RATE} Hz, all 0.5, is read as {found}")


def _check_info(torchaudio: Any, path: str) -> None:  # noqa: ANN401 - a module
    info = torchaudio.info(path)
    found = (info.sample_rate, info.num_frames, info.num_channels, info.bits_per_sample)
    if found != (_RATE, _FRAMES, 1, 16):
        raise ValueError(f"a WAV of {_FRAMES} frames of 16 bits at {_RATE} Hz is described as {found}")


def check_globals(names: list[str], files: list[str]) -> dict[str, Any]:
    """Return torch's reasons for refusing dotted names in checkpoints, and the names that it refuses in files.

    Files are scanned, not loaded. The modules of names are imported first, as a program that uses them would.

    Args:
        names: dotted names of classes and functions.
        files: paths of checkpoints.
    """
    try:
        torch = importlib.import_module("torch")
    except BaseException as error:  # noqa: BLE001 - any error is the answer
        return {"error": _describe(error)}
    refused = {}
    for name in names:
        missing = _import_parent(name)
        why = _error_of(lambda one=name: torch.load(io.BytesIO(_checkpoint(one)), weights_only=True))
        if why:
            refused[name] = missing or why
    return {"refused": refused, "files": {file: _unsafe_globals(torch, file) for file in files}}


def _unsafe_globals(torch: Any, file: str) -> list[str]:  # noqa: ANN401 - a module
    """Return the names that torch refuses in a checkpoint; for an unreadable one, the error in parentheses."""
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(file))
    except Exception as error:  # noqa: BLE001 - any error is the answer
        return [f"({_describe(error)})"]


def _import_parent(name: str) -> str:
    """Import the module of a dotted name; return the error if no part of the name is a module."""
    parts = name.split(".")
    why = ""
    for length in range(len(parts) - 1, 0, -1):
        try:
            importlib.import_module(".".join(parts[:length]))
        except BaseException as error:  # noqa: BLE001 - any error is the answer
            why = why or f"its module cannot be imported: {_describe(error)}"
        else:
            return ""
    return why


def _checkpoint(name: str) -> bytes:
    """Return a checkpoint as `torch.save` writes it, containing a reference to one global.

    Source: files written by torch 2.13.0 (2026-11-21); the opcodes of Python's pickletools.
    """
    module, _, attribute = name.rpartition(".")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"q\x00.")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return held.getvalue()


def _error_of(work: Any) -> str:  # noqa: ANN401 - anything that can be called
    try:
        work()
    except Exception as error:  # noqa: BLE001 - any error is the answer
        return _describe(error)
    return ""


def _describe(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"


def _versions() -> dict[str, str]:
    found = {}
    for name in _PROJECTS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def main(words: list[str]) -> None:
    """Run a check and print its answer on the last line of standard output."""
    command, *names = words
    with contextlib.redirect_stdout(sys.stderr):
        cut = names.index("--") if "--" in names else len(names)
        answer = check_audio() if command == "audio" else check_globals(names[:cut], names[cut + 1 :])
    shims: Any = sys.modules.get("envsmith_shims")
    answer["versions"] = _versions()
    answer["active"] = shims.active if shims else []
    answer["added"] = shims.added if shims else {}
    answer["failed"] = shims.failed if shims else {}
    print("\n" + json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
