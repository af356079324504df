"""Each key of another tool that changes what is installed is followed, noted or refused; none is passed over."""

from __future__ import annotations

import pytest
import tomlkit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envsmith.config.requirements.pdm_table import PDM_KEYS, RESOLUTION_KEYS
from envsmith.config.requirements.pixi_table import OPTION_KEYS, PIXI_KEYS
from envsmith.config.requirements.poetry_table import KNOWN_KEYS as POETRY_KEYS
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import RequirementsFile, parse_requirements
from envsmith.config.requirements.uv_table import KNOWN_KEYS as UV_KEYS
from envsmith.errors import ProfileError

URL = "https://packages.example/simple"
PROJECT = {
    "name": "mine",
    "dependencies": ["utils", "torch"],
    "optional-dependencies": {"cpu": ["six"], "gpu": ["rich"]},
}


def words(text: str) -> set[str]:
    return set(text.split())


# A value of each key that changes what is installed.
UV = {
    "constraint-dependencies": ["numpy<2"],
    "override-dependencies": ["numpy<2"],
    "exclude-dependencies": ["numpy"],
    "dev-dependencies": ["ruff"],
    "sources": {"utils": {"workspace": True}},
    "index": [{"url": URL}],
    "index-url": URL,
    "extra-index-url": [URL],
    "find-links": ["./wheels"],
    "no-index": True,
    "conflicts": [[{"extra": "cpu"}, {"extra": "gpu"}]],
    "environments": ["sys_platform == 'linux'"],
    "exclude-newer": "2026-11-01",
    "exclude-newer-package": {"numpy": "2026-11-01"},
    "resolution": "lowest",
    "prerelease": "allow",
    "prerelease-package": {"numpy": "allow"},
    "index-strategy": "unsafe-best-match",
    "fork-strategy": "fewest",
    "dependency-metadata": [{"name": "numpy"}],
    "no-binary": True,
    "no-binary-package": ["numpy"],
    "torch-backend": "cpu",
    "minimum-libc-version": "2.35",
    "pip": {"resolution": "lowest"},
    "workspace": {"members": ["libs/*"]},
    "dependency-groups": {"dev": {"requires-python": ">=3.12"}},
    "config-settings": {"a": "b"},
    "config-settings-package": {"numpy": {"a": "b"}},
    "no-build-isolation": True,
    "no-build-isolation-package": ["numpy"],
    "extra-build-dependencies": {"numpy": ["cython"]},
    "extra-build-variables": {"numpy": {"A": "b"}},
    "build-constraint-dependencies": ["setuptools<81"],
}
# Read elsewhere (the settings), or taken back by itself, or without effect on a lock: of wheels with hashes, for the
# targets of a profile, in envsmith's own folders.
UV_OTHERS = words(
    """
    default-groups no-sources no-sources-package no-build no-build-package require-build-hashes required-environments
    required-version system-certs native-tls offline no-cache cache-dir cache-keys preview preview-features
    python-preference python-downloads concurrent-downloads concurrent-builds concurrent-installs keyring-provider
    http-proxy https-proxy no-proxy allow-insecure-host link-mode compile-bytecode upgrade upgrade-package reinstall
    reinstall-package python-install-mirror pypy-install-mirror graalpy-install-mirror pyodide-install-mirror
    python-downloads-json-url publish-url trusted-publishing check-url add-bounds audit managed package build-backend
    """
)
POETRY = {
    "dependencies": {"utils": {"path": "x"}},
    "dev-dependencies": {"ruff": "*"},
    "group": {"dev": {"dependencies": {"ruff": "*"}}},
    "extras": {"more": ["torch"]},
    "source": [{"name": "own", "url": URL}],
    "requires-plugins": {"x": "*"},
    "build-constraints": {"numpy": {"setuptools": "<81"}},
}
POETRY_OTHERS = words(
    """
    name version description package-mode license authors maintainers readme homepage repository documentation keywords
    classifiers packages include exclude scripts plugins urls build requires-poetry
    """
)
PDM = {
    "dev-dependencies": {"dev": ["ruff"]},
    "source": [{"name": "own", "url": URL}],
    "resolution": {"excludes": ["numpy"]},
    "overrides": {"numpy": "1.26"},
    "allow_prereleases": True,
    "options": {"lock": ["--pre"]},
    "plugins": ["x"],
}
PDM_OTHERS = words(
    """
    distribution version name build scripts publish ignore_package_warnings python_requires package-type
    """
)
RESOLUTION = {
    "overrides": {"numpy": "1.26"},
    "excludes": ["numpy"],
    "allow-prereleases": True,
}
CONDA = {"numpy": "*"}
PIXI = {
    "dependencies": CONDA,
    "host-dependencies": CONDA,
    "build-dependencies": CONDA,
    "run-dependencies": CONDA,
    "constraints": CONDA,
    "pypi-dependencies": {"numpy": "*"},
    "pypi-options": {"index-url": URL},
    "target": {"linux-64": {"pypi-dependencies": {"numpy": "*"}}},
    "feature": {"a": {"dependencies": CONDA}},
    "workspace": {"exclude-newer": "2026-11-01"},
    "project": {"pypi-options": {"index-url": URL}},
    "system-requirements": {"cuda": "12"},
    "dev": CONDA,
    "package": {"name": "x"},
}
PIXI_OTHERS = words("tasks activation environments s3-options preview")
OPTIONS = {
    "index-url": URL,
    "extra-index-urls": [URL],
    "find-links": [{"path": "./wheels"}],
    "dependency-overrides": {"numpy": "<2"},
    "no-binary": True,
    "no-build-isolation": ["numpy"],
    "index-strategy": "unsafe-best-match",
    "prerelease-mode": "allow",
}
TABLES = {
    ("uv",): (UV, UV_OTHERS, UV_KEYS),
    ("poetry",): (POETRY, POETRY_OTHERS, POETRY_KEYS),
    ("pdm",): (PDM, PDM_OTHERS, PDM_KEYS),
    ("pdm", "resolution"): (RESOLUTION, {"respect-source-order"}, RESOLUTION_KEYS),
    ("pixi",): (PIXI, PIXI_OTHERS, PIXI_KEYS),
    ("pixi", "pypi-options"): (OPTIONS, {"no-build"}, OPTION_KEYS),
}


def read(tools: object, *, with_dependencies: bool = True) -> RequirementsFile | None:
    project = PROJECT if with_dependencies else {"name": "mine", "dynamic": ["dependencies"]}
    text = tomlkit.dumps({"project": project, "tool": tools})
    return from_pyproject(text, "pyproject.toml", ["*"] if with_dependencies else (), ["*"])


def nested(path: tuple[str, ...], value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


SAMPLES = [(path, key, value) for path, (samples, _, _) in TABLES.items() for key, value in samples.items()]


@pytest.mark.parametrize(("path", "key", "value"), SAMPLES)
def test_a_key_that_changes_what_is_installed_is_never_passed_over(
    path: tuple[str, ...], key: str, value: object
) -> None:
    try:
        found = read(nested((*path, key), value))
    except ProfileError as error:
        places = [part.where for part in error.parts]
    else:
        assert found != read({})
        places = [note.message for note in found.notes] if found else []
    assert all(place.startswith("pyproject.toml:") for place in places)


@pytest.mark.parametrize("path", TABLES)
def test_all_known_keys_are_classified(path: tuple[str, ...]) -> None:
    samples, others, known = TABLES[path]
    assert samples.keys() | others == set(known)
    assert not samples.keys() & others


KEYS = st.from_regex(r"[a-z]{3,12}(-[a-z]{1,8})?", fullmatch=True)


@settings(max_examples=15)
@given(st.sampled_from(list(TABLES)), KEYS)
def test_an_unknown_key_is_noted(path: tuple[str, ...], key: str) -> None:
    if key in TABLES[path][2]:
        return
    found = read(nested((*path, key), "x"))
    assert found
    name = ".".join(("tool", *path, key))
    assert [note.message.partition(" ")[2].partition(":")[0] for note in found.notes] == [
        f"{name} is not followed"
    ]


PLACES = (
    "https://files.example/utils-1-py3-none-any.whl",
    "libs/utils",
    "../utils",
    "https://git.example/utils",
    "utils-1-py3-none-any.whl",
)
NAMES = st.sampled_from(["utils", "Utils", "UTILS"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "version": st.just("*"),
        "marker": st.sampled_from(["sys_platform == 'linux'", "python_version >= '3.12'"]),
        "rev": st.just("abc"),
        "subdirectory": st.just("x"),
        "editable": st.booleans(),
        "develop": st.booleans(),
    },
)


@given(
    NAMES,
    st.sampled_from(["path", "git", "url", "workspace", "index"]),
    st.sampled_from(PLACES),
    FIELDS,
    st.booleans(),
)
def test_a_source_of_uv_is_never_replaced_by_pypi(
    name: str, kind: str, place: str, fields: dict[str, object], is_list: bool
) -> None:
    source = {**fields, kind: True if kind == "workspace" else place}
    check_not_from_pypi({"uv": {"sources": {name: [source] if is_list else source}}})


@settings(max_examples=50)
@given(
    NAMES, st.sampled_from(["path", "file", "git", "url", "source"]), st.sampled_from(PLACES), FIELDS, st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_a_dependency_of_poetry_is_never_replaced_by_pypi(
    name: str, kind: str, place: str, fields: dict[str, object], is_list: bool, has_project: bool
) -> None:
    source = {**fields, kind: place}
    value = [source, {"version": "*", "python": "<3"}] if is_list else source
    tools = {"poetry": {"dependencies": {name: value, "torch": "*"}}}
    check_not_from_pypi(tools, with_dependencies=has_project)


def check_not_from_pypi(tools: object, *, with_dependencies: bool = True) -> None:
    """Check that the package is refused, or that its requirement names where it comes from."""
    try:
        found = read(tools, with_dependencies=with_dependencies)
    except ProfileError as error:
        codes = [part.code for part in error.parts if isinstance(part, ProfileError)]
    else:
        assert found
        check_direct(found)
        codes = ["PRF052"]
    assert {"PRF052", "PRF021", "PRF020"} & set(codes)


def check_direct(found: RequirementsFile) -> None:
    """Check that the package comes from its place, on some targets at least."""
    items = [item.requirement for item in found.requirements if item.name == "utils"]
    direct = [item for item in items if item.url]
    assert direct
    others = [item for item in items if not item.url]
    assert all(item.marker for item in direct) or all(item.marker for item in others), "taken from PyPI"


LINES = st.builds(
    "{0}{1}{2}".format,
    st.sampled_from(["", "-e ", "--editable ", "utils @ ", "utils[x]@", "Utils @ git+", "-e git+", "git+"]),
    st.sampled_from(
        [*PLACES, "./utils", "/srv/utils", "file:///srv/utils", "ssh://git@git.example/utils", "utils.zip"]
    ),
    st.sampled_from(["", "#egg=utils", "@abc#egg=utils", "#subdirectory=x", " ; sys_platform == 'linux'"]),
)


@given(LINES)
@example("utils @ https://files.example/utils-1-py3-none-any.whl")
def test_a_line_that_names_a_place_is_never_replaced_by_pypi(line: str) -> None:
    try:
        found = parse_requirements(f"{line}\n", "requirements.txt")
    except ProfileError as error:
        where = error.where
    else:
        (item,) = found.requirements  # by a guessed name, where the line has none
        assert item.requirement.url
        where = item.origin
    assert where == "requirements.txt:1"
