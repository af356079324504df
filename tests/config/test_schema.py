"""The JSON Schemas accept what the readers accept, as far as single values show it by their form."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import regress
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, validators

from envsmith.cli.main import main
from envsmith.config.profile_reader import PROFILE, ProfileSource, profile_schema, resolve
from envsmith.config.pyproject_settings import TABLE, ProjectSettings, settings_schema
from envsmith.errors import ProfileError
from tests.catalog.tool_modules import load
from tests.config.test_model_files import ALL as MODELS
from tests.config.test_profile_reader import GOOD, MALFORMED, REPLACED
from tests.systems import posix_only

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"

FORM = {"PRF003", "PRF004", "PRF005", "PRF006", "PRF010", "PRF011", "PRF012", "PRF014", "PRF040"}
"""Codes for the form of one value; the others compare values, or follow rules that no schema can state."""


@functools.cache
def _ecma(pattern: str) -> regress.Regex:
    return regress.Regex(pattern)


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[Exception]:
    """Match as ECMA-262 does, like editors; Python's `$` would match before a line break, too."""
    from jsonschema import ValidationError

    if isinstance(value, str) and _ecma(pattern).find(value) is None:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


Validator = validators.extend(Draft7Validator, {"pattern": _pattern})
PROFILES, SETTINGS = Validator(profile_schema()), Validator(settings_schema())


def refused(name: str, text: str) -> set[str]:
    """Return the codes with which the reader refuses a profile."""
    base = GOOD if name != "base" else text

    def find(wanted: str) -> ProfileSource:
        if wanted in (name, "base"):
            return ProfileSource(text=text if wanted == name else base, place=f"{wanted}.toml")
        raise ProfileError("PRF013", "missing")

    try:
        resolve(name, find)
    except ProfileError as error:
        return {part.code for part in error.parts}
    return set()


def refused_settings(text: str) -> set[str]:
    """Return the codes with which the readers refuse settings and the profiles among them."""
    found: set[str] = set()
    try:
        read = ProjectSettings.from_pyproject(text, "pyproject.toml")
    except ProfileError as error:
        return {part.code for part in error.parts}
    for source in read.profiles:

        def find(name: str, source: ProfileSource = source) -> ProfileSource:
            return source if name == source.table[-1] else ProfileSource(text=GOOD, place="base.toml")

        try:
            resolve(source.table[-1], find)
        except ProfileError as error:
            found |= {part.code for part in error.parts}
    return found


def toml(value: object) -> str:
    """Write a value as TOML does on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def lines(table: Mapping[str, object]) -> str:
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in table.items())


def model(**more: object) -> list[dict[str, object]]:
    """Return the models of a profile: one."""
    return [{"path": "a", "format": "onnx", **more}]


def each(*values: object) -> list[list[object]]:
    """Return lists of one value."""
    return [[value] for value in values]


X = {"name": "x", "shape": ["b", 3], "dtype": "int8"}
URL = "https://a.example/simple"

# Values of each key, good ones and bad ones, from which tables are made.
SAMPLES: dict[str, list[Any]] = {
    "summary": ["x", "é", "a\tb"],
    "extends": ["base", "Base", "../base", "a..b", "con", "con.x", "a.", "x" * 80, "x" * 81],
    "backend": ["cpu", "xpu", "cu128", "cu1", "cu1280", "rocm6.4", "rocm7.2.1", "rocm7", "cuda", "cpu\n"],
    "channel": ["stable", "nightly", "beta"],
    "index": ["pytorch", "pypi", "conda"],
    "on-retired": ["error", "successor", "stable", "ignore"],
    "versions": ["common", "newest", "latest"],
    "versions-of": ["prod", "Prod", "", "a/b"],
    "python": [["3.12", "3.9"], [], "3.12", *each("3.12", "3", "3.123", "4.0", "3.12\n", 3.12)],
    "platforms": [["linux", "macosx_14_0_arm64"], [], *each("win_amd64", "beos", "musllinux_1_2_x86_64")],
    "target": [
        *each({"platform": "linux"}, {"platform": "win_amd64", "backend": "cu126", "python": ["3.12"]}),
        *each(
            {"platform": "beos"}, {"backend": "cu126"}, {"platform": "linux", "python": []}, {"os": "x"}, 1
        ),
        [],
        {"platform": "linux"},
    ],
    "requirements": [["torch"], ["torch", ""], [], "torch", ["a\nb"]],
    "constraints": [["torch<3"], [1]],
    "overrides": [["torch<3"], [["a"]]],
    "family": [
        {},
        {"torchvision": "auto"},
        {"torchaudio": "none"},
        {"opencv": "opencv-python"},
        *({"cv2": value} for value in ("keep", "a b", 1)),
    ],
    "gpu": [["RTX 5080", "8.9"], [8.9], [""]],
    "env": [
        *({"A": value} for value in ("", "1\n2", 1, "a\0b")),
        *(
            {name: "x"}
            for name in ("A-B", "Path", "virtual_env_prompt", "_", "_ES_x", "MY_PATH", "ENVSMITH_X", "")
        ),
    ],
    "as-of": ["2026-11-01", "2026-11-01T09:00:00Z", "2026-11-01T09:00:00", "today", "01.11.2026", 20261101],
    "extras": [["ml"], [], "ml", [1], [""]],
    "groups": [["dev", "test"], [], "dev", [1], [""]],
    "given": [["torch", "a.b"], *each("a", "a b", "-a")],
    "given-python": ["/usr/bin/python3", "python3.12", "C:/py/python.exe", "./python", "a/b", "", 3, []],
    "allow-build": [["a.b", "c_d"], *each("a", "a b", "-a", "a-")],
    "project": [True, False, 1, "no"],
    "allow-sdist": [["a.b", "c_d"], [":all:"], *each("a", "a b", "-a", "a-")],
    "dependency-metadata": [
        [
            {"name": "a", "version": "1", "requires-dist": ["torch"], "requires-python": ">=3.9"},
            {"name": "b"},
        ],
        *each({}, {"name": "a", "requires-dist": "torch"}, {"name": "a", "more": 1}, {"name": ""}),
    ],
    "build": [
        {
            "flash-attn": {
                "requires": ["torch", "ninja<2"],
                "constraints": ["setuptools<81"],
                "isolated": False,
            }
        },
        {"*": {"env": {"MAX_JOBS": "4"}, "needs": ["nvcc", "c++"]}, "a.b": {}},
        {"a": {"needs": ["gcc"]}},
        {"a": {"env": {"A-B": "x"}}},
        {"a": {"isolated": "no"}},
        {"a": []},
        {"a": {"more": 1}},
        {"a": {"requires": "torch"}},
        {"a b": {}},
    ],
    "routes": [
        *({name: URL} for name in ("a", "a b", "Torch", "torch-x", "TorchVision")),
        {"a": 1},
        {"a": ""},
    ],
    "checks": [
        *each({}, {"timeout-s": 1}, {"import": "a", "run": "b"}, {"run": "a", "more": 1}),
        *([{"import": name}] for name in ("a.b", "é", "a b", "1a", "a.", "")),
        *([{"run": "x y", "timeout-s": limit}] for limit in (0, 0.5, 60, 86_401, True)),
    ],
    "models": [
        [{"path": "a.onnx"}],
        *(model(path=path) for path in ("a", "/a", "a/../b", "C:a", "a/b:c", "..a", "\\a")),
        *(model(format=name) for name in ("safetensors", "keras")),
        *(model(sha256=digest) for digest in ("0" * 64, "0" * 63)),
        *(model(device=device) for device in ("cuda:1", "tpu")),
        model(reference="r.npz"),
        *(model(reference="r.npz", inputs=inputs) for inputs in ([X], [])),
        *(model(inputs=[X | {"shape": shape}]) for shape in ([0], ["b c"], [])),
        model(inputs=[{"name": "x"}]),
        *(model(sizes={"b": size}) for size in (4, 0, 1 << 31, True)),
        *(model(tensors={"w": shape}) for shape in ([3, 4], [], 3)),
        *(model(atol=value, rtol=1e-4) for value in (0, -1, 1e30, "1")),
    ],
    "prune": [["xformers"], ["a b"]],
    "safe-globals": each(
        "a.B", "a", "os.system", "os", "osx.a", "torch.hub.load", "a." + "b" * 298, "a." + "b" * 299
    ),
    "shims": [["torch-safe-globals"], ["torchaudio-legacy-api"], ["torch"], [1]],
}
CI: dict[str, list[Any]] = {
    "github": [
        *({key: "a"} for key in ("linux-x86_64", "windows-amd64-cu128", "linux-x86_64-cpu", "ubuntu")),
        *({"macos-arm64": labels} for labels in (["a", "b"], [], "", 1)),
    ],
    "gitlab": [{key: "a"} for key in ("linux-aarch64-rocm6.4", "linux-x86_64-cuda", "linux-x86_64-cuda:")],
    "azure": [{"windows-arm64-gpu": [1]}, {}],
    "profiles": [["a"], [], ["A"]],
    "setup": [["pip install x"], [], "x", ["a\u2028b"], ["a\tb"]],
    "test": [["a", "b c"], ["\ufeffa"]],
    "cpu-fallback": [True, "yes"],
}
COMPLETE: Any = {"backend": "cpu", "python": ["3.12"], "platforms": ["linux"]}
PROJECT: dict[str, list[Any]] = {
    "profiles": [{"A": COMPLETE}, *({"a": profile} for profile in (COMPLETE, {"extends": "base"}, {}, 1))],
    "default-profiles": [["a"], ["A"], "a"],
    "requirements-from": [
        "project",
        "profile",
        "both",
        *("a/b.in", "b.txt", "../b.txt", "/b.in", "a.toml", ".in"),
    ],
    "project": [True, False, "no"],
    "sources": [[], *each("src", "/src", "a/..", "C:x", ".")],
    "rewrite": ["x", [1], {"a": 1}, [f"{URL}=https://b.example"], {URL: "https://b.example"}],
    "as-of": ["2026-11-01", "today"],
    "extras": [["ml"], "ml"],
    "groups": [["dev"], [1]],
    "ci": [1],
    "index": [
        *([{"url": URL}], [{"name": "a", "url": URL, "default": True}], [], [{"url": URL, "x": 1}]),
        *([{"name": "a"}], [{"url": 1}], [{"url": URL, "default": 1}], [1], 1),
    ],
}
ANY = st.sampled_from([1, 0.5, True, "", " ", "x", "a\nb", "\x7f", [], {}, [1], ["x"], {"x": 1}])


def tables(samples: Mapping[str, list[Any]], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make tables of some of these keys, and of a key that is unknown; most values fit their key."""
    values = {key: st.one_of(*[st.sampled_from(items)] * 4, ANY) for key, items in samples.items()} | more
    unknown = {"bakend": ANY}
    return st.fixed_dictionaries({}, optional=values | unknown)


@settings(max_examples=300)
@given(tables(SAMPLES), st.booleans())
def test_profile_schema_and_reader_agree(table: dict[str, Any], is_complete: bool) -> None:
    table = {**COMPLETE, **table} if is_complete else table
    codes = refused("x", lines(table))
    assert PROFILES.is_valid(table) == (not codes & FORM), (table, codes)


@settings(max_examples=200)
@given(tables(PROJECT, ci=tables(CI)))
def test_settings_schema_and_readers_agree(table: dict[str, Any]) -> None:
    codes = refused_settings(f"[tool.envsmith]\n{lines(table)}")
    assert SETTINGS.is_valid({"tool": {"envsmith": table}}) == (not codes & FORM), (table, codes)


@pytest.mark.parametrize("key", SAMPLES)
def test_every_sample_of_a_profile(key: str) -> None:
    seen = set()
    for value in SAMPLES[key]:
        table = {**COMPLETE, key: value}
        codes = refused("x", lines(table))
        assert PROFILES.is_valid(table) == (not codes & FORM), (value, codes)
        seen.add(not codes & FORM)
    assert seen == {True, False} or key == "summary"


@pytest.mark.parametrize("key", [*PROJECT, *(f"ci.{key}" for key in CI)])
def test_every_sample_of_settings(key: str) -> None:
    for value in CI[key[3:]] if key.startswith("ci.") else PROJECT[key]:
        table = {"ci": {key[3:]: value}} if key.startswith("ci.") else {key: value}
        codes = refused_settings(f"[tool.envsmith]\n{lines(table)}")
        assert SETTINGS.is_valid({"tool": {"envsmith": table}}) == (not codes & FORM), (value, codes)


def test_every_key_has_samples() -> None:
    assert set(SAMPLES) == set(PROFILE)
    properties: Any = settings_schema()
    for key in TABLE:
        properties = properties["properties"][key]
    assert set(PROJECT) == set(properties["properties"])
    assert set(CI) == set(properties["properties"]["ci"]["properties"])


MALFORMED_TEXTS = [(GOOD + text, code) for text, code, *_ in MALFORMED]
MALFORMED_TEXTS += [(GOOD.replace(old, new), code) for old, new, code, *_ in REPLACED if code != "PRF001"]


@pytest.mark.parametrize(("text", "code"), MALFORMED_TEXTS)
def test_what_the_reader_refuses_for_its_form(text: str, code: str) -> None:
    assert PROFILES.is_valid(tomllib.loads(text)) == (code not in FORM)


def test_profiles_in_use_are_valid() -> None:
    found = [*ROOT.glob("profiles/*.toml"), *ROOT.glob("examples/*/profiles/*.toml")]
    assert len(found) >= 14
    for path in found:
        PROFILES.validate(tomllib.loads(path.read_text("utf-8")))
    PROFILES.validate(tomllib.loads(GOOD + MODELS))
    for path in (ROOT / "pyproject.toml", *ROOT.glob("examples/*/pyproject.toml")):
        SETTINGS.validate(tomllib.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("schema", [profile_schema(), settings_schema()])
def test_schemas_are_valid_and_describe_every_key(schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)
    described = list(_described(schema, schema))
    assert len(described) > 30
    for name, node in described:
        assert re.fullmatch(r"[^.].*\.", node["description"]), name
        for value in [*node.get("examples", ()), *([node["default"]] if "default" in node else [])]:
            rule = {"definitions": schema.get("definitions", {}), **node}
            assert Validator(rule).is_valid(value), (name, value)


def _described(node: Any, root: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, list):
        for item in node:
            yield from _described(item, root)
    if not isinstance(node, Mapping):
        return
    for key, item in node.items():
        if key == "properties" and "additionalProperties" in node:
            yield from item.items()
        yield from _described(item, root)


def test_committed_files_are_what_the_command_prints(capfd: pytest.CaptureFixture[str]) -> None:
    for name, words in {"profile": (), "settings": ("--settings",)}.items():
        assert main(["profiles", "schema", *words]) == 0
        assert capfd.readouterr().out == (REFERENCE / f"{name}.schema.json").read_text("utf-8")


def test_check_reports_stale_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = load("json_schemas")
    monkeypatch.setattr(tool, "FOLDER", tmp_path)
    for words, status in ((["--check"], 1), ([], 0), (["--check"], 0)):
        monkeypatch.setattr(sys, "argv", ["json_schemas.py", *words])
        assert tool.main() == status
    (tmp_path / "profile.schema.json").write_text("{}", "utf-8")
    monkeypatch.setattr(sys, "argv", ["json_schemas.py", "--check"])
    assert tool.main() == 1


@posix_only("programs beside Python's")
def test_another_program_checks_profiles_by_the_schema(tmp_path: Path) -> None:
    """As the page on profiles shows it."""
    bad = tmp_path / "bad.toml"
    bad.write_text(f"{GOOD}bakend = 1\n", "utf-8")
    program = Path(sys.executable).with_name("check-jsonschema")
    schema = REFERENCE / "profile.schema.json"
    words: list[str | Path] = [program, "--schemafile", schema, *ROOT.glob("profiles/*.toml"), bad]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert [line.split("::")[0].strip() for line in done.stdout.splitlines() if "::" in line] == [str(bad)]
    assert "'bakend' was unexpected" in done.stdout


def test_page_describes_every_key() -> None:
    page = (REFERENCE / "profiles.md").read_text("utf-8")
    table = page[page.index("| key |") :].split("\n\n")[0]
    rows = [re.match(r"\| ([^|]+) \|", line) for line in table.splitlines()[2:]]
    assert {key for row in rows if row for key in re.findall("`([^`]+)`", row[1])} == set(PROFILE)
    for key in PROJECT:
        assert f"`{key}`" in page
