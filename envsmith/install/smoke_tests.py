"""Smoke tests of a new environment: imports and commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.config.profile import IMPORT_TIMEOUT_S, SmokeTest
from envsmith.environment.interpreter import EnvironmentProbe
from envsmith.environment.model import Import
from envsmith.lockfile.pins import Pins
from envsmith.model.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTests:
    """The smoke tests of a profile, run in a new environment before it becomes current."""

    tests: tuple[SmokeTest, ...] = ()
    """In addition to importing torch, if it is locked."""
    env: Mapping[str, str] = field(default_factory=dict)

    def imports(self, pins: Pins) -> tuple[SmokeTest, ...]:
        """Return the imports to test in an environment with these pins."""
        imports = tuple(test for test in self.tests if test.kind == "import")
        needs_torch = pins.version("torch") and all(test.text != "torch" for test in imports)
        return (SmokeTest("import", "torch", IMPORT_TIMEOUT_S), *imports) if needs_torch else imports

    def commands(self) -> tuple[SmokeTest, ...]:
        """Return the commands to run."""
        return tuple(test for test in self.tests if test.kind == "run")

    def without_commands(self) -> SmokeTests:
        """Return the imports alone, for a run that executes nothing of the project."""
        return replace(self, tests=tuple(test for test in self.tests if test.kind != "run"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The tests of the profile as they are recorded in a generation, sorted."""
        return tuple(sorted({test.word for test in self.tests}))


def run_imports(
    tests: SmokeTests, pins: Pins, prefix: Path, probe: EnvironmentProbe, progress: Progress
) -> Iterator[Import]:
    """Import the modules of the smoke tests, each in a process of its own."""
    for test in tests.imports(pins):
        progress.started(prefix.name, f"importing {test.text}")
        yield probe.imports(prefix, test.text, tests.env, test.timeout_s)


def run_commands(
    tests: SmokeTests, prefix: Path, probe: EnvironmentProbe, progress: Progress
) -> Iterator[Import]:
    """Run the commands of the smoke tests."""
    for test in tests.commands():
        progress.started(prefix.name, f"running {test.text}")
        yield probe.runs(prefix, test.text, tests.env, test.timeout_s)
