"""Command line: the group of commands, and commands without a package of their own."""
