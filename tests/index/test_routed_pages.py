"""Routed pages over loopback and from files: flat pages, index roots, and malformed ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envsmith.errors import EnvsmithError
from envsmith.index.routed_pages import RoutedPages
from envsmith.model.route import RoutePage
from envsmith.model.wheel import Wheel
from envsmith.net.client import RetryPolicy
from tests.replay_files import make_wheel
from tests.wheel_site import WheelSite, serve

TAGS = "cp312-cp312-linux_x86_64.whl"
SCATTER = f"torch_scatter-2.1.2+pt28cu128-{TAGS}"
OTHER = f"torch_scatter-2.1.2+pt28cpu-{TAGS}"
SPARSE = f"torch_sparse-0.6.18+pt28cu128-{TAGS}"
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
PAGES = RoutedPages(lambda: AT, RetryPolicy(attempts=1))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WheelSite]:
    with serve(tmp_path / "site") as found:
        found.wheel(SCATTER, "numpy", "scipy; extra == 'full'", with_label=False)
        found.wheel(OTHER)
        found.wheel(SPARSE)
        yield found


def on_cuda(wheel: Wheel) -> bool:
    return "cu" in wheel.label


def test_a_flat_page(site: WheelSite) -> None:
    url = site.flat()
    page = PAGES.read("torch-scatter", url, on_cuda)
    assert (page.project, page.url, page.is_flat, page.read_at) == (
        "torch-scatter",
        url,
        True,
        "2026-11-21T09:00:00Z",
    )
    (row,) = page.entries
    assert (row.wheel.filename, row.wheel.index, row.wheel.sha256) == (SCATTER, url, None)
    assert row.requires_dist == ("numpy",)
    assert row.computed is None
    assert page.others == (OTHER,)
    assert not any(OTHER.partition("+")[2][:8] in asked for asked in site.asked)


def test_the_text_of_a_link_need_not_be_a_name(site: WheelSite) -> None:
    assert len(PAGES.read("torch-scatter", site.flat(text="get it"), on_cuda).entries) == 1


def test_an_index_root_with_or_without_a_slash(site: WheelSite) -> None:
    url = site.index()
    for address in (url, f"{url}/"):
        page = PAGES.read("torch-scatter", address, on_cuda)
        assert not page.is_flat
        assert [row.wheel.sha256 for row in page.entries] == [site.sha256(SCATTER)]


def test_an_address_that_is_neither_an_index_nor_named_html_is_a_page(site: WheelSite) -> None:
    site.flat()
    (site.root / "files" / "index.html").write_text(
        f'<html><body><a href="{SCATTER.replace("+", "%2B")}">{SCATTER}</a></body></html>', "utf-8"
    )
    page = PAGES.read("torch-scatter", f"{site.url}/files/", on_cuda)
    assert page.is_flat
    assert len(page.entries) == 1


def test_pages_of_files(site: WheelSite) -> None:
    site.flat()
    page = PAGES.read("torch-scatter", (site.root / "links.html").as_uri(), on_cuda)
    assert [row.computed for row in page.entries] == [site.sha256(SCATTER)]
    site.index()
    page = PAGES.read("torch-scatter", (site.root / "simple").as_uri(), on_cuda)
    assert [(row.wheel.sha256, page.is_flat) for row in page.entries] == [(site.sha256(SCATTER), False)]
    assert page.entries[0].requires_dist == ("numpy",)
    assert site.asked == []


def refused(project: str, url: str) -> EnvsmithError:
    with pytest.raises(EnvsmithError) as caught:
        PAGES.read(project, url, lambda _: True)
    assert "[routes]" in caught.value.hint
    assert caught.value.where.startswith(f"routes.{project}")
    return caught.value


def test_what_is_not_there(site: WheelSite, tmp_path: Path) -> None:
    assert refused("torch-scatter", f"{site.url}/none.html").code == "TOL045"
    assert refused("torch-scatter", f"{site.url}/none").code == "TOL045"
    assert refused("torch-scatter", (tmp_path / "none.html").as_uri()).code == "TOL045"
    assert refused("torch-scatter", "http://127.0.0.1:9/none.html").code == "TOL030"


@pytest.mark.skipif(sys.platform == "win32", reason="devices and pipes of POSIX")
def test_what_never_ends(site: WheelSite) -> None:
    os.mkfifo(site.root / "pipe.html")
    for url in ("file:///dev/zero", (site.root / "pipe.html").as_uri()):
        found = refused("torch-scatter", url)
        assert (found.code, "not a regular file" in found.message) == ("TOL045", True)
    site.flat()
    (site.root / "files" / SCATTER).unlink()
    (site.root / "files" / SCATTER).symlink_to("/dev/zero")
    assert "not a regular file" in refused("torch-scatter", (site.root / "links.html").as_uri()).message
    (site.root / "long.html").touch()
    os.truncate(site.root / "long.html", 10**12)
    assert "larger than" in refused("torch-scatter", (site.root / "long.html").as_uri()).message


def test_what_cannot_be_trusted(site: WheelSite) -> None:
    site.flat()
    (site.root / "plain.html").write_text("<html><body>nothing</body></html>", "utf-8")
    assert refused("torch-scatter", f"{site.url}/plain.html").code == "CAT030"
    (site.root / "files" / SCATTER).write_bytes(
        make_wheel("torch-scatter", "9.9", "cp312-cp312-linux_x86_64")
    )
    assert refused("torch-scatter", f"{site.url}/links.html").code == "CAT036"
    (site.root / "files" / SCATTER).write_bytes(b"no wheel")
    assert refused("torch-scatter", f"{site.url}/links.html").code == "CAT036"
    assert refused("torch-scatter", (site.root / "links.html").as_uri()).code == "CAT036"


def test_a_file_on_this_machine_is_what_its_page_says(site: WheelSite) -> None:
    site.index()
    site.wheel(SCATTER, "scipy")
    assert refused("torch-scatter", (site.root / "simple").as_uri()).code == "CAT041"


def test_files_that_are_gone_are_told(site: WheelSite) -> None:
    site.flat()
    (site.root / "files" / SCATTER).unlink()
    assert refused("torch-scatter", (site.root / "links.html").as_uri()).code == "TOL045"
    assert refused("torch-scatter", f"{site.url}/links.html").code in ("TOL030", "TOL034")


def test_yanked_wheels_are_listed_with_the_reason_also_without_their_file(site: WheelSite) -> None:
    gone = SCATTER.replace("2.1.2", "2.1.3")
    site.wheel(gone)
    site.flat()
    (site.root / "files" / gone).unlink()
    place = site.root / "links.html"
    place.write_text(place.read_text("utf-8").replace("<a ", '<a data-yanked="bad kernels" '), "utf-8")
    page = PAGES.read("torch-scatter", f"{site.url}/links.html", on_cuda)
    assert [(row.wheel.filename, row.wheel.yanked) for row in page.entries] == [(SCATTER, "bad kernels")]
    assert RoutePage.from_plain("torch-scatter", page.to_plain()).entries == page.entries


@pytest.mark.parametrize(
    "href", ["http://wheels.example/{}", "https://wheels.example/{}?token=x", "https://a:b@wheels.example/{}"]
)
def test_links_that_no_lock_may_hold_are_left_out_or_stripped(site: WheelSite, href: str) -> None:
    quoted = SCATTER.replace("+", "%2B")
    (site.root / "links.html").write_text(
        f'<html><body><a href="{href.format(quoted)}">{SCATTER}</a></body></html>', "utf-8"
    )
    page = PAGES.read("torch-scatter", f"{site.url}/links.html", lambda _: False)
    assert page.entries == ()
    assert page.others == ((SCATTER,) if "@" in href else ())
