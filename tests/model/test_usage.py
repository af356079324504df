from __future__ import annotations

import pytest

from envsmith.model.usage import ANSWERS, Area, Certainty, Leftover, SearchedModule, UnreadFile, Usage, Use


def use(
    module: str = "torchvision", certainty: Certainty = "certain", area: Area = "sources", line: int = 1
) -> Use:
    return Use(file="a.py", line=line, module=module, kind="import", certainty=certainty, area=area)


@pytest.mark.parametrize(
    ("sought", "module", "is_meant"),
    [
        ("torchvision", "torchvision", True),
        ("torchvision", "torchvision.io", True),
        ("torchvision", "torchvisionx", False),
        ("google.cloud.speech", "google.cloud.speech.Client", True),
        ("google.cloud.speech", "google.cloud", True),
        ("google.cloud.speech", "google.cloud.storage", False),
        ("google.cloud.speech", "google", True),
    ],
)
def test_a_dotted_name_means_a_module_it_is_in_or_that_is_in_it(
    sought: str, module: str, is_meant: bool
) -> None:
    assert SearchedModule(module=sought).is_meant_by(module) is is_meant


@pytest.mark.parametrize(
    ("uses", "answer"),
    [
        ((), "unused"),
        ((use(),), "used"),
        ((use(certainty="conditional"),), "conditional"),
        ((use(area="tests"),), "tests"),
        ((use(area="tests", certainty="conditional"),), "tests"),
        ((use(area="beside"),), "beside"),
        ((use(certainty="string"),), "string"),
        ((use(certainty="string", area="tests"),), "string"),
        ((use(certainty="string"), use(area="tests")), "tests"),
        ((use(area="tests"), use(area="beside")), "beside"),
        ((use(area="tests"), use(), use(certainty="conditional")), "used"),
        ((use("torchaudio"),), "unused"),
    ],
)
def test_the_surest_use_gives_the_answer(uses: tuple[Use, ...], answer: str) -> None:
    assert Usage(uses=uses).answer(["torchvision"]) == answer


def test_a_file_that_cannot_be_read_leaves_the_answer_open_only_where_it_names_the_module() -> None:
    named = UnreadFile(file="a.py", reason="no Python", modules=("torchvision",))
    unknown = UnreadFile(file="b.py", reason="permission denied")
    assert Usage(unread=(named,)).answer(["torchvision"]) == "unproven"
    assert Usage(unread=(named,)).answer(["torchaudio"]) == "unused"
    assert Usage(unread=(unknown,)).answer(["torchaudio"]) == "unproven"
    assert Usage(unread=(named,), uses=(use(),)).answer(["torchvision"]) == "used"
    assert Usage(unread=(named,), uses=(use(certainty="string"),)).answer(["torchvision"]) == "string"


def test_a_module_of_the_projects_own_with_that_name_is_told() -> None:
    assert Usage(uses=(use(),), own=frozenset({"torchvision"})).answer(["torchvision"]) == "own"
    assert Usage(own=frozenset({"torchvision"})).answer(["torchvision"]) == "unused"


def test_answers_are_ordered_and_only_the_last_lets_go() -> None:
    assert ANSWERS[0] == "used"
    assert ANSWERS[-1] == "unused"


def test_equal_notes_are_kept_once_and_sorted() -> None:
    usage = Usage(uses=(use(line=2), use(line=1), use(line=2)))
    assert [item.line for item in usage.uses] == [1, 2]


def test_places() -> None:
    assert use(line=14).place == "a.py:14"
    cell = Use(file="a.ipynb", cell=3, line=2, module="m", kind="import", certainty="certain", area="tests")
    assert cell.place == "a.ipynb: cell 3: line 2"
    assert cell.to_json()["cell"] == 3
    leftover = Leftover(file="a.py", line=1, module="m", kind="comment", text="# m")
    assert (leftover.place, leftover.to_json()["cell"]) == ("a.py:1", None)
    assert Usage(leftovers=(leftover,)).leftovers_of(["m"]) == (leftover,)
    assert Usage(leftovers=(leftover,)).leftovers_of(["n"]) == ()
