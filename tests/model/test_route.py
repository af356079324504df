"""Route pages, as manifests record them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.config.profile import Profile
from envsmith.config.profile_reader import ProfileSource, parse, resolve
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.model.route import RouteEntry, RoutePage
from envsmith.model.wheel import Wheel

HEX = "ab" * 32
NAME = "torch_scatter-2.1.2+pt28cu128-cp312-cp312-linux_x86_64.whl"
URL = "https://data.pyg.org/whl/torch-2.8.0+cu128.html"
HEAD = 'backend = "cu128"\npython = ["3.12"]\nplatforms = ["linux"]\n'


def page(**more: object) -> RoutePage:
    wheel = Wheel.from_entry(
        index=URL, filename=NAME, url=f"https://data.pyg.org/whl/{NAME.replace('+', '%2B')}", sha256=None
    )
    row = RouteEntry(wheel=wheel, requires_dist=("numpy",), requires_python=">=3.9", computed=HEX)
    values = {
        "project": "torch-scatter",
        "url": URL,
        "is_flat": True,
        "read_at": "2026-11-21T09:00:00Z",
        "entries": (row,),
    }
    return RoutePage(**{**values, **more})  # type: ignore[arg-type]


def manifest(*pages: RoutePage) -> Manifest:
    entry = TargetRecord(plan="0", inputs={}, catalog="", family={}, packages=0, files={})
    targets = {"cp312-manylinux_2_28_x86_64": entry}
    return Manifest(profile="mine", cutoff_utc="2026-11-20T00:00:00Z", routes=pages, targets=targets)


def test_a_page_is_remembered_in_the_manifest() -> None:
    text = manifest(page()).to_toml()
    assert Manifest.from_toml(text, "here").routes == (page(),)
    assert Manifest.from_toml(text, "here").to_toml() == text
    assert "others" not in text
    assert "routes" not in manifest().to_toml()


@pytest.mark.parametrize(
    ("old", "new"),
    [(f'url = "{URL}"', 'url = "http://host.example/"'), ("flat = true", "flat = 1"), (NAME, "x.txt"),
     ('requires = ["numpy"]', 'requires = "numpy"'), ("read-at", "read")],
)  # fmt: skip
def test_a_manifest_that_was_tampered_with_is_refused(old: str, new: str) -> None:
    text = manifest(page()).to_toml()
    assert old in text
    with pytest.raises(EnvsmithError) as caught:
        Manifest.from_toml(text.replace(old, new), "here")
    assert caught.value.code == "LCK002"


def test_routes_in_a_profile() -> None:
    found = parse(f'{HEAD}[routes]\nTorch_Scatter = "{URL}"\n', "p.toml", "p")
    assert found.routes == {"torch-scatter": URL}
    assert parse(found.to_toml(), "p.toml", "p").routes == found.routes
    assert parse(HEAD, "p.toml", "p").routes == {}
    assert "routes" not in parse(HEAD, "p.toml", "p").to_toml()


def test_routes_of_an_extended_profile_are_merged() -> None:
    texts = {
        "base": f'{HEAD}[routes]\na = "https://a.example/"\nb = "https://b.example/"\n',
        "own": 'extends = "base"\n[routes]\nb = "https://c.example/"\n',
    }

    def load(name: str) -> ProfileSource:
        return ProfileSource(text=texts[name], place=f"{name}.toml")

    found: Profile = resolve("own", load)
    assert found.routes == {"a": "https://a.example/", "b": "https://c.example/"}


@pytest.mark.parametrize(
    ("line", "code"),
    [("torch = 'https://a.example/'", "PRF005"), ("torchvision = 'https://a.example/'", "PRF005"),
     ("x = 'http://a.example/'", "PRF015"), ("x = 1", "PRF004"), ("'-x' = 'https://a.example/'", "PRF005")],
)  # fmt: skip
def test_routes_that_cannot_be(line: str, code: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse(f"{HEAD}[routes]\n{line}\n", "p.toml", "p")
    (part,) = caught.value.parts
    assert (part.code, part.where.startswith("p.toml:5: routes")) == (code, True)


def test_a_row_without_a_hash_of_ours() -> None:
    (row,) = page().entries
    bare = page(entries=(replace(row, computed=None, requires_dist=(), requires_python=None),))
    assert RoutePage.from_plain("torch-scatter", bare.to_plain()) == bare
