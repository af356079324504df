"""Packages at places other than an index: their metadata is read without a build."""
