"""The ``scan`` command: find unused packages and remove their requirements."""
