"""Diagnosis and repair of environments."""
