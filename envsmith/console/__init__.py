"""Command-line output: printing, progress, prompts, shared options and remembered answers."""
