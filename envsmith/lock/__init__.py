"""Locking: from a profile and requirements to verified pins with hashes."""
