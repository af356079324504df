"""What a project requires, as its own files say it."""
