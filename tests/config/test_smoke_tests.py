from __future__ import annotations

import pytest

from envsmith.config import profile
from envsmith.config.positions import TomlDocument
from envsmith.config.profile import IMPORT_TIMEOUT_S, SmokeTest
from envsmith.config.readers import Location, Problems
from envsmith.errors import ProfileError


def read(text: str) -> SmokeTest | None:
    document, problems = TomlDocument.parse(f"a = {text}", "x.toml"), Problems()
    found = profile.CHECK(document.data["a"], Location(text=document, problems=problems, path=("a",)))
    problems.raise_if_any()
    return found


def test_an_import_and_a_command() -> None:
    assert read('{import = "sentence_transformers"}') == SmokeTest(
        "import", "sentence_transformers", IMPORT_TIMEOUT_S
    )
    assert read('{import = "app.main", timeout-s = 5}') == SmokeTest("import", "app.main", 5.0)
    assert read('{run = "python -m a; b", timeout-s = 0.5}') == SmokeTest("run", "python -m a; b", 0.5)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{}", "a"),
        ("{timeout-s = 1}", "a"),
        ('{import = "a", run = "b"}', "a"),
        ('{import = "a; import os"}', "a.import"),
        ('{import = "a.", timeout-s = 1}', "a.import"),
        ('{import = "a", timeout-s = 0}', "a.timeout-s"),
        ('{import = "a", timeout-s = true}', "a.timeout-s"),
        ('{import = "a", timeout-s = inf}', "a.timeout-s"),
        ('{run = "a\\nb"}', "a.run"),
        ('{imports = ["a"]}', "a"),
        ("1", "a"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, place: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read(text)
    assert any(part.where == f"x.toml:1: {place}" and part.hint for part in caught.value.parts)


@pytest.mark.parametrize("item", [SmokeTest("import", "a"), SmokeTest("run", "b c", 2.0)])
def test_it_is_written_as_it_is_read(item: SmokeTest) -> None:
    ((key, text), *rest) = item.to_table().items()
    more = "".join(f", {name} = {value}" for name, value in rest)
    assert read(f'{{{key} = "{text}"{more}}}') == item
