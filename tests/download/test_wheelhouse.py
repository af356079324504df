"""Filling wheelhouses from a server that goes wrong on purpose."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.download import part_file
from envsmith.download.part_file import FOLDER, part_path
from envsmith.download.transfer import TransferPolicy
from envsmith.download.wheelhouse import change_record
from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.locks import try_lock
from envsmith.index.hashing import FileCache
from tests.range_server import RangeServer, Step
from tests.wheelhouses import FAST, NAME, AsLocked, FakeListener, artifact, downloader, leftovers, made_bytes

BODY = made_bytes(200_000)
OTHER = made_bytes(200_000, seed=1)


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return tmp_path / "house"


def fill(
    server: RangeServer, house: Path, *, size: bool = True, policy: TransferPolicy = FAST
) -> FakeListener:
    """Fill a house with the one file, and see that nothing else is left."""
    listener = FakeListener()
    item = artifact(server.put(NAME, BODY), BODY, size=size)
    result = downloader(house.parent, listener, policy).fill(house, [item], AsLocked())
    assert [error.code for error in result.failed] == []
    assert (house / NAME).read_bytes() == BODY
    assert leftovers(house) == []
    return listener


def refused(server: RangeServer, house: Path, *, size: bool = True, body: bytes = BODY) -> EnvsmithError:
    """Fail to fill a house, and return why."""
    item = artifact(server.put(NAME, BODY), body, size=size)
    result = downloader(house.parent).fill(house, [item], AsLocked())
    assert result.files == ()
    assert not (house / NAME).exists()
    (error,) = result.failed
    assert error.where.startswith(f"{NAME}: http://127.0.0.1")
    return error


@pytest.mark.parametrize("size", [True, False])
def test_a_file_is_fetched_and_proved(server: RangeServer, house: Path, *, size: bool) -> None:
    listener = fill(server, house, size=size)
    assert listener.sources == {NAME: "fetched"}
    assert listener.plans == [(1, len(BODY), True)]
    assert listener.moved_bytes[NAME] == len(BODY)
    assert server.requests_of(NAME)[0]["accept-encoding"] == "identity"
    listener = fill(server, house, size=size)
    assert listener.sources == {NAME: "held"}
    assert server.ranges(NAME) == [""]


@pytest.mark.parametrize("size", [True, False])
@pytest.mark.parametrize("cut_at", [0, 1, 2, *range(1000, len(BODY), 11_000), len(BODY) - 1])
def test_cut_at_an_offset_it_goes_on_there(
    server: RangeServer, house: Path, cut_at: int, *, size: bool
) -> None:
    server.plan(NAME, Step(cut_at=cut_at))
    listener = fill(server, house, size=size)
    assert server.ranges(NAME) == ["", f"bytes={cut_at}-" if cut_at else ""]
    assert listener.moved_bytes[NAME] == len(BODY)


def test_cut_again_and_again(server: RangeServer, house: Path) -> None:
    offsets = list(range(5_000, len(BODY), 5_000))
    server.plan(NAME, *(Step(cut_at=offset) for offset in offsets))
    fill(server, house)
    assert server.ranges(NAME) == ["", *(f"bytes={offset}-" for offset in offsets)]


def test_what_an_earlier_run_left_is_taken_over(server: RangeServer, house: Path) -> None:
    server.plan(NAME, Step(cut_at=70_000), *[Step(status=503)] * FAST.tries)
    assert refused(server, house).code == "TOL047"
    assert leftovers(house)
    fill(server, house)
    asked = server.requests_of(NAME)[-1]
    assert asked["range"] == "bytes=70000-"
    assert asked["if-range"]


def test_a_part_without_its_note_is_taken_over(server: RangeServer, house: Path) -> None:
    part = part_path(house, artifact("", BODY).sha256)
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:1000])
    part.with_suffix(".json").write_text('{"etag": ', "utf-8")
    fill(server, house)
    assert server.ranges(NAME) == ["bytes=1000-"]


def test_a_part_that_is_whole_needs_no_server(server: RangeServer, house: Path) -> None:
    part = part_path(house, artifact("", BODY).sha256)
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    fill(server, house, size=False)
    assert server.ranges(NAME) == []


@pytest.mark.parametrize("left", [OTHER[:1000], OTHER, OTHER + b"more"])
@pytest.mark.parametrize("size", [True, False])
def test_a_part_of_other_bytes_costs_one_more_fetch(
    server: RangeServer, house: Path, left: bytes, *, size: bool
) -> None:
    part = part_path(house, artifact("", BODY).sha256)
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    listener = fill(server, house, size=size)
    assert server.ranges(NAME)[-1] == ""
    assert listener.moved_bytes[NAME] == len(BODY)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Step(ignores_range=True), id="ignores ranges"),
        pytest.param(Step(status=416, headers={"Content-Range": "bytes */7"}), id="no such range"),
        pytest.param(Step(status=416), id="no such range, and no size"),
        pytest.param(Step(content_range="bytes 0-199999/200000"), id="another range than asked for"),
        pytest.param(Step(content_range="bytes 70000-199999/300000"), id="another size than before"),
        pytest.param(Step(content_range="bytes nonsense"), id="no range at all"),
        pytest.param(Step(body=OTHER, etag="", ignores_range=True, cut_at=90_000), id="another file, cut"),
    ],
)
def test_answers_that_do_not_go_on_begin_anew(server: RangeServer, house: Path, step: Step) -> None:
    server.plan(NAME, Step(cut_at=70_000), step)
    if step.body:
        server.plan(NAME, Step(status=500))
    listener = fill(server, house)
    assert listener.moved_bytes[NAME] == len(BODY)


def test_a_file_that_changed_meanwhile_is_refused(server: RangeServer, house: Path) -> None:
    server.plan(NAME, Step(cut_at=70_000), Step(body=OTHER))
    assert refused(server, house).code == "TOL048"
    assert leftovers(house) == []
    fill(server, house)


def test_a_changed_file_that_hides_it_is_found_by_its_hash(server: RangeServer, house: Path) -> None:
    """Half of one file and half of another, of one size and without ETag: only the hash can tell."""
    server.plan(NAME, Step(cut_at=70_000, etag=""), Step(body=OTHER, etag=""))
    fill(server, house)
    assert server.ranges(NAME) == ["", "bytes=70000-", ""]


@pytest.mark.parametrize("etag", ['W/"weak"', '"a\tb"', "none"])
def test_an_etag_that_vouches_for_little_is_not_used(server: RangeServer, house: Path, etag: str) -> None:
    server.plan(NAME, Step(cut_at=70_000, etag=etag))
    fill(server, house)
    assert "if-range" not in server.requests_of(NAME)[-1]


def test_a_range_without_total_is_taken(server: RangeServer, house: Path) -> None:
    server.plan(NAME, Step(cut_at=70_000), Step(content_range="bytes 70000-199999/*"))
    fill(server, house)
    assert len(server.ranges(NAME)) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(server: RangeServer, house: Path, status: int) -> None:
    server.plan(NAME, *[Step(status=status, headers={"Retry-After": "0"})] * 3)
    fill(server, house)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_a_server_that_refuses_is_not_asked_again(server: RangeServer, house: Path, status: int) -> None:
    server.plan(NAME, Step(status=status))
    assert refused(server, house).message == f"the server answered {status}"
    assert len(server.ranges(NAME)) == 1


def test_a_body_without_length(server: RangeServer, house: Path) -> None:
    server.plan(NAME, Step(has_length=False))
    fill(server, house, size=False)


@pytest.mark.parametrize("size", [True, False])
def test_a_body_without_length_that_is_cut(server: RangeServer, house: Path, *, size: bool) -> None:
    server.plan(NAME, Step(has_length=False, cut_at=70_000))
    fill(server, house, size=size)


@pytest.mark.parametrize("size", [True, False])
def test_wrong_bytes_of_the_right_length_are_never_kept(
    server: RangeServer, house: Path, *, size: bool
) -> None:
    server.plan(NAME, Step(body=OTHER))
    error = refused(server, house, size=size)
    assert error.code == "TOL048"
    assert leftovers(house) == []
    assert server.ranges(NAME) == [""]


@pytest.mark.parametrize("page", [b"<html>log in</html>", OTHER + b"x"])
def test_a_file_of_another_length_is_refused_at_once(server: RangeServer, house: Path, page: bytes) -> None:
    server.plan(NAME, Step(body=page))
    assert "bytes instead of 200000" in refused(server, house).message


def test_more_bytes_than_the_lock_says_without_length(server: RangeServer, house: Path) -> None:
    server.plan(NAME, Step(body=OTHER + b"x", has_length=False))
    assert refused(server, house).code == "TOL048"


def test_a_slow_server_is_left_and_asked_anew(server: RangeServer, house: Path) -> None:
    ticks = iter(range(0, 100_000, 20))
    hasty = replace(FAST, clock=lambda: float(next(ticks)), slow_bytes_per_s=1e9)
    server.plan(NAME, Step(drip_s=0.001))
    listener = fill(server, house, policy=replace(hasty, tries=200, max_responses=5000))
    assert len(server.ranges(NAME)) > 1
    assert listener.moved_bytes[NAME] == len(BODY)


def test_a_silent_server_is_left(server: RangeServer, house: Path) -> None:
    gate = threading.Event()
    server.plan(NAME, Step(gate=gate))
    fill(server, house, policy=replace(FAST, read_s=0.2))
    gate.set()
    assert server.ranges(NAME) == ["", "bytes=100000-"]


def test_a_redirect_is_followed(server: RangeServer, house: Path) -> None:
    server.put("other", BODY)
    server.plan(NAME, *[Step(status=302, headers={"Location": "/other"})] * 2)
    fill(server, house)
    assert server.ranges("other") == [""]


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_a_redirect_to_elsewhere_is_not_followed(server: RangeServer, house: Path, location: str) -> None:
    server.plan(NAME, Step(status=302, headers={"Location": location}))
    assert refused(server, house).code == "TOL032"


def test_redirects_without_end(server: RangeServer, house: Path) -> None:
    server.plan(NAME, *[Step(status=302, headers={"Location": f"/{NAME}"})] * 9)
    assert "redirects" in refused(server, house).message


def test_nothing_is_listening(house: Path) -> None:
    item = artifact(f"http://127.0.0.1:9/{NAME}", BODY)
    (error,) = downloader(house.parent).fill(house, [item], AsLocked()).failed
    assert error.code == "TOL047"
    assert "connection refused" in error.message


def test_a_server_that_answers_no_heads(house: Path) -> None:
    with RangeServer(has_heads=False) as server:
        listener = fill(server, house, size=False)
    assert listener.plans == [(1, 0, False)]


def test_a_damaged_file_is_replaced(server: RangeServer, house: Path) -> None:
    house.mkdir()
    for damaged in (OTHER, BODY[:-1], b""):
        (house / NAME).write_bytes(damaged)
        assert fill(server, house).sources == {NAME: "fetched"}


def test_one_that_fails_keeps_none_of_the_others(server: RangeServer, house: Path) -> None:
    bodies = {f"a{number}-1-py3-none-any.whl": made_bytes(3000, number) for number in range(12)}
    items = [artifact(server.put(name, body), body, filename=name) for name, body in bodies.items()]
    bad = items[5].filename
    server.plan(bad, Step(status=404))
    listener = FakeListener()
    result = downloader(house.parent, listener).fill(house, items, AsLocked())
    assert listener.failures == {bad: "TOL047"}
    assert {item.filename for item in result.files} == set(bodies) - {bad}
    assert all((house / name).read_bytes() == body for name, body in bodies.items() if name != bad)


def test_what_was_kept_needs_no_server(house: Path) -> None:
    kept = FileCache(house.parent / "kept")
    item = artifact("http://127.0.0.1:9/x", BODY, size=False)
    with kept.pending() as coming:
        coming.write(BODY)
        assert coming.commit(item.sha256, NAME)
    listener = FakeListener()
    assert downloader(house.parent, listener).fill(house, [item], AsLocked()).failed == ()
    assert listener.sources == {NAME: "kept"}
    assert listener.plans == [(1, len(BODY), True)]
    assert (house / NAME).read_bytes() == BODY


def test_what_was_kept_and_is_damaged_is_fetched(server: RangeServer, house: Path) -> None:
    item = artifact("", BODY)
    place = house.parent / "kept" / item.sha256
    place.mkdir(parents=True)
    (place / NAME).write_bytes(OTHER)
    assert fill(server, house).sources == {NAME: "fetched"}


def test_a_file_that_another_process_is_fetching_is_waited_for(server: RangeServer, house: Path) -> None:
    item = artifact(server.put(NAME, BODY), BODY)
    lock = part_path(house, item.sha256).with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    listener = FakeListener()
    with try_lock(lock):
        thread = threading.Thread(
            target=downloader(house.parent, listener).fill, args=(house, [item], AsLocked())
        )
        thread.start()
        while not listener.waited:
            thread.join(0.01)
        (house / NAME).write_bytes(BODY)
    thread.join()
    assert listener.sources == {NAME: "shared"}
    assert server.ranges(NAME) == []


def test_a_process_that_keeps_a_file_without_progress_is_not_waited_for_without_end(
    server: RangeServer, house: Path
) -> None:
    item = artifact(server.put(NAME, BODY), BODY)
    part = part_path(house, item.sha256)
    lock = part.with_suffix(".lock")
    part.parent.mkdir(parents=True)
    times = iter(range(1000))

    def clock() -> float:
        """Let each look take a second; the other process receives bytes until the third one."""
        now = next(times)
        part.write_bytes(BODY[: min(now, 3)])
        return now

    with try_lock(lock):
        result = downloader(house.parent, policy=replace(FAST, held_s=5, clock=clock)).fill(
            house, [item], AsLocked()
        )
    (error,) = result.failed
    assert (error.code, error.where) == ("TOL016", f"{NAME}: {lock}")
    assert "locked by another process for 5 s" in error.message
    assert f"delete `{lock}`" in error.hint
    assert next(times) > 8
    assert server.ranges(NAME) == []


def test_a_record_that_stays_locked_is_told(house: Path) -> None:
    lock = house / FOLDER / "record.lock"
    lock.parent.mkdir(parents=True)
    with try_lock(lock), pytest.raises(ToolError, match="TOL016") as caught:
        change_record(house, lambda record: record, timeout_s=0.1)
    assert caught.value.where == str(lock)


def test_too_little_room_is_said_before_anything_is_written(
    server: RangeServer, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = artifact(server.put(NAME, BODY), BODY, size=False)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": len(BODY) - 1}))
    with pytest.raises(ToolError) as caught:
        downloader(house.parent).fill(house, [item], AsLocked())
    assert caught.value.code == "TOL044"
    assert ("needed", "200000 bytes") in caught.value.details
    assert server.ranges(NAME) == []
    part = part_path(house, item.sha256)
    part.write_bytes(BODY[:1])
    assert downloader(house.parent).fill(house, [item], AsLocked()).failed == ()


def test_a_file_where_the_folder_should_be(server: RangeServer, house: Path) -> None:
    house.write_text("no folder", "utf-8")
    with pytest.raises(ToolError) as caught:
        downloader(house.parent).fill(house, [artifact(server.put(NAME, BODY), BODY)], AsLocked())
    assert caught.value.code == "TOL046"


def test_a_folder_where_the_file_should_be(server: RangeServer, house: Path) -> None:
    (house / NAME).mkdir(parents=True)
    with pytest.raises(ToolError) as caught:
        downloader(house.parent).fill(house, [artifact(server.put(NAME, BODY), BODY)], AsLocked())
    assert caught.value.code == "TOL046"
    assert (house / NAME).is_dir()


def test_only_what_is_proved_gets_its_name(house: Path) -> None:
    item = artifact("", BODY)
    part_path(house, item.sha256).parent.mkdir(parents=True)
    with part_file.PartFile(house, item.sha256) as part:
        part.write(OTHER)
        with pytest.raises(AssertionError):
            part.finish(house / NAME)
    assert not (house / NAME).exists()
