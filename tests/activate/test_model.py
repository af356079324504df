from envsmith.activate.model import Activation, Session
from envsmith.model.backend import Backend


def test_the_toolkit_is_that_of_the_backend() -> None:
    known = {
        text: Activation.of("app", Backend.parse(text), env={}).cuda_major
        for text in ("cu118", "cu128", "cu130", "cu92", "cpu", "rocm7.2", "xpu")
    }
    assert known == {
        "cu118": 11, "cu128": 12, "cu130": 13, "cu92": 9, "cpu": None, "rocm7.2": None, "xpu": None
    }  # fmt: skip


def test_a_session_sets_and_unsets() -> None:
    changes = Session(values={"A": "new", "B": "b"}, unset=("C", "D"))
    assert changes.over({"A": "old", "C": "c", "E": "e"}) == {"A": "new", "B": "b", "E": "e"}
