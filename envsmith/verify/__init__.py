"""Comparison of environments with their locks, probes of libraries and model checks."""
