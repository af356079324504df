"""With made-up packages; the real ones are in tests/install/test_real_shims.py."""

from __future__ import annotations

import pytest

from tests.runtime.shims.site import LEGACY_NAMES, NEW_AUDIO, OLD_AUDIO, Site

ADDED = "import torchaudio, envsmith_shims; said = sorted(envsmith_shims.added['torchaudio-legacy-api'])"


@pytest.fixture(autouse=True)
def _shims(site: Site) -> None:
    site.shims(["torchaudio-legacy-api"])


def test_nothing_is_added_where_all_is_there(site: Site) -> None:
    site.write(torchaudio=OLD_AUDIO)
    assert site.run(ADDED) == []
    code = f"import torchaudio; said = [getattr(torchaudio, name)() for name in {[*LEGACY_NAMES, 'load']!r}]"
    assert set(site.run(code)) == {"own"}


def test_the_five_names_and_load_where_they_are_gone(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    assert site.run(ADDED) == sorted([*LEGACY_NAMES, "load"])


def test_only_what_is_absent_is_added(site: Site) -> None:
    site.write(torchaudio=f"{NEW_AUDIO}\ndef info(): return 'own'\n")
    assert "info" not in site.run(ADDED)
    assert site.run("import torchaudio; said = torchaudio.info()") == "own"


def test_load_stays_torchaudios_own_where_torchcodec_can_be_imported(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO, torchcodec__decoders="class AudioDecoder: pass")
    assert site.run(ADDED) == sorted(LEGACY_NAMES)
    assert site.run("import torchaudio; said = torchaudio.load()") == "own"


def test_load_is_read_by_soundfile_where_torchcodec_cannot_be_imported(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO, torchcodec__decoders="raise RuntimeError('no FFmpeg')")
    assert site.run(ADDED) == sorted([*LEGACY_NAMES, "load"])


def test_load_stays_where_it_is_not_torchcodecs(site: Site) -> None:
    site.write(torchaudio="def load(): return 'own'")
    assert site.run(ADDED) == sorted(LEGACY_NAMES)


def test_without_soundfile_there_is_no_backend_and_reading_says_what_is_missing(site: Site) -> None:
    site.write(torchaudio=NEW_AUDIO)
    code = """
import torchaudio
said = [torchaudio.list_audio_backends(), torchaudio.get_audio_backend(), torchaudio.set_audio_backend("sox_io")]
try:
    torchaudio.info("sound.wav")
except ImportError as error:
    said.append(str(error))
"""
    told = "the shim torchaudio-legacy-api needs soundfile to read files: add soundfile to the requirements"
    assert site.run(code) == [[], None, None, told]


@pytest.mark.parametrize(
    ("kind", "subtype", "bits", "encoding"),
    [
        ("WAV", "PCM_16", 16, "PCM_S"),
        ("WAV", "PCM_U8", 8, "PCM_U"),
        ("WAV", "PCM_24", 24, "PCM_S"),
        ("WAV", "DOUBLE", 64, "PCM_F"),
        ("WAV", "ULAW", 8, "ULAW"),
        ("WAV", "MS_ADPCM", 0, "UNKNOWN"),
        ("WAV", "G721_32", 0, "UNKNOWN"),
        ("FLAC", "PCM_S8", 8, "FLAC"),
        ("CAF", "ALAC_20", 20, "UNKNOWN"),
        ("RAW", "DWVW_N", 0, "UNKNOWN"),
        ("OGG", "VORBIS", 0, "VORBIS"),
        ("MP3", "MPEG_LAYER_III", 0, "UNKNOWN"),
    ],
)
def test_what_a_file_says_is_told_as_torchaudio_told_it(
    site: Site, kind: str, subtype: str, bits: int, encoding: str
) -> None:
    site.write(
        torchaudio=NEW_AUDIO,
        soundfile=f"""
from types import SimpleNamespace
def info(source):
    assert source == "sound.any", source
    return SimpleNamespace(samplerate=8000, frames=5, channels=2, format={kind!r}, subtype={subtype!r})
""",
    )
    code = """
import pathlib, torchaudio
told = torchaudio.info(pathlib.Path("sound.any"))
said = [type(told) is torchaudio.AudioMetaData, told.sample_rate, told.num_frames, told.num_channels]
said += [told.bits_per_sample, told.encoding, torchaudio.list_audio_backends(), torchaudio.get_audio_backend()]
"""
    assert site.run(code) == [True, 8000, 5, 2, bits, encoding, ["soundfile"], "soundfile"]
