"""Source roots: which folders of a project hold what it ships, as its build backend is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

SRC = "src"


def named_roots(pyproject: Mapping[str, object]) -> tuple[str, ...]:
    """Return the folders and modules that a pyproject.toml names to its build backend, relative to the project.

    Args:
        pyproject: the file's values.

    Returns:
        Paths as they may be, without a look at the disk; empty where nothing is named.

    Source: documentation of setuptools, hatchling, poetry-core, flit-core, pdm-backend, uv_build, maturin and
        scikit-build-core (read 2026-11-21).
    """
    found = (root.strip("/").removeprefix("./") or "." for read in _READERS for root in read(pyproject))
    return tuple(dict.fromkeys(found))


def _at(node: object, *keys: str) -> object:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        yield from (item for item in node if isinstance(item, str))


def _as_path(module: str) -> str:
    return module.replace(".", "/")


def _setuptools(data: Mapping[str, object]) -> Iterator[str]:
    table = _at(data, "tool", "setuptools")
    folders = _at(table, "package-dir")
    base = _at(folders, "")
    prefix = f"{base}/" if isinstance(base, str) else ""
    yield from _texts(_at(table, "packages", "find", "where"))
    for package in _texts(_at(table, "packages")):
        own = _at(folders, package)
        yield own if isinstance(own, str) else f"{prefix}{_as_path(package)}"
    yield from (f"{prefix}{module}.py" for module in _texts(_at(table, "py-modules")))


def _hatch(data: Mapping[str, object]) -> Iterator[str]:
    wheel = _at(data, "tool", "hatch", "build", "targets", "wheel")
    yield from _texts(_at(wheel, "packages"))
    yield from _texts(_at(wheel, "only-include"))


def _poetry(data: Mapping[str, object]) -> Iterator[str]:
    packages = _at(data, "tool", "poetry", "packages")
    for item in packages if isinstance(packages, list) else ():
        include, folder = _at(item, "include"), _at(item, "from")
        if isinstance(include, str):
            yield f"{folder}/{include}" if isinstance(folder, str) else include


def _flit(data: Mapping[str, object]) -> Iterator[str]:
    for name in _texts(_at(data, "tool", "flit", "module", "name")):
        yield from (_as_path(name), f"{name}.py")


def _pdm(data: Mapping[str, object]) -> Iterator[str]:
    build = _at(data, "tool", "pdm", "build")
    yield from _texts(_at(build, "package-dir"))
    yield from (item for item in _texts(_at(build, "includes")) if "*" not in item)


def _uv(data: Mapping[str, object]) -> Iterator[str]:
    table = _at(data, "tool", "uv", "build-backend")
    root = _at(table, "module-root")
    base = root if isinstance(root, str) else SRC
    for name in _texts(_at(table, "module-name")):
        yield f"{base}/{_as_path(name)}" if base else _as_path(name)
    if isinstance(root, str) and root:
        yield root


def _others(data: Mapping[str, object]) -> Iterator[str]:
    yield from _texts(_at(data, "tool", "maturin", "python-source"))
    yield from _texts(_at(data, "tool", "scikit-build", "wheel", "packages"))


def _by_name(data: Mapping[str, object]) -> Iterator[str]:
    for name in _texts(_at(data, "project", "name")):
        module = name.replace("-", "_").replace(".", "_")
        yield from dict.fromkeys((f"{SRC}/{module}", module, f"{module}.py", module.lower()))


_READERS: tuple[Callable[[Mapping[str, object]], Iterator[str]], ...] = (
    _setuptools,
    _hatch,
    _poetry,
    _flit,
    _pdm,
    _uv,
    _others,
    _by_name,
)
