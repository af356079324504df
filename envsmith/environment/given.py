"""Packages of an image, given to the environments over its base interpreter."""

from __future__ import annotations

import email.parser
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from envsmith.environment.interpreter import Probe
from envsmith.environment.model import Environment
from envsmith.environment.prefix import SYSTEM_PACKAGES, interpreter_path, record_lines
from envsmith.errors import InstallError
from envsmith.files.own_folder import is_below
from envsmith.files.text import read_regular
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.model.finding import Finding

CODE = "ENV084"
_NOT_MODULES = ("..", "__pycache__")


def outside_project(text: str) -> str:
    """Return the interpreter that a profile names.

    Raises:
        InstallError: ENV084 when it is in the project: whoever wrote the profile could run a program by it.
    """
    path = Path(text)
    if path.is_absolute() and (is_below(Path(), path) or is_below(Path(), path.resolve())):
        raise InstallError(
            CODE,
            "given-python of the profile is in the project, and programs of a project are not run",
            where=text,
            hint="if it is the right one, name it on the command line: --given-python, --python",
        )
    return text


def base_of(text: str, probe: Probe) -> Path:
    """Return the prefix of a base interpreter.

    Args:
        text: path of an interpreter or environment, or the name of a program on PATH; empty for ``python3``. For a
            virtual environment its base counts.
        probe: starts the interpreter.

    Raises:
        InstallError: ENV084 when the interpreter is missing, ENV023 when it does not respond.
    """
    path = Path(text) if "/" in text or "\\" in text else _on_path(text or "python3")
    if path and path.is_dir():
        path = interpreter_path(path)
    if path is None or not path.is_file():
        raise InstallError(
            CODE,
            f"interpreter with the given packages not found: {text or 'python3'}",
            hint="name it with --given-python PATH, or as given-python in the profile",
        )
    return Path(probe.interpreter(path).base)


def _on_path(name: str) -> Path | None:
    found = Path(shutil.which(name) or name).absolute()
    # Windows looks into the current folder first, which is the project's.
    return None if found.parent == Path.cwd() else found


def read_given(names: Iterable[str], base: Path, probe: Probe) -> tuple[ProvidedPackage, ...]:
    """Read packages of a base interpreter, sorted.

    Raises:
        InstallError: ENV084 when one is not installed.
    """
    layout = probe.layout(base)
    infos = [path for site in layout.site_folders for path in sorted(Path(site).glob("*.dist-info"))]
    found = {item.name: item for item in map(_provided, infos)}
    missing = sorted(set(names) - found.keys())
    if missing:
        raise InstallError(
            CODE,
            f"given, but not installed in {base}: {', '.join(missing)}",
            hint="name the interpreter of the image with --given-python PATH",
        )
    return tuple(found[name] for name in sorted(names))


def _provided(info: Path) -> ProvidedPackage:
    try:
        text = read_regular(info / "METADATA").decode("utf-8", "replace")
    except OSError:
        text = ""
    values = email.parser.HeaderParser().parsestr(text)
    return ProvidedPackage(
        name=canonicalize_name(values.get("Name", info.name.partition("-")[0])),
        version=values.get("Version", ""),
        requires_dist=tuple(values.get_all("Requires-Dist") or ()),
        requires_python=values.get("Requires-Python", ""),
        provides_extra=tuple(values.get_all("Provides-Extra") or ()),
    )


def differences(given: Iterable[ProvidedPackage], base: Environment) -> Iterator[Finding]:
    """Find given packages that a base interpreter does not have in the recorded version."""
    versions = {item.name: item.version for item in base.distributions}
    for item in given:
        found = versions.get(item.name)
        if found != item.version:
            state = f"has {item.name} {found}" if found else f"does not have {item.name}"
            yield _finding(item.name, f"{base.prefix} {state}; the lock was made for {item.version}")


def check_base(given: Sequence[ProvidedPackage], base: Environment, profile: str) -> None:
    """Check that a base interpreter has the given packages.

    Raises:
        InstallError: ENV084 when it lacks one, or has another version.
    """
    found = list(differences(given, base))
    if found:
        raise InstallError(
            CODE,
            "; ".join(item.message for item in found),
            where=base.interpreter.executable,
            hint=f"use the image of the lock, or lock for this one: envsmith lock {profile} --given-python PATH",
        )


def problems(
    given: Sequence[ProvidedPackage], base: Environment, environment: Environment
) -> Iterator[Finding]:
    """Find given packages that an environment over a base interpreter does not import in the recorded version."""
    if not given:
        return
    yield from differences(given, base)
    if SYSTEM_PACKAGES not in environment.changes:
        text = (
            f"the environment does not include the packages of {base.prefix}, which the lock takes from there"
        )
        yield _finding("pyvenv.cfg", text)
    site = Path(environment.prefix, environment.site)
    for item in given:
        for module in sorted(_modules(base, item.name)):
            if (site / module).exists():
                text = f"{environment.site}/{module} is imported instead of that of the given {item.name}"
                yield _finding(item.name, text, code="ENV085")


def _modules(base: Environment, name: str) -> Collection[str]:
    """Return the top-level files and folders of a package; without folders that several packages share."""
    site = Path(base.prefix, base.site)
    folders = [item.folder for item in base.distributions if item.name == name]
    tops = {row[0].partition("/")[0] for folder in folders for row in record_lines(site / folder / "RECORD")}
    return {
        top
        for top in tops
        if top not in _NOT_MODULES
        and not top.endswith((".dist-info", ".pth"))
        and ((site / top).is_file() or (site / top / "__init__.py").is_file())
    }


def as_expected(environment: Environment, given: Sequence[ProvidedPackage]) -> Environment:
    """Return an environment without the change that given packages need: it includes those of its base."""
    changes = tuple(text for text in environment.changes if not given or text != SYSTEM_PACKAGES)
    return replace(environment, changes=changes)


def _finding(subject: str, text: str, *, code: str = CODE) -> Finding:
    return Finding(code=code, severity="error", subject=subject, message=text)
