"""Import usage of a project: reads its files and never runs them."""
