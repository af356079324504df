"""Profiles and locks of existing environments."""
