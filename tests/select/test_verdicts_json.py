from packaging.version import Version

from envsmith.model.backend import Backend
from envsmith.select.verdicts import NO, WORKS, BackendVerdict

CU132 = Backend.parse("cu132")


def test_a_verdict_has_a_title_and_plain_values() -> None:
    found = BackendVerdict(
        backend=CU132, status=WORKS, torch=Version("2.15.0"), index="pypi", reason="kernels for sm_90"
    )
    assert found.works
    assert found.title == "cu132 · torch 2.15.0, from PyPI"
    assert found.to_json() == {
        "backend": "cu132",
        "status": "works",
        "torch": "2.15.0",
        "index": "pypi",
        "cause": "",
        "reason": "kernels for sm_90",
        "notes": [],
        "gpus": 0,
    }


def test_one_without_torch_is_titled_by_its_backend() -> None:
    found = BackendVerdict(
        backend=CU132, status=NO, cause="driver", reason="needs driver ≥ 580", notes=("a",)
    )
    assert not found.works
    assert found.title == "cu132"
    assert found.to_json()["torch"] is None
    assert found.to_json()["notes"] == ["a"]
