"""Configuration: profiles, settings, requirements files and pyproject.toml."""
