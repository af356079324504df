"""Things: frozen values that parse, compare and render themselves; no I/O, clock or environment."""
