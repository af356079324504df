"""A lock as a whole: each kind of difference between its files, the catalog and its indexes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from envsmith.catalog import Catalog
from envsmith.lock.admission import admit
from envsmith.lock.lock import entry_of
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.store import lock_files
from envsmith.lockfile.whole import NO_RULES, LockRules, problems
from envsmith.model.backend import Backend
from tests.values import CUTOFF, HEX, OTHER_HEX, of_row, package, plan, resolution, slice_of, torch

TORCH = torch("2.11.0+cu128")
PLAN = plan("torch", "six", slice_=slice_of(TORCH))
LOCK = admit(PLAN, resolution(of_row(TORCH), package("six-1.17.0-py3-none-any.whl")), "embedded 2026-11-20")
SLUG = PLAN.target.slug
FILES = lock_files(LOCK)
MANIFEST = Manifest(profile="mine", cutoff_utc=CUTOFF, targets={SLUG: entry_of(LOCK, PLAN)})
PYLOCK, REQUIREMENTS = f"pylock.{SLUG}.toml", f"requirements.{SLUG}.txt"
STRICT = LockRules(
    pytorch_hosts=("download.pytorch.org",), package_hosts=(hashlib.sha256(b"files.test").hexdigest(),)
)


def found(
    files: Mapping[str, bytes] = FILES, manifest: Manifest = MANIFEST, rules: LockRules = NO_RULES
) -> list[tuple[str, str]]:
    """Return the problems; the digests of the files are those of the files."""
    entry = manifest.targets[SLUG]
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = replace(manifest, targets={SLUG: replace(entry, files=digests)})
    errors = problems(SLUG, manifest, files, PurePosixPath("lockfiles/mine"), rules)
    return [(error.code, error.message) for error in errors]


def changed(name: str, old: str, new: str) -> dict[str, bytes]:
    text = FILES[name].decode()
    assert old in text
    return {**FILES, name: text.replace(old, new).encode()}


def test_what_lock_writes_is_whole() -> None:
    assert found() == []
    assert found({REQUIREMENTS: FILES[REQUIREMENTS]}) == [], "pylock files may be ignored by git"


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        (REQUIREMENTS, "six==1.17.0", "six==1.16.0", "six 1.16.0 sha256:"),
        (REQUIREMENTS, "torch==2.11.0+cu128", "torch==2.10.0+cu128", "torch 2.10.0+cu128 sha256:"),
        (REQUIREMENTS, "six==1.17.0", "evil==1.17.0", "evil 1.17.0 sha256:"),
        (REQUIREMENTS, "six==1.17.0", "Six==1.17.0", "by its normalised name"),
        (PYLOCK, 'version = "1.17.0"', 'version = "1.16.0"', "six 1.17.0 sha256:"),
        (PYLOCK, "six-1.17.0-py3", "evil-1.17.0-py3", "evil-1.17.0-py3-none-any.whl is the file of another"),
    ],
)
def test_pins_are_equal_in_all_files(name: str, old: str, new: str, reason: str) -> None:
    told = found(changed(name, old, new))
    assert {code for code, _ in told} == {"LCK060"}
    assert any(reason in message for _, message in told)


def test_one_hash_and_no_other_index() -> None:
    (line,) = (line for line in FILES[REQUIREMENTS].decode().splitlines() if line.startswith("six"))
    text = FILES[REQUIREMENTS].decode()
    two = {**FILES, REQUIREMENTS: text.replace(line, f"{line}\n    --hash=sha256:{OTHER_HEX} \\").encode()}
    assert ("LCK060", "six has 2 hashes (one file is locked)") in found(two)
    for option in ("--extra-index-url", "--find-links", "--index-url"):
        more = {**FILES, REQUIREMENTS: f"{option} https://evil.test/simple\n{text}".encode()}
        ((code, message),) = found(more)
        assert code == "LCK060"
        assert message.startswith(f"{option} https://evil.test/simple")


@pytest.mark.parametrize(
    "key", ["marker = \"python_version < '3'\"", 'vcs = {type = "git", url = "https://x"}']
)
def test_keys_that_lock_does_not_write(key: str) -> None:
    ((code, _),) = found(changed(PYLOCK, 'version = "1.17.0"', f'version = "1.17.0"\n{key}'))
    assert code == "LCK006"


def test_the_torch_family_is_in_the_manifest() -> None:
    entry = MANIFEST.targets[SLUG]
    ((code, message),) = found(manifest=replace(MANIFEST, targets={SLUG: replace(entry, family={})}))[:1]
    assert code == "LCK060"
    assert "--extra-index-url" in message or "not in the torch family" in message
    cpu = replace(entry, inputs={**entry.inputs, "backend": "cpu"})
    told = found(manifest=replace(MANIFEST, targets={SLUG: cpu}))
    assert ("LCK060", "torch 2.11.0+cu128 (manifest.toml: backend cpu)") in told


@pytest.mark.parametrize(
    ("known", "codes"),
    [((), []), ((OTHER_HEX, HEX), []), ((OTHER_HEX,), ["LCK061"])],
)
def test_a_hash_is_one_of_those_on_record(known: tuple[str, ...], codes: list[str]) -> None:
    asked_for: list[tuple[str, Backend, str]] = []

    def published(channel: str, backend: Backend, filename: str) -> tuple[str, ...]:
        asked_for.append((channel, backend, filename))
        return known

    assert [code for code, _ in found(rules=LockRules(published=published))] == codes
    assert asked_for == [("stable", PLAN.target.backend, TORCH.filename)]


URL = "https://127.0.0.1:9/six-1.17.0-py3-none-any.whl"
TORCH_URL = TORCH.url.replace("+", "%2B")


@pytest.mark.parametrize(
    ("old", "new", "is_fitting"),
    [
        (URL, "https://files.test/a/six-1.17.0-py3-none-any.whl", True),
        (URL, "https://evil.test/six-1.17.0-py3-none-any.whl", False),
        (URL, "http://files.test/six-1.17.0-py3-none-any.whl", False),
        (URL, "https://evil.test\\\\@files.test/six-1.17.0-py3-none-any.whl", False),
        (URL, "https://files.test/six-1.17.0-py3-none-any.whl#sha256=00", False),
        (URL, "https://files.test/evil-1.17.0-py3-none-any.whl", False),
        (URL, "https://download.pytorch.org/six-1.17.0-py3-none-any.whl", False),
        (URL, "file:///tmp/six-1.17.0-py3-none-any.whl", False),
        ("https://download.pytorch.org/", "https://files.test/", False),
        ("https://download.pytorch.org/", "http://download.pytorch.org/", False),
    ],
)
def test_urls_fit_their_index(old: str, new: str, is_fitting: bool) -> None:
    told = found(changed(PYLOCK, f'url = "{old}', f'url = "{new}'), rules=STRICT)
    assert [code for code, _ in told] == ([] if is_fitting else ["LCK062"])


def test_hosts_that_the_user_declares() -> None:
    http = changed(PYLOCK, 'url = "https://download.pytorch.org/', 'url = "http://mirror.test/')
    rules = replace(STRICT, pytorch_hosts=("mirror.test",), insecure_hosts=("mirror.test",))
    assert found(http, rules=rules) == []


def test_a_missing_file_is_an_error() -> None:
    assert [code for code, _ in found({PYLOCK: FILES[PYLOCK]})] == ["LCK005"]


def test_the_catalog_reads_one_entry_with_its_withdrawn_hashes() -> None:
    catalog = Catalog.embedded()
    for channel, backend in (("stable", Backend.parse("cpu")), ("nightly", Backend.parse("cu130"))):
        listing = catalog.listing(channel, backend)
        assert listing
        for releases in listing.projects.values():
            for release in releases.values():
                for filename, sha256, _, _, withdrawn, *_ in release.entries[:2]:
                    known = catalog.published_hashes(channel, backend, filename)
                    assert known == set(filter(None, (sha256, *withdrawn)))
    assert (
        catalog.published_hashes("stable", Backend.parse("cu128"), "torch-0-py3-none-any.whl") == frozenset()
    )
