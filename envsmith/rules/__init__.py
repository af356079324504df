"""Decisions: pure functions from model to model; no rule imports another."""
