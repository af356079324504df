"""Detection of the machine: system, drivers, GPUs, libraries and connectivity."""
