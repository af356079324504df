from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.config.profile import Profile
from envsmith.errors import EnvsmithError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.staleness import CheckTools, check_profile
from envsmith.model.listing import IndexListing, group_releases
from envsmith.plan.model import LockRequest
from tests.fakes import FakeFiles, FakeListings
from tests.lock_tools import AUDIO, KNOWN, ROWS, lock_profile
from tests.values import CUTOFF, HEX, OTHER_HEX, asked, profile, torch

FOLDER = Path("lockfiles/mine")
TWO = profile(on_retired="stable").with_overrides(python=("3.11", "3.12"))
SLUG = "cp312-manylinux_2_28_x86_64"


@pytest.fixture(autouse=True)
def _locked(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    wanted = LockRequest(profile=TWO, requirements=asked("torch"))
    lock_profile(wanted, LockOptions(now_utc=CUTOFF), FOLDER, tools, pool=pool)


def found(tools: CheckTools, *texts: str, of: Profile = TWO) -> list[tuple[str, str]]:
    wanted = LockRequest(profile=of, requirements=asked(*(texts or ("torch",))))
    return [(item.code, item.message) for item in check_profile(wanted, FOLDER, tools).findings]


def rows(tools: CheckTools, *changed: object) -> CheckTools:
    listing = tools.listings.known("stable", TWO.backend)
    assert listing
    metadata = {(row.name, str(row.version)): KNOWN for row in (*ROWS, *AUDIO)}
    projects = group_releases(changed, metadata)  # type: ignore[arg-type]
    return replace(tools, listings=FakeListings((replace(listing, projects=projects),)))


def test_nothing_changed(check_tools: CheckTools) -> None:
    assert found(check_tools) == []


def test_never_locked(check_tools: CheckTools) -> None:
    assert [code for code, _ in found(replace(check_tools, files=FakeFiles()))] == ["LCK030"]


def test_target_no_longer_asked_for(check_tools: CheckTools) -> None:
    assert [code for code, _ in found(check_tools, of=TWO.with_overrides(python=("3.12",)))] == ["LCK031"]


def test_target_not_locked(check_tools: CheckTools) -> None:
    of = TWO.with_overrides(platforms=("linux", "windows"))
    assert [code for code, _ in found(check_tools, of=of)] == ["LCK032"] * 2


def test_change_is_told_with_both_values(check_tools: CheckTools) -> None:
    told = found(check_tools, "torch<2.11")
    assert ("LCK033", "requirement  torch → torch<2.11  requirements.in:1") in told


def test_another_listing_makes_nothing_stale(check_tools: CheckTools) -> None:
    """The lock's own rows count as known, whatever the catalog of this machine has."""
    for listed in ([*ROWS], [row for row in ROWS if "2.11" not in str(row.version)], AUDIO):
        assert found(rows(check_tools, *listed)) == []
    assert found(replace(check_tools, listings=FakeListings(()))) == []


def test_a_withdrawn_file_is_a_warning(check_tools: CheckTools) -> None:
    listed = [replace(row, yanked="broken") if "2.11" in str(row.version) else row for row in ROWS]
    wanted = LockRequest(profile=TWO, requirements=asked("torch"))
    report = check_profile(wanted, FOLDER, rows(check_tools, *listed, *AUDIO))
    assert {(item.code, item.severity) for item in report.findings} == {("LCK034", "warning")}
    assert all(item.message.endswith("was withdrawn by its index: broken") for item in report.findings)


def test_file_changed_or_missing(check_tools: CheckTools) -> None:
    assert isinstance(check_tools.files, FakeFiles)
    files = check_tools.files.folders[FOLDER]
    files[f"requirements.{SLUG}.txt"] += b"x"
    del files[f"requirements.{SLUG.replace('312', '311')}.txt"]
    del files[f"pylock.{SLUG}.toml"]
    assert sorted(found(check_tools)) == [
        ("LCK036", f"requirements.{SLUG}.txt was changed after it was written"),
        ("LCK037", f"requirements.{SLUG.replace('312', '311')}.txt is missing"),
    ]


def test_listing_is_the_fixture(listing: IndexListing) -> None:
    assert set(listing.projects) == {"torch", "torchaudio"}


def test_nightlies_that_age_are_noted_and_make_nothing_stale(
    tools: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    index = "nightly/cu128"
    nights = [torch(f"2.11.0.dev202601{day:02}+cu128", index=index) for day in (5, 6, 7)]
    listing = IndexListing(
        channel="nightly",
        backend=TWO.backend,
        retrieved="2026-01-17",
        source="made up",
        projects=group_releases(nights, {(row.name, str(row.version)): KNOWN for row in nights}),
    )
    tools = replace(tools, listings=FakeListings((listing,)))
    wanted = LockRequest(
        profile=replace(TWO.with_overrides(python=("3.12",)), channel="nightly"),
        requirements=asked("torch==2.11.0.dev20260105"),
    )
    at = LockOptions(now_utc="2026-01-20T00:00:00Z")
    folder = Path("nights/mine")
    lock_profile(wanted, at, folder, tools, pool=pool)
    checks = CheckTools(
        catalog=tools.catalog, listings=tools.listings, hasher=tools.hasher, files=tools.files
    )
    report = check_profile(wanted, folder, checks)
    assert not report.has_errors
    (note,) = report.findings
    assert (note.code, note.severity, note.subject) == ("TOL055", "note", f"mine/{SLUG}")
    assert note.message.startswith("torch 2.11.0.dev20260105+cu128: leaves the index in about 48 days")
    assert "2 newer known" in note.message


def test_models_are_compared_where_they_may_be_read(check_tools: CheckTools) -> None:
    declared = ({"path": "models/a.onnx", "format": "onnx"},)
    of = replace(TWO, later={"models": declared})
    assert found(check_tools, of=of) == []
    wanted = LockRequest(profile=of, requirements=asked("torch"), hash_model=lambda _: OTHER_HEX)
    (finding,) = check_profile(wanted, FOLDER, check_tools).findings
    assert (finding.code, finding.severity) == ("LCK050", "error")
    assert finding.message == f"models/a.onnx has sha256 {OTHER_HEX}, but the lock has none"


def test_a_script_that_was_changed_or_is_missing(check_tools: CheckTools) -> None:
    check_tools.files.write_files(FOLDER, {"activate.sh": b"rm -rf /"}, remove=["activate.bat"])
    assert found(check_tools) == [
        ("LCK037", "activate.bat is missing"),
        ("LCK036", "activate.sh was changed after it was written"),
    ]


def test_scripts_that_would_be_written_otherwise_now(check_tools: CheckTools) -> None:
    later = replace(check_tools, templates=lambda name: f"of a later envsmith: {name}")
    assert [code for code, _ in found(later)] == ["LCK038"]
    assert found(replace(later, templates=None)) == [], "who installs does not ask for scripts"


def test_a_given_hash_changed(tools: ResolveTools, check_tools: CheckTools, pool: ThreadPoolExecutor) -> None:
    def given(*hashes: str) -> LockRequest:
        (torch_,) = asked("torch==2.11.0")
        return LockRequest(profile=TWO, requirements=(replace(torch_, hashes=hashes),))

    def told(request: LockRequest) -> set[tuple[str, str]]:
        found = check_profile(request, FOLDER, check_tools).findings
        return {(item.code, item.message) for item in found}

    one, many = (f"sha256:{HEX}",), tuple(f"sha256:{digit}{HEX[1:]}" for digit in f"{HEX[0]}12")
    lock_profile(given(*one), LockOptions(now_utc=CUTOFF), FOLDER, tools, pool=pool)
    assert told(given(*one)) == set()
    other = f"sha256:{OTHER_HEX}"
    assert told(given(other)) == {("LCK033", f"hash  (none) → torch {other}  requirements.in:1")}
    assert told(given()) == set(), "the pin needs none"
    lock_profile(given(*many), LockOptions(now_utc=CUTOFF), FOLDER, tools, pool=pool)
    assert told(given(*many)) == set()
    assert told(given(*many[:2])) == set(), "the pin has the first"
    assert {code for code, _ in told(given(*many[1:]))} == {"LCK033"}
    with pytest.raises(EnvsmithError) as caught:
        lock_profile(given(other), LockOptions(now_utc=CUTOFF), FOLDER, tools, pool=pool)
    assert {(part.code, part.where.rpartition(": ")[2]) for part in caught.value.parts} == {
        ("LCK024", "requirements.in:1")
    }


def tampered(tools: CheckTools, old: str, new: str) -> CheckTools:
    """Return tools that read a manifest with a changed text, its digests as they were."""
    files = tools.files.read_files(FOLDER)
    text = files["manifest.toml"].decode()
    assert old in text
    return replace(
        tools, files=FakeFiles(folders={FOLDER: {**files, "manifest.toml": text.replace(old, new).encode()}})
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "env = []",
            'env = ["TORCH_HOME=/tmp/x"]',
            (
                "LCK038",
                "the profile has other variables than the lock, which keeps its own until it is written again",
            ),
        ),
        ("allow-sdist = []", 'allow-sdist = ["filelock"]', ("LCK033", "allow-sdist  filelock → (none)")),
        ("override = []", 'override = ["six"]', ("LCK033", "override  six → (none)")),
    ],
)
def test_inputs_are_compared_whatever_the_digest_says(
    check_tools: CheckTools, old: str, new: str, expected: tuple[str, str]
) -> None:
    assert set(found(tampered(check_tools, old, new))) == {expected}


def test_a_pin_is_compared_whatever_the_digest_says(check_tools: CheckTools) -> None:
    hex_ = next(row.sha256 for row in ROWS if row.sha256)
    codes = {
        code for code, _ in found(tampered(check_tools, f'sha256 = "{hex_}"', f'sha256 = "{OTHER_HEX}"'))
    }
    assert codes == {"LCK060"}


KEPT = ("torch>=2.10", "torch", "torch<3", "torch==2.11.0")


@pytest.mark.parametrize("text", KEPT)
def test_a_requirement_that_the_pin_satisfies_is_current(check_tools: CheckTools, text: str) -> None:
    assert found(check_tools, text) == []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("torch<2.11",), "requirement  torch → torch<2.11  requirements.in:1"),
        (("torch", "six"), "requirement  (none) → six  requirements.in:1"),
        (("torch[opt]",), "requirement  torch → torch[opt]  requirements.in:1"),
        (("torch", "filelock"), ""),
    ],
)
def test_a_requirement_that_it_does_not_satisfy_is_stale(
    check_tools: CheckTools, texts: tuple[str, ...], expected: str
) -> None:
    assert set(found(check_tools, *texts)) == ({("LCK033", expected)} if expected else set())


def test_a_cutoff_before_the_lock_is_stale_and_a_later_one_is_not(check_tools: CheckTools) -> None:
    for as_of, codes in (
        ("2026-11-01T00:00:00Z", {"LCK033"}),
        (CUTOFF, set()),
        ("2027-01-01T00:00:00Z", set()),
    ):
        wanted = LockRequest(profile=TWO, requirements=asked("torch"), as_of=as_of)
        assert {item.code for item in check_profile(wanted, FOLDER, check_tools).findings} == codes
