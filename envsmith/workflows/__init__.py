"""Verbs: one function per command, ports as arguments; each puts things, rules and adapters in order."""
