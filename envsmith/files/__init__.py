"""Files: atomic writes, locks, text files, git revisions."""
