"""Differences between locks."""
