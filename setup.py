"""Put the shipped profiles, which live in the folder profiles/, into the package envsmith.profiles."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["envsmith*"]), "envsmith.profiles"],
    package_dir={"envsmith.profiles": "profiles"},
)
