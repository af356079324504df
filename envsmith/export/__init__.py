"""Exports of locks for other tools."""
