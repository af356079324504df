from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.config.requirements.requirements_parser import parse_requirements
from envsmith.files.edits import Edit
from envsmith.project.requirement_edits import included, is_requirements, remove_from_requirements

GONE = frozenset({"torchvision", "torchaudio"})
COMPILED = """\
# made by a compiler
timm==1.0 \\
    --hash=sha256:aa
    # via -r requirements.in
torch==2.8.0 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via
    #   -r requirements.in
    #   timm
    #   torchvision
torchaudio==2.8.0 \\
    --hash=sha256:dd
    # via -r requirements.in
torchvision==0.23.0 \\
    --hash=sha256:ee
    # via
    #   -r requirements.in
    #   timm
"""


def cut(text: str | bytes, projects: frozenset[str] = GONE, unrequired: frozenset[str] = frozenset()) -> Edit:
    data = text if isinstance(text, bytes) else text.encode()
    return remove_from_requirements(data, "requirements.txt", projects, unrequired)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("torch\ntorchvision==0.16.2  # required by torch\nx\n", "torch\nx\n"),
        ("torch\r\ntorchvision\r\nx\r\n", "torch\r\nx\r\n"),
        ("torch\rtorchvision\rx\r", "torch\rx\r"),
        ("# about torchvision\ntorchvision\n\n# end", "# about torchvision\n\n# end"),
        ("torchvision", ""),
        ("torch\ntorchvision", "torch\n"),
        ("torchvision \\\n  >=0.15, \\\n  <1\nx", "x"),
        ("torchvision \\\n# ends it\nx", "# ends it\nx"),
        ("Torch_Vision\nTorchVision[scipy]>=0.2 ; python_version<'3.12'\nx", "Torch_Vision\nx"),
        ("  torchvision\n\ttorchaudio\nx\n", "x\n"),
        ("torchvision @ https://example.org/torchvision-0.16.2-py3-none-any.whl\nx\n", "x\n"),
        (
            "https://download.pytorch.org/whl/cpu/torchvision-0.16.2%2Bcpu-cp311-cp311-win_amd64.whl\nx\n",
            "x\n",
        ),
        ("torchvision\n    # an aside\nx\n", "    # an aside\nx\n"),
        ("torchvision==0.16.2\n    # via -r requirements.in\nx\n", "x\n"),
        ("torchvision==0.16.2  # via -r requirements.in, myproject (pyproject.toml)\nx\n", "x\n"),
        ("torchvision==0.16.2\n    # via myproject\nx==1\n", "x==1\n"),
    ],
)
def test_the_line_goes_with_what_belongs_to_it_and_nothing_else(before: str, after: str) -> None:
    assert cut(before).after == after.encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "torchvisionx\nmy-torchvision\n",
        "# torchvision\n",
        "-r torchvision.txt\n-e ./torchvision\n--find-links torchvision\n",
        "./torchvision\ngit+https://example.org/torchvision\n",
        "torchvision==0.16.2 === what\n",
        "${torchvision}\n",
    ],
)
def test_what_asks_for_nothing_of_that_name_stays_byte_for_byte(text: str) -> None:
    found = cut(text)
    assert found.after == text.encode()
    assert not found.removed


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + "torch\ntorchvision\né\n".encode(),
        codecs.BOM_UTF16_LE + "torch\r\ntorchvision\r\né\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "torch\ntorchvision\né\n".encode("utf-16-be"),
        "torch\ntorchvision\n# é\n".encode("latin-1"),
        b"torch\ntorchvision\n\xff\xfe\x00\n",
    ],
)
def test_bytes_of_any_encoding_are_kept(data: bytes) -> None:
    found = cut(data)
    wide = 2 if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else 1
    end = b"\r\n" if b"\r" in data else b"\n"
    assert len(found.after) == len(data) - wide * len(b"torchvision" + end)
    assert [line.line for line in found.removed] == [2]


def test_half_a_character_is_left_alone() -> None:
    data = codecs.BOM_UTF16_LE + b"t\x00o"
    assert cut(data).after == data


def test_a_pin_that_another_requires_stays_and_says_so() -> None:
    found = cut(COMPILED)
    assert [line.project for line in found.removed] == ["torchaudio"]
    assert [(line.place, line.reason) for line in found.kept] == [
        ("requirements.txt:15", "required by timm according to this file")
    ]
    assert found.after.decode() == COMPILED.replace(
        "torchaudio==2.8.0 \\\n    --hash=sha256:dd\n    # via -r requirements.in\n", ""
    )


def test_requirers_that_go_too_hold_nothing_back_and_those_that_stay_do() -> None:
    assert {line.project for line in cut(COMPILED, GONE | {"timm"}).removed} == {*GONE, "timm"}
    kept = COMPILED.replace("timm==1.0", "speech==1\n    # via own\nown==1\ntimm==1.0").replace(
        "    # via -r requirements.in\ntorch==", "    # via own\ntorch=="
    )
    assert {line.project for line in cut(kept, GONE | {"timm"}).kept} == {"timm", "torchvision"}


def test_hashed_pins_that_do_not_say_who_requires_them_stay_unless_a_lock_knows() -> None:
    text = "torch==2 \\\n  --hash=sha256:aa\ntorchvision==1 \\\n  --hash=sha256:bb\n"
    found = cut(text)
    assert found.after == text.encode()
    assert "compile the file again" in found.kept[0].reason
    assert cut(text, unrequired=frozenset({"torchvision"})).after == b"torch==2 \\\n  --hash=sha256:aa\n"


def test_a_second_time_changes_nothing() -> None:
    once = cut(COMPILED).after
    again = cut(once)
    assert not again.has_changes
    assert not again.removed


@given(
    st.lists(
        st.sampled_from(
            [
                "torch",
                "torchvision",
                "x # torchvision",
                "torchvision \\",
                "",
                "# c",
                "    # via timm",
                "timm==1",
                "é",
                "\x0c",
            ]
        )
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_whole_lines_go_and_all_others_are_as_they_were(lines: list[str], end: str) -> None:
    text = end.join(lines)
    found = cut(text)
    kept = found.after.decode().split(end)
    rest = iter(text.split(end))
    assert all(line in rest for line in kept if line), "order and content are kept"
    assert not cut(found.after).has_changes


def test_included_files_and_whole_files_of_requirements() -> None:
    text = "-r base.txt\n-rdev.txt\n--requirement=a.txt\n-c 'limits.txt'\nx\n--pre\n"
    assert list(included(text)) == [
        ("-r", "base.txt"),
        ("-r", "dev.txt"),
        ("-r", "a.txt"),
        ("-c", "limits.txt"),
    ]
    assert is_requirements(text)
    assert not is_requirements("")
    assert not is_requirements("include LICENSE\n")
    assert not is_requirements("@prefix@/bin\n")


REQUIREMENT = st.sampled_from(
    [
        "torch==2.8.0",
        "TorchVision",
        "torch_audio",
        "torchaudio[x] >=2 ; python_version < '3.12'",
        "torchvision \\\n  ==0.16.2 \\\n  ; sys_platform == 'linux'",
        "x \\\n  >=1",
        "# torchvision",
        "--pre",
        "",
    ]
)


@given(st.lists(st.tuples(REQUIREMENT, st.sampled_from(["", "  # torchvision, required"]))), st.booleans())
def test_what_remains_asks_for_all_the_others(lines: list[tuple[str, str]], is_windows: bool) -> None:
    text = "\n".join(line + comment for line, comment in lines)
    text = text.replace("\n", "\r\n") if is_windows else text
    asked = [
        str(item.requirement) for item in parse_requirements(text, "a").requirements if item.name not in GONE
    ]
    left = parse_requirements(cut(text).after.decode(), "a").requirements
    assert [str(item.requirement) for item in left] == asked
    assert not any(item.name in GONE for item in left)
