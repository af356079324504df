"""Interface to uv."""
