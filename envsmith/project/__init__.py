"""A project's day: start it, change its requirements, bring locks and environment up to date."""
