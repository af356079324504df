"""``envsmith verify``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from envsmith.console.options import INSPECTED_PREFIX, LOCK_FOLDERS, TRUST
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.verify.model_findings import CheckedModel
    from envsmith.verify.probe_runner import ProbeRunner
    from envsmith.verify.verify import Verified


class ProbeOptions(NamedTuple):
    """Options of probes."""

    names: tuple[str, ...]
    timeout_s: float
    """Timeout of each probe."""


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
    help="Run probes of all installed libraries, or of the given ones.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=300.0,
    metavar="SECONDS",
    help="Timeout of each probe [default: 300].",
)
@TRUST
@click.option("--models", is_flag=True, help="Load and run the models declared in the profile.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify_command(
    profile: str, prefix: Path, folder: Path, *, probes: str, timeout_s: float, **flags: bool
) -> int:
    """Compare any environment with the lock of PROFILE.

    Compares versions, labels and files, and finds extra packages, incompatible torch builds, and packages
    that overwrite each other. Runs the smoke tests in the profile's `checks`. Exits with 1 on any difference.

    With --probe, libraries compute known results, each in its own process, and report device, time and memory: torch,
    gpu, compile, onnxruntime, rembg, opencv, mediapipe, jax, tensorflow.

    With --models, each model of the profile is compared with its recorded hash, loaded safely in its own process, run
    with the declared inputs, and compared with its reference.
    """
    from envsmith.verify import output

    probe_options = ProbeOptions(_probes(probes), timeout_s)
    found = _verify(
        profile, prefix, folder, probe_options, deep=flags["deep"], is_trusted=flags["is_trusted"]
    )
    models = _check_models(found.profile, Path(found.environment.prefix), folder) if flags["models"] else ()
    has_errors = found.report.has_errors or found.probe_report.has_errors or output.has_errors(models)
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
            raise click.UsageError(f"unknown probe `{word}`; choose from {', '.join((*NAMES, ALL))}")
    return words


def _verify(
    profile: str, prefix: Path, folder: Path, probe_options: ProbeOptions, *, deep: bool, is_trusted: bool
) -> Verified:
    from envsmith.activate import session
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.files import atomic
    from envsmith.host.current import folders_before_packages
    from envsmith.install.options import install_request
    from envsmith.install.trust import check_trust
    from envsmith.process.runner import Processes
    from envsmith.verify.probe_runner import ProbeRunner
    from envsmith.verify.verify import VerifyTools, verify
    from envsmith.wiring import locked_wheels

    place = session.environment_paths(prefix)
    options = {"profile": profile or session.installed_profile(prefix), "folder": folder, "deep": deep}
    order = install_request(
        {**options, "python": "", "wheelhouse": "", "no_guard": False, "is_checked": False}
    )
    check_trust(order.smoke_tests, order.profile, f"envsmith verify {order.profile}", is_trusted=is_trusted)
    processes = Processes()
    try:
        found = verify(
            order,
            Path(place.prefix),
            VerifyTools(
                probe=VerifyingProbe(processes=processes),
                files=atomic,
                wheels=lambda locked: locked_wheels(locked.pins.packages, ()),
            ),
            before=folders_before_packages(),
        )
        if not probe_options.names:
            return found
        runner = ProbeRunner(
            processes=processes, env=order.smoke_tests.env, timeout_s=probe_options.timeout_s
        )
        return _add_probes(found, probe_options.names, Path(place.prefix), runner)
    finally:
        processes.close()


def _add_probes(found: Verified, names: tuple[str, ...], prefix: Path, runner: ProbeRunner) -> Verified:
    """Run probes and add their results."""
    from envsmith.catalog import Catalog
    from envsmith.host.detect import detect
    from envsmith.model.finding import Report
    from envsmith.verify.probe_runner import ProbeTools, probe_libraries

    tools = ProbeTools(
        runner=runner,
        catalog=Catalog.embedded(),
        has_gpu=lambda backend: bool(detect().of_family(backend.family)),
    )
    outcome = probe_libraries(names, prefix, found.environment, found.locked.entry.backend, tools)
    return replace(found, probe_results=outcome.results, probe_report=Report(findings=outcome.findings))


def _check_models(name: str, prefix: Path, folder: Path) -> tuple[CheckedModel, ...]:
    """Check the models of a profile in an environment.

    Args:
        name: the profile.
        prefix: the environment's root.
        folder: the folder of the lock folders.

    Raises:
        ProfileError: when the profile does not exist or is malformed.
        LockError: when its manifest is malformed.
    """
    from envsmith.config.profiles import ProfileStore
    from envsmith.environment.interpreter import ModelProbe
    from envsmith.files import atomic
    from envsmith.files.text import hash_model
    from envsmith.lockfile.manifest import FILENAME, Manifest
    from envsmith.lockfile.store import read_manifest
    from envsmith.process.runner import Processes
    from envsmith.verify.model_findings import check

    profile = ProfileStore.of_project(Path()).resolve(name)
    found = read_manifest(atomic.read_files(folder / name), str(folder / name / FILENAME))
    manifest = found or Manifest(profile=name, cutoff_utc="")
    processes = Processes()
    try:
        return check(profile, manifest, prefix, ModelProbe(processes=processes), hash_model)
    finally:
        processes.close()


def _data(found: Verified) -> dict[str, object]:
    return {
        "profile": found.profile,
        "target": found.target,
        "prefix": found.environment.prefix,
        "packages": len(found.environment.distributions),
        "files": found.environment.files,
        "deep": found.is_deep,
        "listed": sum(item.is_listed for item in found.environment.distributions),
        "imports": [asdict(item) for item in found.imports],
        "runs": [asdict(item) for item in found.runs],
        "probes": [item.to_json() for item in found.probe_results],
        "findings": [item.to_json() for item in (*found.report.findings, *found.probe_report.findings)],
    }


def _show(found: Verified, prefix: Path) -> None:
    from envsmith.console import printer
    from envsmith.verify import output

    lock = f"{found.profile}/{found.target}"
    count = len(found.report.errors)
    if count:
        printer.say(f"{prefix} does not match {lock}: {printer.counted(count, 'difference')}")
    else:
        printer.labelled("verified", f"{prefix} matches {lock}")
        packages = printer.counted(len(found.environment.distributions), "package")
        how = "all hashes compared" if found.is_deep else "presence and size compared"
        printer.labelled("", f"{packages} · {found.environment.files:,} files, {how}")
        for item in found.imports:
            version = f" {item.version}" if item.version else ""
            printer.labelled("", f"{item.name}{version} imports ({item.seconds:.1f} s)")
        for item in found.runs:
            printer.labelled("", f"`{item.name}` runs ({item.seconds:.1f} s)")
    output.show_probes(found.probe_results)
    if findings := (*found.report.findings, *found.probe_report.findings):
        printer.say("")
        printer.findings(findings)
    if count:
        option = "" if str(prefix) == ".venv" else f" --prefix {prefix}"
        printer.say(
            f"\nhint: `envsmith install {found.profile} --deep` builds a new environment from the lock;"
        )
        printer.say(
            f"      `envsmith doctor --fix{option}` shows a repair plan and applies it after confirmation"
        )
