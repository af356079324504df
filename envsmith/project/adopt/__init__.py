"""An environment that is there becomes a profile and a lock."""
