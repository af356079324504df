"""What of a recording is speech: pydub and webrtcvad do all of it."""

import webrtcvad
from pydub import AudioSegment

FRAME_MS = 30
RATE_HZ = 16_000


def speech_parts(path: str) -> list[AudioSegment]:
    """Return the frames of a recording that hold speech."""
    sound = AudioSegment.from_file(path).set_frame_rate(RATE_HZ).set_channels(1).set_sample_width(2)
    detector = webrtcvad.Vad(2)
    frames = [sound[start : start + FRAME_MS] for start in range(0, len(sound) - FRAME_MS, FRAME_MS)]
    return [frame for frame in frames if detector.is_speech(frame.raw_data, RATE_HZ)]
