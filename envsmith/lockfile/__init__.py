"""Lockfiles: the formats of a profile's lock folder."""

LOCKFILES = "lockfiles"
"""Name of a project's folder of lock folders, one per profile."""
