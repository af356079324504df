"""Network access."""
