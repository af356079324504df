from __future__ import annotations

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage.module_matcher import ModuleMatcher

NAMES = ModuleMatcher(
    [
        SearchedModule(module="torchvision", messages=("Failed to load",)),
        SearchedModule(module="google.cloud.speech"),
    ]
)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"x = 1", ()),
        (b"import torchvision", ("torchvision",)),
        (b"Failed to load image", ("torchvision",)),
        (b"from google.cloud import speech, torchvision", ("torchvision", "google.cloud.speech")),
    ],
)
def test_bytes_are_searched_for_first_names_and_messages(data: bytes, found: tuple[str, ...]) -> None:
    assert NAMES.in_bytes(data) == found


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("torchvision", "torchvision"),
        ("torchvision.ops:nms", "torchvision.ops"),
        ("torchvision.", "torchvision"),
        ("torchvision.{}", "torchvision"),
        ("torchvision.%s", "torchvision"),
        ("google.cloud.speech_v1", None),
        ("google.cloud", "google.cloud"),
        ("torchvision is nice", None),
        ("torchvisionx", None),
        (".torchvision", None),
        ("", None),
    ],
)
def test_a_text_names_a_module_as_a_whole(text: str, module: str | None) -> None:
    assert NAMES.in_path(text) == module


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("torchvision>=0.15", "torchvision"),
        ("torchvision [x] == 1", "torchvision"),
        ("torchvision; python_version > '3'", "torchvision"),
        ("torchvision", None),
        ("torch>=1", None),
        ("torchvision is >= 1", None),
    ],
)
def test_a_requirement_has_a_version_or_a_marker(text: str, module: str | None) -> None:
    assert NAMES.in_requirement(text) == module


def test_words_stand_alone() -> None:
    text = "torchvision, a.torchvision, torchvision.models.x torchvisionx my_torchvision"
    assert [match[0] for match in NAMES.in_words(text)] == ["torchvision", "torchvision.models.x"]


def test_code_in_a_text_is_found_with_its_line() -> None:
    assert list(
        NAMES.in_code("x\nimport torchvision.io; from google.cloud import a\n>>> import torchvision")
    ) == [
        ("torchvision.io", 1),
        ("google.cloud", 1),
    ]


def test_nothing_is_found_where_nothing_is_sought() -> None:
    none = ModuleMatcher([])
    assert (none.in_bytes(b"a"), none.in_path("a"), list(none.in_words("a")), none.by_word("a")) == (
        (),
        None,
        [],
        (),
    )


def test_what_speaks_of_a_module() -> None:
    assert NAMES.by_word("ignore::UserWarning:torchvision.io") == ("torchvision",)
    assert NAMES.by_word("^Failed to load image.*") == ("torchvision",)
    assert NAMES.by_word("mytorchvision") == ()


def test_a_text_may_speak_of_several() -> None:
    several = ModuleMatcher(
        [
            SearchedModule(module="torchvision"),
            SearchedModule(module="torchaudio"),
            SearchedModule(module="google.auth"),
        ]
    )
    assert several.by_word("torchaudio and torchvision are required") == ("torchvision", "torchaudio")
    assert several.by_word("google.cloud is required") == ()
    assert several.mentions("google.cloud is required")
    assert not several.mentions("nothing is")


@pytest.mark.parametrize("text", ["scikit-learn", "Scikit_Learn>=1", "needs scikit.learn here"])
def test_projects_are_known_by_their_own_names(text: str) -> None:
    names = ModuleMatcher([SearchedModule(module="sklearn", projects=("scikit-learn", "scikit_learn"))])
    assert names.by_word(text) == ("sklearn",)
    assert names.mentions(text)
    assert names.by_word("scikit-learn-extra") == ()
    assert names.in_bytes(b"scikit-learn==1") == ("sklearn",)
    assert names.in_requirement("scikit-learn==1") == "sklearn"
    assert names.in_requirement("learn==1") is None
