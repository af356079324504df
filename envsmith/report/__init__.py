"""Redacted environment reports."""
