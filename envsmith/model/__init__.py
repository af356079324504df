"""Values shared by several packages: frozen, parsed and pure."""
