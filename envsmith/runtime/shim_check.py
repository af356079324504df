"""Say as JSON what an environment's shims add, and what is missing where they are off.

Run as ``python -I shim_check.py audio`` or ``python -I shim_check.py globals NAME ... [-- FILE ...]`` in the
environment that is asked about, once as it is and once with ``ENVSMITH_SHIMS=off``. Nothing is taken for granted: a WAV
is written and read, and for each dotted name torch is given a checkpoint that holds nothing else.

Standard library only, and no name of envsmith's: any Python from 3.9 on runs it.
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


def audio() -> dict[str, Any]:
    """Return which of torchaudio's old names are absent, and what stands in the way of its `load` and `info`."""
    try:
        torchaudio = importlib.import_module("torchaudio")
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        return {"error": _text(error)}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "sound.wav"))
        _write(path)
        absent = [name for name in _NAMES if not hasattr(torchaudio, name)]
        return {
            "absent": absent,
            "load": _tried(lambda: _loaded(torchaudio, path)),
            "info": "" if "info" in absent else _tried(lambda: _told(torchaudio, path)),
        }


def _write(path: str) -> None:
    with contextlib.closing(wave.open(path, "wb")) as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(b"\0\x40" * _FRAMES)


def _loaded(torchaudio: Any, path: str) -> None:  # noqa: ANN401 - a module
    samples, rate = torchaudio.load(path)
    found = (rate, tuple(samples.shape), float(samples[0, 0]))
    if found != (_RATE, (1, _FRAMES), 0.5):
        raise ValueError(f"a WAV of {_FRAMES} frames at {_RATE} Hz, all 0.5, is read as {found}")


def _told(torchaudio: Any, path: str) -> None:  # noqa: ANN401 - a module
    told = torchaudio.info(path)
    found = (told.sample_rate, told.num_frames, told.num_channels, told.bits_per_sample)
    if found != (_RATE, _FRAMES, 1, 16):
        raise ValueError(f"of a WAV of {_FRAMES} frames of 16 bits at {_RATE} Hz it tells {found}")


def allowed(names: list[str], files: list[str]) -> dict[str, Any]:
    """Return for each dotted name why torch refuses it in a checkpoint; nothing where it does not.

    Of files, the names are told that torch refuses: their pickles are read for that, and not run.

    The modules of names are imported where they can be, as a program does that uses them.
    """
    try:
        torch = importlib.import_module("torch")
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        return {"error": _text(error)}
    refused = {}
    for name in names:
        missing = _imported(name)
        why = _tried(lambda one=name: torch.load(io.BytesIO(_checkpoint(one)), weights_only=True))
        if why:
            refused[name] = missing or why
    return {"refused": refused, "files": {file: _asked_by(torch, file) for file in files}}


def _asked_by(torch: Any, file: str) -> list[str]:  # noqa: ANN401 - a module
    """Return the names in a checkpoint that torch refuses; what cannot be read is told by one word in brackets."""
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(file))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return [f"({_text(error)})"]


def _imported(name: str) -> str:
    """Import the module of a dotted name; return why that cannot be, where none of its parts is one."""
    parts = name.split(".")
    why = ""
    for length in range(len(parts) - 1, 0, -1):
        try:
            importlib.import_module(".".join(parts[:length]))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
            why = why or f"its module cannot be imported: {_text(error)}"
        else:
            return ""
    return why


def _checkpoint(name: str) -> bytes:
    """Return a file as `torch.save` writes it that holds a reference to one global.

    Source: files written by torch 2.13.0 (2026-11-21); the opcodes of Python's pickletools.
    """
    module, _, attribute = name.rpartition(".")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"q\x00.")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return held.getvalue()


def _tried(work: Any) -> str:  # noqa: ANN401 - anything that can be called
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return _text(error)
    return ""


def _text(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"


def _versions() -> dict[str, str]:
    found = {}
    for name in _PROJECTS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def main(words: list[str]) -> None:
    """Answer what the command line asks, on the last line of standard output."""
    what, *names = words
    with contextlib.redirect_stdout(sys.stderr):
        cut = names.index("--") if "--" in names else len(names)
        answer = audio() if what == "audio" else allowed(names[:cut], names[cut + 1 :])
    shims: Any = sys.modules.get("envsmith_shims")
    answer["versions"] = _versions()
    answer["active"] = shims.active if shims else []
    answer["added"] = shims.added if shims else {}
    answer["failed"] = shims.failed if shims else {}
    print("\n" + json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
