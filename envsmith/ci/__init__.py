"""CI matrices and workflows."""
