"""``envsmith verify``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from envsmith.console.options import INSPECTED_PREFIX, LOCK_FOLDERS
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.verify.probe_runner import ProbeRunner
    from envsmith.verify.verify import Verified


class ProbeOptions(NamedTuple):
    """What is to be tried."""

    names: tuple[str, ...]
    timeout_s: float
    """For each."""


@click.command(name="verify")
@click.argument("profile", required=False, default="")
@INSPECTED_PREFIX
@click.option("--deep", is_flag=True, help="Compare the hash of every file, not only its presence and size.")
@LOCK_FOLDERS
@click.option(
    "--probe",
    "probes",
    is_flag=False,
    flag_value="all",
    default="",
    metavar="NAME,...",
    help="Let libraries do what they are for: all that are installed, or those named.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=300.0,
    metavar="SECONDS",
    help="Time that each probe has, by default 300.",
)
@click.option("--models", is_flag=True, help="Load the models that the profile declares, and run them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify_command(
    profile: str, prefix: Path, folder: Path, *, probes: str, timeout_s: float, **flags: bool
) -> int:
    """Compare an environment, whoever made it, with the lock of PROFILE.

    Versions, labels, files, what else is installed, builds of the torch family that do not go together, packages that
    overwrite each other. What the profile's `checks` name is imported and run. Ends with 1 where something differs.

    With --probe libraries compute something whose result is known, each in a process of its own, and it is told what
    did the work, how long it took and how much memory it held: torch, gpu, compile, onnxruntime, rembg, opencv,
    mediapipe, jax, tensorflow.

    With --models each file under `models` of the profile is compared with its recorded hash, loaded safely in a process
    of its own, run with the inputs declared, and compared with its reference.
    """
    from envsmith.verify import output
    from envsmith.verify.output import check_models

    asked = ProbeOptions(_probes(probes), timeout_s)
    found = _verified(profile, prefix, folder, asked, deep=flags["deep"])
    models = check_models(found.profile, Path(found.environment.prefix), folder) if flags["models"] else ()
    has_errors = found.report.has_errors or found.tried.has_errors or output.has_errors(models)
    status = NO if has_errors else OK
    if flags["as_json"]:
        from envsmith.console import printer

        printer.envelope(
            "verify",
            "ok" if status == OK else "no",
            {**_data(found), "models": [item.to_json() for item in models]},
        )
    else:
        _show(found, prefix)
        if flags["models"]:
            output.show_models(models)
    return status


def _probes(text: str) -> tuple[str, ...]:
    """Read the value of --probe."""
    from envsmith.verify.probe_rules import ALL, NAMES

    words = tuple(word for word in text.replace(",", " ").split() if word)
    for word in words:
        if word not in (*NAMES, ALL):
            raise click.UsageError(f"there is no probe {word!r}; there are {', '.join(NAMES)}, and all")
    return words


def _verified(profile: str, prefix: Path, folder: Path, asked: ProbeOptions, *, deep: bool) -> Verified:
    from envsmith.activate import session
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.files import atomic
    from envsmith.host.current import folders_before_packages
    from envsmith.install.options import order_of
    from envsmith.process.runner import Processes
    from envsmith.verify.probe_runner import ProbeRunner
    from envsmith.verify.verify import VerifyTools, verify

    place = session.environment_paths(prefix)
    options = {"profile": profile or session.installed_profile(prefix), "folder": folder, "deep": deep}
    order = order_of({**options, "python": "", "wheelhouse": "", "no_guard": False, "is_checked": False})
    processes = Processes()
    try:
        found = verify(
            order,
            Path(place.prefix),
            VerifyTools(probe=VerifyingProbe(processes=processes), files=atomic),
            before=folders_before_packages(),
        )
        if not asked.names:
            return found
        tries = ProbeRunner(processes=processes, env=order.checks.env, timeout_s=asked.timeout_s)
        return _probed(found, asked.names, Path(place.prefix), tries)
    finally:
        processes.close()


def _probed(found: Verified, names: tuple[str, ...], prefix: Path, tries: ProbeRunner) -> Verified:
    """Try libraries, too."""
    from envsmith.catalog import Catalog
    from envsmith.host.detect import detect
    from envsmith.model.finding import Report
    from envsmith.verify.probe_runner import ProbeTools, try_libraries

    tools = ProbeTools(
        tries=tries,
        catalog=Catalog.embedded(),
        has_gpu=lambda backend: bool(detect().of_family(backend.family)),
    )
    tried = try_libraries(names, prefix, found.environment, found.locked.backend, tools)
    return replace(found, trials=tried.trials, tried=Report(findings=tried.findings))


def _data(found: Verified) -> dict[str, object]:
    return {
        "profile": found.profile,
        "target": found.target,
        "prefix": found.environment.prefix,
        "packages": len(found.environment.distributions),
        "files": found.environment.files,
        "deep": found.is_deep,
        "imports": [asdict(item) for item in found.imports],
        "runs": [asdict(item) for item in found.runs],
        "probes": [item.to_json() for item in found.trials],
        "findings": [item.to_json() for item in (*found.report.findings, *found.tried.findings)],
    }


def _show(found: Verified, prefix: Path) -> None:
    from envsmith.console import printer
    from envsmith.verify import output

    what = f"{found.profile}/{found.target}"
    count = len(found.report.errors)
    if count:
        printer.say(f"{prefix} is not what {what} says: {printer.counted(count, 'difference')}")
    else:
        printer.labelled("verified", f"{prefix} is what {what} says")
        packages = printer.counted(len(found.environment.distributions), "package")
        how = "every hash compared" if found.is_deep else "presence and size compared"
        printer.labelled("", f"{packages} · {found.environment.files:,} files, {how}")
        for item in found.imports:
            version = f" {item.version}" if item.version else ""
            printer.labelled("", f"{item.name}{version} imports ({item.seconds:.1f} s)")
        for item in found.runs:
            printer.labelled("", f"`{item.name}` runs ({item.seconds:.1f} s)")
    output.show_probes(found.trials)
    if findings := (*found.report.findings, *found.tried.findings):
        printer.say("")
        printer.findings(findings)
    if count:
        place = "" if str(prefix) == ".venv" else f" --prefix {prefix}"
        printer.say(
            f"\nhint: `envsmith install {found.profile} --deep` builds it as locked, beside this one;"
        )
        printer.say(
            f"      `envsmith doctor --fix{place}` shows what would cure it, and does it when agreed to"
        )
