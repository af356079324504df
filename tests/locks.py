"""Locks as a folder keeps them, to test what reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest, TargetRecord
from envsmith.lockfile.pins import Pin, Pins
from envsmith.lockfile.saved import SavedLock
from envsmith.model.finding import Decision
from envsmith.model.target import parse_slug
from tests.values import target

LINUX, WINDOWS, MAC = "cp312-manylinux_2_28_x86_64", "cp312-win_amd64", "cp312-macosx_14_0_arm64"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def pin(text: str, *, size_bytes: int | None = None) -> Pin:
    """Return the pin of ``name==version``, its hash made of both."""
    name, _, version = text.partition("==")
    return Pin(name=name, version=version, sha256=(sha256(text),), size_bytes=size_bytes)


def kept(name: str, *pins: str, backend: str = "cu128", **more: object) -> SavedLock:
    """Return the lock ``profile/slug`` with pins written as ``name==version``."""
    profile, _, slug = name.partition("/")
    python, platform = parse_slug(slug)
    packages = tuple(pin(text) for text in pins or (f"torch==2.11.0+{backend}",))
    return SavedLock(
        profile=profile,
        target=target(str(python), str(platform), backend),
        pins=Pins(packages=packages),
        **more,  # type: ignore[arg-type]
    )


def folder_files(
    profile: str,
    locks: Mapping[str, tuple[str, ...]],
    *,
    backend: str = "cu128",
    decisions: tuple[Decision, ...] = (),
    asked: tuple[str, ...] = ("torch",),
    family: tuple[str, ...] = ("torch", "torchvision", "torchaudio"),
) -> dict[str, bytes]:
    """Return a lock folder's files: slug → pins, as ``envsmith lock`` writes them but for comments."""
    files: dict[str, bytes] = {}
    entries: dict[str, TargetRecord] = {}
    for slug, pins in locks.items():
        lines = [f"{text} \\\n    --hash=sha256:{sha256(text)}\n    # via torch\n" for text in pins]
        content = f"# {profile} · {slug}\n{''.join(lines)}".encode()
        name = f"requirements.{slug}.txt"
        files[name] = content
        entries[slug] = TargetRecord(
            plan=sha256(profile + slug),
            inputs={"backend": backend, "channel": "stable", "requirement": list(asked)},
            catalog="embedded 2026-11-20",
            family={
                name: FamilyPin(
                    version=version, filename=f"{name}-{version}-py3-none-any.whl", sha256=sha256(text)
                )
                for text in pins
                for name, version in [text.split("==")]
                if name in family
            },
            packages=len(pins),
            files={name: hashlib.sha256(content).hexdigest()},
            decisions=tuple(item.to_json() for item in decisions),
        )
    manifest = Manifest(profile=profile, cutoff_utc="2026-11-20T09:00:00Z", targets=entries)
    return {**files, FILENAME: manifest.to_toml().encode()}
