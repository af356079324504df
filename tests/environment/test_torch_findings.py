from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.environment import package_findings
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment
from tests.environment.test_lock_comparison import distribution, environment

CATALOG = Catalog.embedded()


def installed(**versions: str) -> Environment:
    return environment(*(distribution(name, version) for name, version in versions.items()))


@pytest.mark.parametrize(
    ("versions", "builds", "codes"),
    [
        ({"torch": "2.11.0+cu128", "torchvision": "0.26.0+cu128", "torchaudio": "2.11.0+cu128"}, {}, []),
        ({"torch": "2.11.0+cu128", "torchvision": "0.26.0+cpu"}, {}, ["ENV060"]),
        ({"torch": "2.11.0+cpu", "torchaudio": "2.11.0+cu130"}, {}, ["ENV060"]),
        ({"torch": "2.11.0+cu128", "torchaudio": "2.11.0+cu130"}, {}, ["ENV070"]),
        # From PyPI, where the label is in the files alone.
        (
            {"torch": "2.15.0", "torchaudio": "2.11.0"},
            {"torch": "2.15.0+cu132", "torchaudio": "2.11.0+cu130"},
            ["ENV070"],
        ),
        (
            {"torch": "2.14.1", "torchaudio": "2.11.0"},
            {"torch": "2.14.1+cu130", "torchaudio": "2.11.0+cu130"},
            [],
        ),
        # macOS: no labels at all.
        ({"torch": "2.11.0", "torchvision": "0.26.0"}, {"torch": "2.11.0", "torchvision": "0.26.0"}, []),
        ({"torchvision": "0.26.0+cpu"}, {}, []),
        ({"torch": "2.11.0+mine", "torchvision": "0.26.0+cpu"}, {}, []),
        ({"torch": "not a version", "torchvision": "0.26.0+cpu"}, {}, []),
    ],
)
def test_builds_for_different_backends(
    versions: dict[str, str], builds: dict[str, str], codes: list[str]
) -> None:
    found = list(package_findings.mixed(installed(**versions), InstalledState(builds=builds)))
    assert [item.code for item in found] == codes


def test_the_cure_takes_the_build_that_supports_torch() -> None:
    (found,) = package_findings.mixed(
        installed(torch="2.11.0+cu128", torchvision="0.26.0+cpu"), InstalledState()
    )
    assert "torchvision 0.26.0+cpu is built for CPU, torch 2.11.0+cu128 for CUDA 12.8" in found.message
    assert "--index-url https://download.pytorch.org/whl/cu128 torchvision==0.26.0" in found.hint


@pytest.mark.parametrize(
    ("torch", "name", "version", "right"),
    [
        ("2.8.0+cu128", "torchvision", "0.23.0+cu128", ""),
        ("2.11.0+cu128", "torchvision", "0.23.0+cu128", "torchvision==0.26.0"),
        ("2.8.0", "torchaudio", "2.7.1", "torchaudio==2.8.0"),
        ("2.14.1+cu130", "torchaudio", "2.11.0+cu130", ""),
        ("2.15.0+cu132", "torchvision", "0.29.1+cu132", ""),
        ("2.13.0+cpu", "torchvision", "0.29.1+cpu", "torchvision==0.28.0"),
        ("2.12.0.dev20260401+cu128", "torchvision", "0.26.0+cu128", ""),
        ("2.11.0+cpu", "torchvision", "99.0+cpu", ""),
    ],
)
def test_versions_that_were_not_built_for_one_another(
    torch: str, name: str, version: str, right: str
) -> None:
    found = list(
        package_findings.unpaired(installed(torch=torch, **{name: version}), InstalledState(), CATALOG)
    )
    assert [item.hint.rpartition(" ")[2] for item in found] == ([right] if right else [])
    assert all(item.code == "ENV066" for item in found)


def test_a_path_with_a_space_stays_one_word() -> None:
    mixed = replace(installed(torch="2.11.0+cu128", torchvision="0.26.0+cpu"), prefix="/my proj/.venv")
    (found,) = package_findings.mixed(mixed, InstalledState())
    assert shlex.split(found.hint)[4] == "/my proj/.venv"
    unpaired = replace(installed(torch="2.11.0+cu128", torchvision="0.23.0+cu128"), prefix="/it's here/.venv")
    (found,) = package_findings.unpaired(unpaired, InstalledState(), CATALOG)
    assert shlex.split(found.hint)[4] == "/it's here/.venv"
