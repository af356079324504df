from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from envsmith.config.requirement import SourcedRequirement, labels, read_requirement
from envsmith.errors import ProfileError


def asked(*texts: str) -> list[SourcedRequirement]:
    return [
        SourcedRequirement(requirement=Requirement(text), origin=f"r.in:{number}")
        for number, text in enumerate(texts, 1)
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("torch", "torch"),
        (" torch == 2.3.1+cpu ", "torch==2.3.1+cpu"),
        ("a[x,y]>=1,<2; python_version<'3.12'", 'a[x,y]<2,>=1; python_version < "3.12"'),
        ("zip", "zip"),
    ],
)
def test_requirements_that_an_index_can_answer(text: str, read: str) -> None:
    assert str(read_requirement(text)) == read


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a @ https://example.org/a.whl", "PRF021"),
        ("a @ file:///tmp/a.whl", "PRF021"),
        ("a@git+https://example.org/a", "PRF021"),
        ("https://example.org/a.whl", "PRF021"),
        ("git+https://example.org/a", "PRF021"),
        ("-e .", "PRF021"),
        ("--editable=.", "PRF021"),
        (".", "PRF021"),
        ("./a", "PRF021"),
        ("../a", "PRF021"),
        ("/a", "PRF021"),
        ("~/a", "PRF021"),
        ("C:\\a", "PRF021"),
        ("a-1.0-py3-none-any.whl", "PRF021"),
        ("a-1.0.tar.gz ; python_version < '3'", "PRF021"),
        ("", "PRF020"),
        ("a b", "PRF020"),
        ("a>>1", "PRF020"),
        ("a>=1+cpu", "PRF020"),
        ("a; python_versio < '3'", "PRF020"),
        ("a; " + "(" * 1900, "PRF020"),
        ("a==" + "1" * 5000, "PRF020"),
        ("törch", "PRF020"),
        ("a\nb", "PRF020"),
    ],
)
def test_requirements_that_it_cannot(text: str, code: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read_requirement(text)
    assert caught.value.code == code
    assert caught.value.hint
    assert len(str(caught.value)) < 400


def test_labels_are_told_with_their_origin() -> None:
    found = labels(asked("torch==2.3.1+cpu", "numpy>=1", "torchvision===0.18.1+cpu", "flash==1+cu12torch2"))
    assert found == {
        "torch": ("cpu", "r.in:1"),
        "torchvision": ("cpu", "r.in:3"),
        "flash": ("cu12torch2", "r.in:4"),
    }


@pytest.mark.parametrize(
    "texts",
    [
        ("torch==2.3.1+cpu", "torchvision==0.18.1+cu121"),
        ("torch==2.3.1+cpu", "Torch==2.3.1+cu121"),
        ("flash==1+a", "flash==1+b"),
    ],
)
def test_contradicting_labels_are_refused_naming_both_places(texts: tuple[str, str]) -> None:
    with pytest.raises(ProfileError) as caught:
        labels(asked(*texts))
    assert caught.value.code == "PRF022"
    assert caught.value.where == "r.in:2"
    assert "r.in:1" in caught.value.message


def test_labels_of_other_kinds_do_not_contradict_backends() -> None:
    assert len(labels(asked("torch==2.3.1+cpu", "flash==1+local", "other==1+git0d4682f0"))) == 3
