"""Reproducible, true PyTorch environments for every accelerator, operating system and Python."""

__version__ = "0.1.0"
