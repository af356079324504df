"""`envsmith install`, `rollback` and `generations`."""
