"""Sizes: a lock says how large its files of PyPI are, whatever form the index answered in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from packaging.pylock import Package, PackageSdist, PackageWheel

from envsmith.lockfile.pylock import Lock

File = TypeVar("File", PackageWheel, PackageSdist)


def complete(lock: Lock, sizes: Mapping[str, int]) -> Lock:
    """Fill in what the index left out: PyPI's JSON pages have sizes, its HTML pages have none.

    Which of both an index, or a cache before it, sends is chance, and the lock's bytes must not depend on it. Files of
    other indexes stay without: PyTorch's says no size in either form, and whether its files can be looked into differs
    from day to day.

    Args:
        lock: as the resolver answered.
        sizes: sha256 → size in bytes, of files that were looked into.
    """
    elsewhere = {*lock.indexes, *lock.pages}
    packages = [
        package if package.index in elsewhere else _completed(package, sizes)
        for package in lock.pylock.packages
    ]
    return replace(lock, pylock=replace(lock.pylock, packages=packages))


def _completed(package: Package, sizes: Mapping[str, int]) -> Package:
    return replace(
        package,
        wheels=[_sized(wheel, sizes) for wheel in package.wheels] if package.wheels else None,
        sdist=_sized(package.sdist, sizes) if package.sdist else None,
    )


def _sized(file: File, sizes: Mapping[str, int]) -> File:
    size = sizes.get(file.hashes["sha256"])
    return file if file.size is not None or size is None else replace(file, size=size)
