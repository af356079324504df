"""Lock and install PyTorch environments with the right CUDA, ROCm or CPU build for every platform."""

__version__ = "0.1.0"
