"""What runs in the environments that envsmith builds: standard library only, nothing of envsmith's."""
