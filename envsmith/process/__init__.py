"""Start of other programs."""
