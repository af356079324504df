"""Who speaks when, in one recording."""

import sys

import torch
from pyannote.audio import Pipeline


def main(path: str) -> None:
    """Print each turn of a recording with its speaker."""
    pipeline = Pipeline.from_pretrained("pyannote/speaker-diarization-3.1").to(torch.device("cuda"))
    for turn, _, speaker in pipeline(path).itertracks(yield_label=True):
        print(f"{turn.start:8.2f} {turn.end:8.2f}  {speaker}")


if __name__ == "__main__":
    main(sys.argv[1])
