"""shims."""
