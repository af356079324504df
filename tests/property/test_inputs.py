"""Any profile or requirements text parses, or is refused with code, place and hint; printed profiles parse again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from envsmith.config.positions import KeyPath, TomlDocument
from envsmith.config.profile import Profile
from envsmith.config.profile_reader import ProfileSource, parse, resolve
from envsmith.config.pyproject_settings import ProjectSettings
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import parse_requirements
from envsmith.errors import ProfileError
from envsmith.model.backend import Backend
from envsmith.model.listing import CHANNELS
from envsmith.model.target import Platform, Python

patient = settings(max_examples=120, deadline=None)

lines = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)
names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True)
requirements = st.builds(
    "{}{}{}".format,
    names,
    st.sampled_from(["", "==1.0+cpu", ">=1,<2", "~=2.1"]),
    st.sampled_from(["", '; python_version < "3.12"', '; sys_platform == "win32" and extra == "x"']),
)
plain = st.recursive(
    st.text(st.characters(codec="utf-8"))
    | st.integers(-(2**62), 2**62)
    | st.booleans()
    | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(st.text(max_size=5), plain, max_size=3)
parts: dict[str, st.SearchStrategy[Any]] = {
    "name": lines,
    "shape": st.lists(st.integers(1, 99) | st.sampled_from(["batch", "n_2"]), max_size=3),
    "dtype": st.sampled_from(["float32", "int64", "bool"]),
}
inputs: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(parts)
necessary: dict[str, st.SearchStrategy[Any]] = {
    "path": names,
    "format": st.sampled_from(["state_dict", "safetensors", "onnx", "torchscript"]),
}
more: dict[str, st.SearchStrategy[Any]] = {
    "device": st.sampled_from(["cpu", "cuda:1", "mps"]),
    "tensors": st.dictionaries(lines, st.lists(st.integers(1, 2**31 - 1), max_size=3), max_size=2),
    "atol": st.floats(0, 1e9) | st.integers(0, 9),
    "inputs": st.lists(inputs, max_size=2),
}
models: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(necessary, optional=more)
declared = st.lists(models, max_size=2, unique_by=lambda one: str(one["path"]))

profiles = st.fixed_dictionaries(
    {
        "backend": st.sampled_from(["cpu", "xpu", "cu128", "rocm6.4"]),
        "python": st.lists(st.integers(8, 20).map("3.{}".format), min_size=1, max_size=3),
        "platforms": st.lists(
            st.sampled_from(["linux", "windows", "linux-aarch64", "win_arm64"]), min_size=1, max_size=3
        ),
    },
    optional={
        "summary": lines,
        "channel": st.sampled_from(CHANNELS),
        "index": st.just("pytorch"),
        "on-retired": st.sampled_from(["error", "successor", "stable"]),
        "requirements": st.lists(requirements, max_size=4),
        "constraints": st.lists(requirements, max_size=2),
        "overrides": st.lists(requirements, max_size=2),
        "family": st.dictionaries(
            st.sampled_from(["torchvision", "torchaudio"]), st.sampled_from(["auto", "keep", "drop"])
        ),
        "gpu": st.lists(lines, max_size=3),
        "env": st.dictionaries(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
            st.text(st.characters(codec="utf-8", exclude_characters="\0")),
            max_size=3,
        ),
        "allow-sdist": st.lists(names, max_size=2),
        "checks": st.lists(
            st.fixed_dictionaries({"run": lines}, optional={"timeout-s": st.integers(1, 9)}), max_size=2
        ),
        "models": declared,
        "prune": st.lists(names, max_size=2),
        "shims": st.lists(st.just("torchaudio-legacy-api"), max_size=2),
    },
)


@patient
@given(profiles)
def test_what_is_shown_reads_back_equal(data: dict[str, Any]) -> None:
    profile = parse(tomlkit.dumps(data), "profiles/x.toml", "x")
    shown = profile.to_toml()
    again = parse(shown, "shown", "x")
    assert again == profile
    assert again.to_toml() == shown
    assert json.loads(json.dumps(profile.to_json())) == again.to_json()


@patient
@given(profiles)
def test_each_value_of_a_profile_has_a_line(data: dict[str, Any]) -> None:
    profile = parse(tomlkit.dumps(data), "profiles/x.toml", "x")
    values = [*profile.python, *profile.platforms, *profile.sourced_requirements()]
    wheres = [profile.where("python", python) for python in profile.python]
    wheres += [profile.where("platforms", platform) for platform in profile.platforms]
    wheres += [item.origin for item in profile.sourced_requirements()]
    assert len(wheres) == len(values)
    for where in wheres:
        assert int(where.split(":")[1]) >= 1


def places(value: object, path: KeyPath = ()) -> list[KeyPath]:
    found = [path] if path else []
    if isinstance(value, dict):
        found += [place for key, item in value.items() for place in places(item, (*path, key))]
    if isinstance(value, list):
        found += [place for number, item in enumerate(value) for place in places(item, (*path, number))]
    return found


@patient
@given(tables, st.sampled_from(["\n", "\r\n"]))
def test_every_key_and_item_of_any_toml_has_a_line(data: dict[str, Any], line_end: str) -> None:
    text = tomlkit.dumps(data).replace("\n", line_end)
    document = TomlDocument.parse(text, "x.toml")
    assert set(document.lines) == set(places(dict(document.data)))
    assert all(1 <= line <= text.count("\n") + 1 for line in document.lines.values())


def well_refused(read: Callable[[], object], place: str) -> None:
    """Read; an error must be of the known kind, and each of its parts have place, code and hint."""
    try:
        read()
    except ProfileError as error:
        for part in error.parts or (error,):
            assert place in part.where, part
            assert part.hint.isprintable(), part
            assert part.hint, part
            assert part.code.startswith("PRF"), part
            assert str(part).isprintable(), part


# Text that comes near to what is meant: pieces of it in any order, with any characters between.
REQUIREMENT_WORDS = """
torch ==2.3.1+cpu ; python_version <'3.12' [x] @ https:// download.pytorch.org /whl/ cu128 .whl -r -c -f -e --
torch-2.0%2Bcpu-cp311-cp311-win_amd64 --index-url --hash= = " ' # ${X} ( ) ../ * ,
"""
pieces = st.sampled_from([*REQUIREMENT_WORDS.split(), " ", "\\\n", "\n", "\t", "\r"])
near = st.lists(pieces | st.text(max_size=3), max_size=12).map("".join)


@patient
@given(near)
def test_any_requirements_file(text: str) -> None:
    well_refused(lambda: parse_requirements(text, "requirements.in"), "requirements.in:")


TOML_WORDS = """
backend python platforms requirements env family extends models = [ ] [[ ]] { } , " ' 1 true inf . # \\
\'\'\' "cpu" ["3.12"] ["linux"] tool.envsmith 1979-05-27 profiles project dependencies dependency-groups
"""
toml_pieces = st.sampled_from([*TOML_WORDS.split(), '"""', "\n", " "])
near_toml = st.lists(toml_pieces | st.text(max_size=2), max_size=14).map("".join)


@patient
@given(near_toml | st.text())
def test_any_text_as_a_profile(text: str) -> None:
    well_refused(lambda: parse(text, "profiles/x.toml", "x"), "profiles/x.toml")
    well_refused(lambda: ProjectSettings.from_pyproject(text, "pyproject.toml"), "pyproject.toml")
    well_refused(lambda: from_pyproject(text, "pyproject.toml", ["a"], ["b"]), "pyproject.toml")


KEYS = """
backend python platforms requirements env family gpu models checks shims index extends allow-sdist channel
on-retired summary constraints unknown
"""
keys = st.sampled_from(KEYS.split())


@patient
@given(st.dictionaries(keys | st.text(max_size=4), plain, max_size=6))
def test_any_values_under_any_keys(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    well_refused(lambda: parse(text, "profiles/x.toml", "x"), "profiles/x.toml")
    inside = tomlkit.dumps({"tool": {"envsmith": {"profiles": {"x": data}}}})
    source = ProfileSource(text=inside, place="pyproject.toml", table=("tool", "envsmith", "profiles", "x"))
    well_refused(lambda: resolve("x", lambda _: source), "pyproject.toml")
    project = {"project": {"name": "p", "dependencies": plain_of(data), "optional-dependencies": data}}
    well_refused(lambda: from_pyproject(tomlkit.dumps(project), "pyproject.toml", data), "pyproject.toml")


def plain_of(data: dict[str, Any]) -> object:
    return next(iter(data.values()), [])


@patient
@given(st.sampled_from(["cpu", "xpu", "cu118", "cu128", "rocm6.4", "rocm6.2.4"]))
def test_overrides_by_the_values_themselves_change_nothing(backend: str) -> None:
    profile = Profile(
        name="x",
        backend=Backend.parse(backend),
        python=(Python.parse("3.12"),),
        platforms=(Platform.parse("windows"),),
    )
    assert profile.with_overrides(backend=backend, python=["3.12"], platforms=["win_amd64"]) == profile
