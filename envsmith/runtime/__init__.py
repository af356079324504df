"""Scripts for users' environments: standard library only, Python 3.9 and later, no import of envsmith."""
