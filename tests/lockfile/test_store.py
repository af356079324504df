import hashlib

import pytest

from envsmith.errors import LockError
from envsmith.lock.admission import admit
from envsmith.lock.lock import changed_files, entry_of
from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest
from envsmith.lockfile.store import decisions_of, is_recorded, is_same, lock_files, read_manifest, sha256_of
from envsmith.model.finding import Decision
from tests.values import CUTOFF, of_row, plan, resolution, slice_of, torch

TORCH = torch("2.11.0+cu128")
NOTE = Decision(subject="torch", kind="noted", message="m", evidence=("seen",), code="RES104")
PLAN = plan("torch", slice_=slice_of(TORCH), decisions=(NOTE,))
LOCK = admit(PLAN, resolution(of_row(TORCH)), "embedded 2026-11-20")
ENTRY = entry_of(LOCK, PLAN)
MANIFEST = Manifest(profile="mine", cutoff_utc=CUTOFF, targets={PLAN.target.slug: ENTRY})
FILES = lock_files(LOCK)


def test_files_of_a_lock() -> None:
    slug = PLAN.target.slug
    assert set(FILES) == {f"pylock.{slug}.toml", f"requirements.{slug}.txt"}
    name = f"requirements.{slug}.txt"
    assert ENTRY.files == {name: sha256_of(FILES[name])}, "a pylock is compared by its pins"


def test_entry_keeps_what_a_check_needs() -> None:
    assert ENTRY.plan == PLAN.digest()
    assert ENTRY.inputs == PLAN.inputs()
    pin = FamilyPin(
        version="2.11.0+cu128",
        filename=TORCH.filename,
        sha256=TORCH.sha256 or "",
        url=TORCH.url,
        uploaded=TORCH.upload_time or "",
    )
    assert ENTRY.family == {"torch": pin}
    assert ENTRY.catalog == "embedded 2026-11-20"
    assert decisions_of(ENTRY) == [NOTE]


def test_manifest_is_read_back() -> None:
    found = {FILENAME: MANIFEST.to_toml().encode()}
    assert read_manifest(found, "here") == MANIFEST
    assert read_manifest({}, "here") is None
    with pytest.raises(LockError):
        read_manifest({FILENAME: b"\xff\xfe"}, "here")


def test_a_file_is_the_same_with_other_line_ends() -> None:
    slug = PLAN.target.slug
    name = f"requirements.{slug}.txt"
    assert changed_files(ENTRY, FILES, slug) == ()
    assert changed_files(ENTRY, {name: FILES[name].replace(b"\n", b"\r\n")}, slug) == ()
    assert changed_files(ENTRY, {name: FILES[name] + b"#"}, slug) == (
        ("LCK036", f"{name} was changed after it was written"),
    )
    assert changed_files(ENTRY, {}, slug) == (("LCK037", f"{name} is missing"),)
    assert is_recorded(b"a\r\n", hashlib.sha256(b"a\r\n").hexdigest()), "form 1 has digests of the bytes"
    assert is_same(b"a\r\nb", b"a\nb")
    assert not is_same(None, b"")
