from __future__ import annotations

from envsmith.model.job import Job
from tests.locks import LINUX, WINDOWS, kept


def test_a_job_says_what_a_step_needs() -> None:
    job = Job(lock=kept(f"cu128/{LINUX}"), path=f"lockfiles/cu128/requirements.{LINUX}.txt", runner=("gpu",))
    values = job.to_json()
    assert values["name"] == f"cu128/{LINUX}"
    assert (values["python"], values["backend"], values["gpu"]) == ("3.12", "cu128", True)
    assert values["machine"] == "linux-x86_64"
    assert values["lock"] == job.path
    assert values["download_bytes"] is None


def test_cache_keys() -> None:
    def key(name: str, *pins: str) -> str:
        return Job(lock=kept(name, *pins, backend="cpu"), path="").cache_key

    assert key(f"a/{LINUX}", "torch==2") == key(f"b/{LINUX}", "torch==2")
    assert key(f"a/{LINUX}", "torch==2").startswith(f"envsmith-{LINUX}-")
    assert (
        len({key(f"a/{LINUX}", "torch==2"), key(f"a/{LINUX}", "torch==3"), key(f"a/{WINDOWS}", "torch==2")})
        == 3
    )
