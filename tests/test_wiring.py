import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from packaging.pylock import PackageWheel

from envsmith.config.profile_reader import parse_time
from envsmith.errors import ProfileError, ToolError
from envsmith.lock.inputs.request import parse_cutoff
from envsmith.wiring import (
    INDEX_VARIABLE,
    INSECURE_VARIABLE,
    CatalogOptions,
    cache_folder,
    index_base,
    mirror_rules,
    wheel_contents,
)
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-01", "2026-11-01T23:59:59Z"),
        ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z"),
        ("2026-11-01T09:00:00+02:00", "2026-11-01T07:00:00Z"),
        ("2026-11-01 09:00:00.5Z", "2026-11-01T09:00:00Z"),
    ],
)
def test_times(text: str, utc: str) -> None:
    assert parse_time(text) == utc


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-01T09:00:00", "01.11.2026"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_time(text)
    assert (caught.value.code, caught.value.where) == ("PRF040", "--as-of")


def test_a_cutoff_does_not_lie_ahead() -> None:
    now = "2026-11-21T12:00:00Z"
    assert parse_cutoff("2026-11-20", now) == "2026-11-20T23:59:59Z"
    assert parse_cutoff("2026-11-21", now) == now, "today ends now"
    assert parse_cutoff("2026-11-21T13:00:00+02:00", now) == "2026-11-21T11:00:00Z"
    for text in ("2026-11-22", "2026-11-21T12:00:01Z", "2099-01-01"):
        with pytest.raises(ProfileError) as caught:
            parse_cutoff(text, now)
        assert (caught.value.code, caught.value.where) == ("PRF040", "--as-of")
        assert "is in the future" in caught.value.message


def test_mirror_by_option_before_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INDEX_VARIABLE, raising=False)
    assert index_base(CatalogOptions()) == "https://download.pytorch.org/whl"
    monkeypatch.setenv(INDEX_VARIABLE, "https://one.example/whl")
    assert index_base(CatalogOptions()) == "https://one.example/whl"
    assert index_base(CatalogOptions(index_base="https://two.example")) == "https://two.example"


def test_cache_folder_is_the_users_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path


def test_contents_of_pytorchs_wheels_are_read_from_the_mirror(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("torch/__init__.py", b"")
    name = "torch-2.20.0+cu199-cp312-cp312-win_amd64.whl"
    asked = PackageWheel(
        name=name,
        url=f"https://download.pytorch.org/whl/cu199/{quote(name)}",
        hashes={"sha256": hashlib.sha256(buffer.getvalue()).hexdigest()},
    )
    with ReplayIndex() as server:
        server.add(replace(ReplayFile.row(name, index="cu199"), body=buffer.getvalue()))
        (found,) = wheel_contents(CatalogOptions(index_base=server.base)).contents([asked]).values()
    assert found.top_level() == ("torch",)
    kept = wheel_contents(CatalogOptions(index_base=server.base, is_offline=True)).contents([asked])
    assert list(kept.values()) == [found]
    assert wheel_contents(CatalogOptions(is_offline=True)).contents([asked]) == kept, "hashed as a whole"


def test_rewrites_by_option_before_variable_before_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = '[tool.envsmith]\nrewrite = ["https://a.example=https://s.example", "https://b.example=https://s.example"]\n'
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    monkeypatch.setenv(
        "ENVSMITH_REWRITE", "https://b.example=https://v.example  https://c.example=https://v.example"
    )
    found = mirror_rules(tmp_path, ("https://c.example=https://o.example",))
    assert [found.apply(f"https://{name}.example/x") for name in ("a", "b", "c", "d")] == [
        f"https://{host}.example/x" for host in ("s", "v", "o", "d")
    ]


@pytest.mark.parametrize(
    ("url", "insecure", "is_refused"),
    [
        ("https://mirror.example/whl", (), False),
        ("http://127.0.0.1:8000/whl", (), False),
        ("http://localhost/whl", (), False),
        ("http://[::1]/whl", (), False),
        ("http://mirror.example/whl", (), True),
        ("HTTP://mirror.example/whl", (), True),
        ("http://localhost@mirror.example/whl", (), True),
        ("http://mirror.example/whl", ("mirror.example",), False),
        ("http://mirror.example:81/whl", ("mirror.example:81",), False),
        ("http://mirror.example:82/whl", ("mirror.example:81",), True),
        ("http://other.example/whl", ("mirror.example",), True),
        ("http://mirror.example/whl", ("Mirror.EXAMPLE",), False),
        ("http://MIRROR.example:81/whl", ("mirror.Example:81",), False),
        ("http://mirror.example:81/whl", ("http://mirror.example:81",), False),
        ("http://mirror.example/whl", ("https://mirror.example",), True),
        ("http://mirror.example/whl", ("mirror.example:x", "[mirror.example", "*", "", ":80"), True),
    ],
)
def test_plain_http_is_refused(
    url: str, insecure: tuple[str, ...], is_refused: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(INSECURE_VARIABLE, raising=False)
    mirror = f"https://download.pytorch.org={url}"
    readers: list[Callable[[tuple[str, ...]], object]] = [
        lambda hosts: index_base(CatalogOptions(index_base=url, insecure_hosts=hosts)),
        lambda hosts: mirror_rules(tmp_path, (mirror,), hosts),
    ]
    for read in readers if "@" not in url else readers[:1]:
        if not is_refused:
            read(insecure)
            continue
        with pytest.raises(ToolError) as caught:
            read(insecure)
        assert caught.value.code == "TOL058"
        monkeypatch.setenv(INSECURE_VARIABLE, "a.example Mirror.example other.example MIRROR.example:82")
        read(insecure)
        monkeypatch.delenv(INSECURE_VARIABLE)
