"""Explanation of a lock: why a package is in it, at this version, or why not."""
