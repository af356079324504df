from dataclasses import replace

import pytest

from envsmith.errors import LockError, ProfileError
from envsmith.lock.admission import admit
from envsmith.lock.lock import entry_of, is_current
from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest
from envsmith.lockfile.store import decisions_of, lock_files, read_manifest, sha256_of, upgraded_names
from envsmith.model.finding import Decision
from tests.values import CUTOFF, asked, of_row, plan, resolution, slice_of, torch

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
    assert ENTRY.files == {name: sha256_of(content) for name, content in FILES.items()}


def test_entry_keeps_what_a_check_needs() -> None:
    assert ENTRY.plan == PLAN.digest()
    assert ENTRY.inputs == PLAN.inputs()
    assert ENTRY.family == {"torch": FamilyPin.parse(f"2.11.0+cu128 {TORCH.filename} sha256:{TORCH.sha256}")}
    assert ENTRY.catalog == "embedded 2026-11-20"
    assert decisions_of(ENTRY) == [NOTE]


def test_manifest_is_read_back() -> None:
    found = {FILENAME: MANIFEST.to_toml().encode()}
    assert read_manifest(found, "here") == MANIFEST
    assert read_manifest({}, "here") is None
    with pytest.raises(LockError):
        read_manifest({FILENAME: b"\xff\xfe"}, "here")


def test_current_is_the_same_plan_and_untouched_files() -> None:
    assert is_current(PLAN, MANIFEST, FILES)
    assert not is_current(replace(PLAN, requirements=asked("torch<3")), MANIFEST, FILES)
    assert not is_current(
        replace(PLAN, target=replace(PLAN.target, python=PLAN.target.python)),
        Manifest(profile="mine", cutoff_utc=CUTOFF),
        FILES,
    )
    for name in FILES:
        assert not is_current(PLAN, MANIFEST, {**FILES, name: b""})
        assert not is_current(PLAN, MANIFEST, {key: value for key, value in FILES.items() if key != name})


def test_what_may_be_moved() -> None:
    assert upgraded_names(("Torch",), FILES, "mine") == ("torch",)
    assert upgraded_names((), {}, "mine") == ()


@pytest.mark.parametrize(
    ("name", "found", "hint"), [("troch", FILES, "torch"), ("torch", {}, "envsmith lock mine")]
)
def test_what_no_lock_holds_cannot_be_moved(name: str, found: dict[str, bytes], hint: str) -> None:
    with pytest.raises(ProfileError) as caught:
        upgraded_names((name,), found, "mine")
    assert caught.value.code == "PRF043"
    assert hint in caught.value.hint
