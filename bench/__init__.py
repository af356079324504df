"""Measurements of envsmith beside the tools it stands on: ``make bench``."""
