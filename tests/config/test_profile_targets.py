"""Targets of a profile: the entries of ``[[target]]``, inherited ones, and the options of the command line."""

from __future__ import annotations

from typing import Any

import pytest

from envsmith.config.profile import Profile
from envsmith.config.profile_reader import ProfileSource, parse, resolve
from envsmith.errors import ProfileError

BASE = 'backend = "cu128"\npython = ["3.11", "3.12"]\nplatforms = ["linux", "windows"]\n'
MIXED = f"""{BASE}
[[target]]
platform = "linux-aarch64"
backend = "cu130"

[[target]]
platform = "macos"
backend = "cpu"

[[target]]
platform = "windows"
python = ["3.12"]
backend = "cu126"
"""
ARM, LINUX, MAC, WINDOWS = "manylinux_2_28_aarch64", "manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64"


def targets(profile: Profile) -> dict[str, str]:
    return {target.slug: str(target.backend) for target in profile.targets()}


def extended(text: str, base: str = MIXED) -> Profile:
    texts = {"mine": f'extends = "prod"\n{text}', "prod": base}
    return resolve("mine", lambda name: ProfileSource(text=texts[name], place=f"{name}.toml"))


def test_entries_add_and_override() -> None:
    profile = parse(MIXED, "a.toml", "a")
    assert targets(profile) == {
        f"cp311-{ARM}": "cu130",
        f"cp312-{ARM}": "cu130",
        f"cp311-{LINUX}": "cu128",
        f"cp312-{LINUX}": "cu128",
        f"cp311-{MAC}": "cpu",
        f"cp312-{MAC}": "cpu",
        f"cp311-{WINDOWS}": "cu128",
        f"cp312-{WINDOWS}": "cu126",
    }
    assert list(map(str, profile.backends)) == ["cu130", "cu128", "cpu", "cu126"]
    assert parse(profile.to_toml(), "b.toml", "a") == profile


def test_an_entry_with_pythons_wins_over_one_without_in_any_order() -> None:
    exact = '[[target]]\nplatform = "linux"\npython = ["3.13"]\nbackend = "cu126"\n'
    general = '[[target]]\nplatform = "linux"\nbackend = "cu130"\n'
    for entries in (exact + general, general + exact):
        found = targets(parse(BASE + entries, "a.toml", "a"))
        assert found[f"cp313-{LINUX}"] == "cu126"
        assert found[f"cp312-{LINUX}"] == "cu130"
        assert found[f"cp312-{WINDOWS}"] == "cu128"
        assert f"cp313-{WINDOWS}" not in found


@pytest.mark.parametrize(
    ("text", "code", "where", "said"),
    [
        ('platform = "macos"', "PRF007", "a.toml:4: target[0]", "cu128"),
        ('backend = "cpu"', "PRF014", "a.toml:4: target[0]", "platform is missing"),
        ('platform = "linux"\nos = "x"', "PRF003", "a.toml:6: target[0].os", "unknown key"),
        ('platform = "linux"\npython = []', "PRF005", "a.toml:6: target[0].python", "is empty"),
        (
            'platform = "linux"\n[[target]]\nplatform = "linux-x86_64"',
            "PRF057",
            "a.toml:6: target[1]",
            "a.toml:4",
        ),
        (
            'platform = "linux"\npython = ["3.11", "3.12"]\n[[target]]\nplatform = "linux"\npython = ["3.12"]',
            "PRF057",
            "a.toml:7: target[1]",
            "a.toml:4: target[0]",
        ),
    ],
)
def test_malformed_entries(text: str, code: str, where: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse(f"{BASE}[[target]]\n{text}\n", "a.toml", "a")
    assert [(part.code, part.where) for part in caught.value.parts] == [(code, where)]
    assert said in caught.value.message


INHERITED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("", {}, {f"cp312-{WINDOWS}": "cu126", f"cp311-{MAC}": "cpu", f"cp311-{LINUX}": "cu128"}),
    (
        'backend = "cpu"',
        {"backend": "cpu"},
        {f"cp312-{WINDOWS}": "cpu", f"cp311-{MAC}": "cpu", f"cp311-{ARM}": "cpu", f"cp311-{LINUX}": "cpu"},
    ),
    (
        'python = ["3.11"]',
        {"python": ["3.11"]},
        {
            f"cp311-{ARM}": "cu130",
            f"cp311-{LINUX}": "cu128",
            f"cp311-{MAC}": "cpu",
            f"cp311-{WINDOWS}": "cu128",
        },
    ),
    (
        'platforms = ["linux-aarch64", "windows"]',
        {"platforms": ["linux-aarch64", "windows"]},
        {
            f"cp311-{ARM}": "cu130",
            f"cp312-{ARM}": "cu130",
            f"cp311-{WINDOWS}": "cu128",
            f"cp312-{WINDOWS}": "cu126",
        },
    ),
]


@pytest.mark.parametrize(("text", "options", "expected"), INHERITED)
def test_extends_and_options_replace_the_values_of_the_entries(
    text: str, options: dict[str, Any], expected: dict[str, str]
) -> None:
    """A profile with more targets than expected is one that an option did not limit."""
    by_options = targets(parse(MIXED, "a.toml", "a").with_overrides(**options))
    assert targets(extended(text)) == by_options
    assert expected.items() <= by_options.items()
    assert not options or len(expected) in (len(by_options), 4)


def test_own_entries_replace_the_inherited_ones() -> None:
    profile = extended('[[target]]\nplatform = "macos"\nbackend = "cpu"\n')
    assert {slug for slug, backend in targets(profile).items() if backend != "cu128"} == {
        f"cp311-{MAC}",
        f"cp312-{MAC}",
    }
    assert set(targets(extended("target = []")).values()) == {"cu128"}


def test_options_choose_a_target_that_only_an_entry_names() -> None:
    only = parse(f'{BASE}[[target]]\nplatform = "macos"\npython = ["3.13"]\nbackend = "cpu"\n', "a.toml", "a")
    assert targets(only.with_overrides(platforms=["macos"])) == {f"cp313-{MAC}": "cpu"}
    assert targets(only.with_overrides(python=["3.13"])) == {f"cp313-{MAC}": "cpu"}
    every = only.with_overrides(python=["3.11", "3.12", "3.13"], platforms=["linux", "windows", "macos"])
    assert targets(every) == targets(only)
    # No entry has both: the options are taken as they are.
    assert targets(only.with_overrides(python=["3.13"], platforms=["linux"])) == {f"cp313-{LINUX}": "cu128"}
