from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.files.cache_dir import cache_root


@pytest.mark.parametrize(
    ("environ", "os_name", "expected"),
    [
        ({"ENVSMITH_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "posix", "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "posix", "/x/envsmith"),
        ({"XDG_CACHE_HOME": "x", "HOME": "/h"}, "posix", "/h/.cache/envsmith"),
        ({"HOME": "/h", "LOCALAPPDATA": "/l"}, "posix", "/h/.cache/envsmith"),
        ({"LOCALAPPDATA": "/l", "XDG_CACHE_HOME": "/x"}, "nt", "/l/envsmith/cache"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_caches(
    environ: dict[str, str], os_name: str, expected: str
) -> None:
    assert Path(cache_root(environ, os_name)) == Path(expected)


def test_the_cache_lies_below_home_without_any_variable() -> None:
    assert Path(cache_root({}, "posix")) == Path.home() / ".cache" / "envsmith"
    assert Path(cache_root({}, "nt")) == Path.home() / "AppData" / "Local" / "envsmith" / "cache"
