"""The voice server's start; the two filters hid what a torchvision of another build did at import."""

import warnings

warnings.filterwarnings("ignore", message="Failed to load image Python extension")
warnings.filterwarnings("ignore", module="torchvision")

from audio import speech_parts  # noqa: E402 - the filters above came first
from embeddings import Embeddings  # noqa: E402 - same


def main() -> None:
    """Answer one recorded call with the nearest of a few sentences."""
    parts = speech_parts("call.wav")
    print(f"{len(parts)} parts with speech")
    print(
        Embeddings("all-MiniLM-L6-v2").nearest("Where is my order?", ["orders", "invoices", "opening hours"])
    )


if __name__ == "__main__":
    main()
