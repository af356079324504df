from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.environment.model import Environment, EnvironmentLayout
from tests.environment.test_lock_comparison import distribution
from tests.environment.test_model_interpreter import interpreter
from tests.site_packages import layout_of
from tests.systems import posix_only


def test_files_are_counted() -> None:
    items = (distribution("a", "1"), distribution("b", "2"))
    found = Environment(prefix="/env", site="lib", interpreter=interpreter(), distributions=items)
    assert found.files == sum(item.files for item in items) > 0


@posix_only("paths without a drive")
def test_a_layout_names_each_folder_once() -> None:
    layout = layout_of(Path("/env/lib"), platlib="/env/lib64")
    assert layout.site_folders == ("/env/lib", "/env/lib64")
    assert layout_of(Path("/env/lib")).site_folders == ("/env/lib",)


def test_a_lacking_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        EnvironmentLayout.from_json({"prefix": "/env"})
