"""Inspection of interpreters and environments, and comparison with locks."""
