"""Sessions in an environment: `activate`, `env`, `run`, and the activation scripts."""
