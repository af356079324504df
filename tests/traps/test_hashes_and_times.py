"""Traps: an index with missing, false or changed facts about a wheel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from tests.commands import Project, Ran, decisions
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, files_of
from tests.replay_pages import NIGHTLY, OF_2025

AS_OF = "2026-11-20"
LINUX = "manylinux_2_28_x86_64"
SLUG = f"cp312-{LINUX}"


def _made(project: str, version: str, index: str, tags: str = f"cp312-cp312-{LINUX}") -> ReplayFile:
    return ReplayFile.made(project, version, tags, index=index)


def _lock(case: Project, *words: str, as_of: str = AS_OF) -> Ran:
    """Lock with the current entries of the replayed index."""
    return case.run("lock", "--catalog", "live", "--as-of", as_of, *words)


def _lock_offline(case: Project, profile: str, backend: str = "cu134", channel: str = "stable") -> Ran:
    """Read the replayed index, and lock without any network."""
    assert case.run("catalog", "refresh", backend, "--channel", channel).status == 0
    return case.run("lock", profile, "--offline", "--as-of", AS_OF)


def test_one_wheel_of_a_version_without_hash(case: Project, replay: ReplayIndex) -> None:
    """The page gives every wheel of a version a hash but one.

    Locks of others carry that one without a hash, and pip's hash mode then refuses the whole file.
    """
    hashed = _made("torch", "2.20.0+cu134", "cu134", f"cp311-cp311-{LINUX}")
    bare = replace(_made("torch", "2.20.0+cu134", "cu134"), sha256=None)
    whole = _made("torch", "2.20.0+cu134", "cu134").sha256
    replay.add(hashed, bare)
    case.profile("old", backend="cu134", python=["3.11"], platforms=["linux"], requirements=["torch"])
    case.profile("new", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    assert _lock_offline(case, "old").status == 0
    assert case.pins("old", f"cp311-{LINUX}")["torch"].sha256 == hashed.sha256
    assert replay.count(hashed.path) == 0
    refused = _lock_offline(case, "new")
    assert refused.status == 1, refused.said
    assert "RES041" in refused.said
    assert bare.filename in refused.said
    assert not case.locks("new")
    ran = _lock(case, "new")
    assert ran.status == 0, ran.said
    assert case.pins("new", SLUG)["torch"].sha256 == whole
    assert replay.downloads(bare.path) == 1
    (told,) = [item for item in decisions(case.manifest("new"), SLUG) if item["code"] == "RES109"]
    assert bare.filename in told["message"]


def test_the_newest_version_has_no_hash_for_one_python(case: Project, replay: ReplayIndex) -> None:
    """For one Python the newest torch has no hash, an older one has: two targets drift apart in silence.

    The older one is taken, for it can be locked without downloading, and the lock says so.
    """
    replay.add(
        _made("torch", "2.19.0+cu134", "cu134"),
        replace(_made("torch", "2.20.0+cu134", "cu134"), sha256=None),
    )
    case.profile("new", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    ran = _lock_offline(case, "new")
    assert ran.status == 0, ran.said
    assert case.pins("new", SLUG)["torch"].version == "2.19.0+cu134"
    (told,) = [item for item in decisions(case.manifest("new"), SLUG) if item["code"] == "RES113"]
    assert "torch 2.20.0+cu134" in told["message"]
    assert told["message"] in ran.said


def test_nightly_page_without_any_hash(case: Project, replay: ReplayIndex) -> None:
    """No nightly link has a hash, and the server may give older bytes under the same name.

    Others lock such wheels by name alone; here the bytes are fetched, hashed, and the lock says whose hash it is.
    """
    replay.style = NIGHTLY
    nightly = "2.21.0.dev20261101+cu134"
    torch = _made("torch", nightly, "nightly/cu134")
    vision = ReplayFile.made(
        "torchvision",
        "0.36.0.dev20261101+cu134",
        f"cp312-cp312-{LINUX}",
        ["torch==2.21.0.dev20261101"],
        index="nightly/cu134",
    )
    replay.add(torch, vision)
    case.profile("night", backend="cu134", channel="nightly", python=["3.12"], platforms=["linux"],
                 requirements=["torch", "torchvision"])  # fmt: skip
    refused = _lock_offline(case, "night", channel="nightly")
    assert refused.status == 1, refused.said
    assert "RES041" in refused.said
    assert torch.filename in refused.said
    assert not case.locks("night")
    ran = _lock(case, "night")
    assert ran.status == 0, ran.said
    pins = case.pins("night", SLUG)
    assert [pins["torch"].sha256, pins["torchvision"].sha256] == [torch.sha256, vision.sha256]
    told = [item["message"] for item in decisions(case.manifest("night"), SLUG) if item["code"] == "RES109"]
    assert len(told) == 2
    assert all("nightly/cu134 publishes no hash" in text for text in told)
    # Bytes once hashed need no second download.
    assert _lock_offline(case, "night", channel="nightly").status == 0
    assert replay.downloads(torch.path) == 1


def test_nightly_wheel_that_cannot_be_fetched(case: Project, replay: ReplayIndex) -> None:
    """A nightly wheel has no hash and is gone from the server, though its page still lists it."""
    replay.style = NIGHTLY
    gone = replace(_made("torch", "2.21.0.dev20261101+cu134", "nightly/cu134"), body=None)
    replay.add(gone)
    case.profile("night", backend="cu134", channel="nightly", python=["3.12"], platforms=["linux"],
                 requirements=["torch"])  # fmt: skip
    ran = _lock(case, "night")
    assert ran.status == 2, ran.said
    assert "TOL026" in ran.said
    assert gone.filename in ran.said
    assert not case.locks("night")


def test_metadata_is_not_what_the_page_says(case: Project, replay: ReplayIndex) -> None:
    """The METADATA file of the newest torch has another sha256 than its page announces.

    uv takes the sidecar as it comes; here a version whose requirements cannot be believed is left out, and said.
    """
    replay.add(
        _made("torch", "2.19.0+cu134", "cu134"),
        replace(_made("torch", "2.20.0+cu134", "cu134"), metadata_sha256="0" * 64),
    )
    case.profile("any", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    case.profile(
        "pinned", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch==2.20"]
    )
    ran = _lock(case, "any")
    assert ran.status == 0, ran.said
    assert case.pins("any", SLUG)["torch"].version == "2.19.0+cu134"
    assert "CAT035" in ran.err, "people must hear why the newest is not taken"
    pinned = _lock(case, "pinned")
    assert pinned.status == 1, pinned.said
    assert "RES021" in pinned.said
    assert not case.locks("pinned")


@pytest.mark.parametrize("wrong", ["0" * 63, "0" * 65, "0" * 40, "z" * 64])
def test_hash_of_another_form(case: Project, replay: ReplayIndex, wrong: str) -> None:
    """A link's hash has 63 digits, or is a SHA-1: the whole page is refused.

    Others take the file without looking; here the page is refused, and what was read before it stays in use.
    """
    replay.add(_made("torch", "2.19.0+cu134", "cu134"))
    assert case.run("catalog", "refresh", "cu134").status == 0
    replay.add(replace(_made("torch", "2.20.0+cu134", "cu134"), sha256=wrong))
    case.profile("any", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    ran = _lock(case, "any")
    assert ran.status == 2, ran.said
    assert "CAT032" in ran.said
    assert f"{replay.base}/cu134/torch" in ran.said
    assert not case.locks("any")
    assert case.run("catalog", "refresh", "cu134").status == 2
    assert case.run("lock", "any", "--as-of", AS_OF, "--offline").status == 0
    assert case.pins("any", SLUG)["torch"].version == "2.19.0+cu134"


def test_upload_times_are_missing_while_a_cutoff_is_set(case: Project, replay: ReplayIndex) -> None:
    """Pages before 2026 give no upload time, yet the lock is to be as of a past day.

    uv leaves out every wheel without a time, or takes the newest; here the release's day stands in, and a
    version of which no day is known counts from the day it was first seen.
    """
    replay.style = OF_2025
    for version in ("2.12.0", "2.13.0", "2.14.0", "2.20.0"):
        replay.add(_made("torch", f"{version}+cu134", "cu134"))
    case.profile("any", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    found = {}
    for day in ("2026-07-07", "2026-07-08", "2026-09-01", "2026-09-02", "2026-11-20"):
        ran = _lock(case, "any", "-U", as_of=day)
        assert ran.status == 0, ran.said
        found[day] = case.pins("any", SLUG)["torch"].version
    assert found == {
        "2026-07-07": "2.12.0+cu134",
        "2026-07-08": "2.13.0+cu134",
        "2026-09-01": "2.13.0+cu134",
        "2026-09-02": "2.14.0+cu134",
        "2026-11-20": "2.14.0+cu134",
    }
    refused = _lock(case, "any", as_of="2026-05-12")
    assert refused.status == 1, refused.said
    assert "RES021" in refused.said


def test_upload_times_are_given(case: Project, replay: ReplayIndex) -> None:
    """Where the page does give upload times they decide, to the second and with the cutoff itself admitted."""
    early = replace(_made("torch", "2.19.0+cu134", "cu134"), upload_time="2026-10-01T00:00:00Z")
    late = replace(_made("torch", "2.20.0+cu134", "cu134"), upload_time="2026-10-02T12:00:00Z")
    replay.add(early, late)
    case.profile("any", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    assert _lock(case, "any", as_of="2026-10-02T11:59:59Z").status == 0
    assert case.pins("any", SLUG)["torch"].version == "2.19.0+cu134"
    assert _lock(case, "any", as_of="2026-10-02T12:00:00Z").status == 0
    assert case.pins("any", SLUG)["torch"].version == "2.19.0+cu134", "a pin that still fits stays"
    assert _lock(case, "any", "-U", as_of="2026-10-02T12:00:00Z").status == 0
    assert case.pins("any", SLUG)["torch"].version == "2.20.0+cu134"


@pytest.mark.online
def test_a_wheel_was_uploaded_again(case: Project, replay: ReplayIndex) -> None:
    """A wheel of the snapshot has other bytes on today's page, under the same name.

    The index is refused until the file is accepted by name; then the page's hash is taken, the old one kept as
    withdrawn: a lock that has it still holds.
    """
    case.env = {}
    listing = Catalog.embedded().listing("stable", Backend.parse("cu130"))
    assert listing
    replay.add(*files_of(listing))
    case.profile("any", backend="cu130", python=["3.12"], platforms=["linux"], requirements=["torch==2.13.0"])
    ran = case.run_online("lock", "any", "--catalog", "embedded", "--as-of", AS_OF)
    assert ran.status == 0, ran.said
    old = case.pins("any", SLUG)["torch"]
    assert case.run("lock", "any", "--check", "--catalog", "embedded").status == 0
    again = next(file for file in files_of(listing) if file.filename == old.filename)
    replay.add(replace(again, sha256="5" * 64))
    for words in (("catalog", "refresh", "cu130"), ("lock", "any", "--catalog", "live")):
        refused = case.run_online(*words)
        assert (refused.status, "CAT042" in refused.said) == (2, True), refused.said
        assert case.pins("any", SLUG)["torch"].sha256 == old.sha256
    assert case.run("catalog", "refresh", "cu130", "--accept-changed", old.filename).status == 0
    assert case.run("lock", "any", "--check").status == 0, "both hashes are on record"
    ran = case.run_online("lock", "any", "--catalog", "live", "-P", "torch")
    assert ran.status == 0, ran.said
    assert case.pins("any", SLUG)["torch"].sha256 == "5" * 64
    assert f"{old.filename} has two hashes on record; using 555555555555" in ran.said
    (told,) = [item for item in decisions(case.manifest("any"), SLUG) if item["code"] == "RES106"]
    assert list(told["evidence"]) == [f"withdrawn: sha256 {old.sha256}"]
    assert case.run("lock", "any", "--check").status == 0


def test_two_indexes_with_one_filename_and_other_bytes(case: Project, replay: ReplayIndex) -> None:
    """aarch64 wheels of torchvision carried no label: one filename, another build in each index.

    A table keyed by filename gives the hash of one index to the file of the other.
    """
    arm = "manylinux_2_28_aarch64"
    tags = f"cp312-cp312-{arm}"
    own: dict[str, ReplayFile] = {}
    for backend in ("cu134", "cpu"):
        own[backend] = ReplayFile.made("torchvision", "0.35.0", tags, ["torch==2.20.0"], index=backend)
        own[backend] = replace(own[backend], sha256=("a" if backend == "cpu" else "b") * 64)
        replay.add(own[backend], _made("torch", f"2.20.0+{backend}", backend, tags))
        case.profile(backend, backend=backend, python=["3.12"], platforms=["linux-aarch64"],
                     requirements=["torch==2.20.0", "torchvision==0.35.0"])  # fmt: skip
    ran = _lock(case, "cpu", "cu134")
    assert ran.status == 0, ran.said
    for backend, file in own.items():
        pin = case.pins(backend, f"cp312-{arm}")["torchvision"]
        assert (pin.filename, pin.sha256) == (file.filename, file.sha256)
        assert pin.url == f"https://download.pytorch.org/whl/{backend}/{file.filename}"


def test_a_profile_moves_to_an_index_with_other_bytes(case: Project, replay: ReplayIndex) -> None:
    """A profile changes its backend, and the new index lists the same filename without a hash.

    The hash on record is of the other index's bytes: it must not be taken for this one's.
    """
    arm = "cp312-cp312-manylinux_2_28_aarch64"
    cpu = ReplayFile.made("torchvision", "0.35.0", arm, ["torch==2.20.0"], index="cpu")
    own = ReplayFile.made("torchvision", "0.35.0", arm, ["torch==2.20.0", "torch"], index="cu134")
    assert cpu.sha256 != own.sha256
    for backend, file in (("cpu", cpu), ("cu134", replace(own, sha256=None))):
        replay.add(file, _made("torch", f"2.20.0+{backend}", backend, arm))
        case.profile("moving", backend=backend, python=["3.12"], platforms=["linux-aarch64"],
                     requirements=["torch==2.20.0", "torchvision==0.35.0"])  # fmt: skip
        ran = _lock(case, "moving")
        assert ran.status == 0, ran.said
    assert case.pins("moving", "cp312-manylinux_2_28_aarch64")["torchvision"].sha256 == own.sha256
    assert replay.downloads(own.path) == 1


def test_a_yanked_torch_is_locked_for_an_exact_pin_alone(case: Project, replay: ReplayIndex) -> None:
    """The newest torch is yanked: others lock a pin on it in silence, or take it for a range."""
    replay.add(
        _made("torch", "2.19.0+cu134", "cu134"), replace(_made("torch", "2.20.0+cu134", "cu134"), yanked=True)
    )
    for name, text in {"range": "torch>=2", "pinned": "torch==2.20.0"}.items():
        case.profile(name, backend="cu134", python=["3.12"], platforms=["linux"], requirements=[text])
    assert _lock_offline(case, "range").status == 0
    assert case.pins("range", SLUG)["torch"].version == "2.19.0+cu134"
    ran = _lock_offline(case, "pinned")
    assert ran.status == 0, ran.said
    assert case.pins("pinned", SLUG)["torch"].version == "2.20.0+cu134"
    (told,) = [item for item in decisions(case.manifest("pinned"), SLUG) if item["code"] == "RES117"]
    assert told["message"] == "torch 2.20.0+cu134 is yanked: no reason given"
    assert told["message"] in ran.said


def test_a_given_hash_contradicts_the_locked_file(case: Project, replay: ReplayIndex) -> None:
    """The requirements file has the hash of other bytes: it was ignored, and a later change of it unnoticed."""
    torch = _made("torch", "2.20.0+cu134", "cu134")
    replay.add(torch)
    case.profile("new", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    path = case.root / "requirements.txt"
    assert case.run("catalog", "refresh", "cu134").status == 0
    lock = ("lock", "new", "--offline", "--as-of", AS_OF, "-r", path.name)
    other = "0" * 64
    path.write_text(f"torch==2.20.0 \\\n  --hash=sha256:{other}\n")
    refused = case.run(*lock)
    assert refused.status == 1, refused.said
    assert all(text in refused.said for text in ("LCK024", "requirements.txt:1", other, str(torch.sha256)))
    assert not case.locks("new")
    path.write_text(f"torch==2.20.0 \\\n  --hash=sha256:{other} \\\n  --hash=sha256:{torch.sha256}\n")
    ran = case.run(*lock)
    assert ran.status == 0, ran.said
    assert case.run("lock", "new", "--check").status == 0
    path.write_text(f"torch==2.20.0 --hash=sha256:{other}\n")
    stale = case.run("lock", "new", "--check")
    assert stale.status == 1, stale.said
    assert "requirements.txt:1" in stale.said
