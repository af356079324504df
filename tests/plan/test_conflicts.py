"""One owner per import folder: which member stays, how it is bound, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog
from envsmith.errors import ProfileError
from envsmith.model.finding import UnmetRequirement
from envsmith.plan.conflicts import choose_members, chosen_members, notice, with_bounds, without_last_added
from envsmith.plan.model import Amendment, ResolutionPlan
from tests.plan.made import asked, package, plan, resolution, target
from tests.values import profile

CATALOG = Catalog.embedded()
CV2 = ["opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python", "opencv-python-headless"]
WINDOWS, ARM, MAC = "windows", "linux-aarch64", "macos"


def amended(given: ResolutionPlan, present: list[str], **requirers: tuple[str, ...]) -> Amendment | None:
    named = {name.replace("_", "-"): askers for name, askers in requirers.items()}
    answer = resolution(*(package(name, "1.0") for name in present), requirers=named)
    return choose_members(given, answer, CATALOG)


@pytest.mark.parametrize(
    ("backend", "present", "kept"),
    [
        ("cu128", ["onnxruntime", "onnxruntime-gpu"], "onnxruntime-gpu"),
        ("cu128", ["onnxruntime"], "onnxruntime-gpu"),
        ("cpu", ["onnxruntime", "onnxruntime-gpu"], "onnxruntime"),
        ("cpu", ["onnxruntime-gpu"], "onnxruntime"),
        ("rocm6.4", ["onnxruntime-gpu", "onnxruntime-directml"], "onnxruntime"),
        ("xpu", ["onnxruntime", "onnxruntime-openvino"], "onnxruntime-openvino"),
        ("cu128", CV2, "opencv-contrib-python"),
        ("cu128", ["opencv-python", "opencv-contrib-python-headless"], "opencv-contrib-python-headless"),
        ("cpu", ["faiss-cpu", "faiss-gpu"], "faiss-cpu"),
        ("cu128", ["faiss-cpu", "faiss-gpu-cu12"], "faiss-gpu-cu12"),
        ("cpu", ["tensorflow", "tensorflow-cpu"], "tensorflow-cpu"),
        ("cu128", ["tensorflow", "tensorflow-cpu"], "tensorflow"),
    ],
)
def test_the_member_that_fits_the_backend_stays(backend: str, present: list[str], kept: str) -> None:
    found = amended(plan(where=target(backend)), present)
    assert found
    gone = [name for name in present if name != kept]
    assert sorted(found.excludes) == sorted(gone)
    # It is asked for in the others' place, for they may have been the only ones anybody required.
    assert [item.name for item in found.requirements] == [kept]
    assert found.added == (() if kept in present else (kept,))
    assert [decision.code for decision in found.decisions] == ["RES111"] * len(gone)


@pytest.mark.parametrize(
    ("platform", "present", "kept"),
    [
        (ARM, ["onnxruntime", "onnxruntime-gpu"], "onnxruntime"),
        (WINDOWS, ["onnxruntime", "onnxruntime-gpu"], "onnxruntime-gpu"),
        ("manylinux_2_34_aarch64", ["onnxruntime", "onnxruntime-gpu"], "onnxruntime-gpu"),
        (WINDOWS, ["faiss-cpu", "faiss-gpu"], "faiss-cpu"),
    ],
)
def test_a_member_without_builds_for_the_platform_does_not_come(
    platform: str, present: list[str], kept: str
) -> None:
    found = amended(plan(where=target("cu128", platform)), present)
    assert found
    assert [item.name for item in found.requirements] == [kept]


def test_it_is_said_where_the_fitting_member_has_no_builds() -> None:
    answer = resolution(package("onnxruntime", "1.0"))
    given = plan(where=target("cu128", ARM))
    assert choose_members(given, answer, CATALOG) is None
    (told,) = notice(given, answer, CATALOG)
    assert (told.code, told.subject) == ("RES116", "onnxruntime-gpu")
    assert told.message == "onnxruntime-gpu has no builds for manylinux_2_28_aarch64: onnxruntime is locked"
    assert notice(plan(), resolution(package("onnxruntime-gpu", "1.0")), CATALOG) == ()
    assert notice(given, resolution(), CATALOG) == ()


def test_what_is_asked_for_directly_stays_where_all_serve_alike() -> None:
    found = amended(
        plan("opencv-python-headless"), ["opencv-python", "opencv-python-headless"], opencv_python=("a", "b")
    )
    assert found
    assert found.excludes == ("opencv-python",)
    assert found.requirements == ()
    assert "opencv-python-headless is required directly" in found.decisions[0].message


def test_else_the_one_most_packages_require() -> None:
    both = ["opencv-python", "opencv-python-headless"]
    found = amended(plan(), both, opencv_python=("a",), opencv_python_headless=("b", "c"))
    assert found
    assert found.excludes == ("opencv-python",)


def test_the_modules_that_another_needs_come_with_it() -> None:
    both = ["opencv-contrib-python", "opencv-python-headless"]
    found = amended(plan("opencv-python-headless"), both, opencv_contrib_python=("mediapipe",))
    assert found
    assert found.excludes == tuple(both)
    assert found.added == ("opencv-contrib-python-headless",)
    assert [item.name for item in found.requirements] == ["opencv-contrib-python-headless"]


@pytest.mark.parametrize("present", [["onnxruntime"], ["onnxruntime", "onnxruntime-gpu"]])
def test_the_profile_has_the_first_word(present: list[str]) -> None:
    given = replace(plan(where=target("cu128")), members={"onnxruntime": "onnxruntime"})
    found = amended(given, present)
    assert (found.excludes if found else ()) == tuple(present[1:])


def test_a_choice_without_builds_is_passed_over_and_said() -> None:
    given = replace(plan(where=target("cpu", MAC)), members={"onnxruntime": "onnxruntime-gpu"})
    answer = resolution(package("onnxruntime", "1.0"))
    assert choose_members(given, answer, CATALOG) is None
    assert [item.subject for item in notice(given, answer, CATALOG)] == ["onnxruntime-gpu"]


def test_torch_names_the_triton_and_the_nccl_that_stay() -> None:
    rocm = ["triton", "triton-rocm"]
    found = amended(plan(where=target("rocm6.4")), rocm, triton=("flash",), triton_rocm=("torch",))
    assert found
    assert found.excludes == ("triton",)
    libraries = ["nvidia-nccl-cu12", "nvidia-nccl-cu13"]
    found = amended(plan(), libraries, nvidia_nccl_cu12=("torch",), nvidia_nccl_cu13=("xgboost",))
    assert found
    assert found.excludes == ("nvidia-nccl-cu13",)
    assert "(required by xgboost)" in found.decisions[0].message
    assert amended(plan(), libraries) is None, "without torch nobody knows: the lock is refused later"


def test_libraries_of_two_cuda_versions_cannot_stand_in_for_each_other() -> None:
    assert amended(plan(), ["nvidia-cudnn-cu12", "nvidia-cudnn-cu13"]) is None


@pytest.mark.parametrize(
    "present", [[], ["onnxruntime-gpu"], ["opencv-python", "onnxruntime-gpu", "faiss-cpu"]]
)
def test_nothing_to_do(present: list[str]) -> None:
    assert amended(plan(), present) is None


def test_the_decision_names_who_asked_why_and_the_way_back() -> None:
    found = amended(plan("onnxruntime"), ["onnxruntime"], onnxruntime=("chromadb",))
    assert found
    (told,) = found.decisions
    assert told.message == (
        "onnxruntime (required by requirements.in:1, chromadb) → onnxruntime-gpu: both own the folder onnxruntime;"
        " onnxruntime-gpu supports CUDA 12.8"
    )
    assert 'to keep onnxruntime, set family.onnxruntime = "onnxruntime" in the profile' in told.evidence


def bounds(given: ResolutionPlan, present: list[str], *requirers: str) -> list[str]:
    step = amended(given, present)
    assert step
    found = with_bounds(step, given, [UnmetRequirement.parse(text) for text in requirers], CATALOG)
    return [f"{item.requirement} ({item.origin})" for item in found.constraints]


ONNX = ["onnxruntime", "onnxruntime-gpu"]


def test_bounds_of_the_one_that_goes_hold_for_the_one_that_stays() -> None:
    assert bounds(plan("onnxruntime<1.25"), ONNX, "chromadb: onnxruntime>=1.14.1", "x: onnxruntime") == [
        "onnxruntime-gpu<1.25 (requirements.in:1: onnxruntime<1.25)",
        "onnxruntime-gpu>=1.14.1 (chromadb: onnxruntime>=1.14.1)",
    ]


def test_a_pin_of_the_one_that_stays_outranks_what_others_ask_of_the_one_that_goes() -> None:
    given = plan("onnxruntime-gpu==1.23.0", "onnxruntime==1.23.1")
    assert bounds(given, ONNX, "chromadb: onnxruntime>=1.14.1", "y: onnxruntime>=1.24") == [
        "onnxruntime-gpu>=1.14.1 (chromadb: onnxruntime>=1.14.1)"
    ]


def test_an_override_rules_what_metadata_asks() -> None:
    given = replace(plan(), overrides=asked("onnxruntime<1.22", origin="profile"))
    assert bounds(given, ONNX, "chromadb: onnxruntime>=1.24") == [
        "onnxruntime-gpu<1.22 (profile:1: onnxruntime<1.22)"
    ]


def test_versions_that_mean_something_else_are_not_carried_over() -> None:
    where = target("cpu")
    assert bounds(plan("tensorflow<2.20", where=where), ["tensorflow", "tensorflow-cpu"]) == []


def test_a_member_that_nobody_asked_for_is_taken_back() -> None:
    answer = resolution(package("onnxruntime", "1.0"))
    given = plan("onnxruntime")
    step = choose_members(given, answer, CATALOG)
    assert step
    back = without_last_added(given.amended(step).amended(Amendment(decisions=())))
    assert back
    assert back.all_excludes() == ()
    assert [item.code for item in back.all_decisions()] == ["RES116"]
    assert choose_members(back, answer, CATALOG) is None, "it is not tried twice"
    assert without_last_added(given) is None


def test_the_profiles_words_for_a_family() -> None:
    found = chosen_members(
        profile(family={"torchvision": "keep", "opencv": "OpenCV_Python", "faiss": "faiss-cpu"}), CATALOG
    )
    assert found == {"cv2": "opencv-python", "faiss": "faiss-cpu"}
    assert chosen_members(profile(family={"cv2": "opencv-python"}), CATALOG) == {
        "cv2": canonicalize_name("opencv-python")
    }


@pytest.mark.parametrize(
    ("key", "value", "code", "said"),
    [
        ("opencvv", "opencv-python", "PRF050", "did you mean opencv?"),
        ("opencv", "pillow", "PRF051", "its members are opencv-contrib-python"),
        ("triton", "triton", "PRF051", "the package that requires one of them decides"),
    ],
)
def test_unknown_families_and_members_are_refused(key: str, value: str, code: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        chosen_members(profile(family={key: value}), CATALOG)
    assert caught.value.code == code
    assert said in (caught.value.hint or "")
    assert "family" in (caught.value.where or "")
