from __future__ import annotations

from dataclasses import replace

from envsmith.ci.job import Footprint, Job
from tests.locks import LINUX, WINDOWS, kept


def test_a_job_says_what_a_step_needs() -> None:
    job = Job(lock=kept(f"cu128/{LINUX}"), path=f"lockfiles/cu128/requirements.{LINUX}.txt", runner=("gpu",))
    values = job.to_json()
    assert values["name"] == f"cu128/{LINUX}"
    assert (values["python"], values["backend"], values["gpu"]) == ("3.12", "cu128", True)
    assert values["machine"] == "linux-x86_64"
    assert values["lock"] == job.path
    assert (values["download_bytes"], values["disk_bytes"], values["disk_unknown"]) == (None, None, None)
    known = replace(job, disk=Footprint(known_bytes=7, unknown=("a", "torch"))).to_json()
    assert (known["disk_bytes"], known["disk_unknown"]) == (7, "a torch")


def test_cache_keys() -> None:
    def key(name: str, *pins: str) -> str:
        return Job(lock=kept(name, *pins, backend="cpu"), path="").cache_key

    assert key(f"a/{LINUX}", "torch==2") == key(f"b/{LINUX}", "torch==2")
    assert key(f"a/{LINUX}", "torch==2").startswith(f"envsmith-{LINUX}-")
    assert (
        len({key(f"a/{LINUX}", "torch==2"), key(f"a/{LINUX}", "torch==3"), key(f"a/{WINDOWS}", "torch==2")})
        == 3
    )


def test_a_cache_key_is_the_same_on_every_system() -> None:
    """Written down, not computed: whoever reads the same lock gets these letters."""
    job = Job(lock=kept(f"a/{LINUX}", "torch==2.11.0+cpu", "numpy==2.0.0", backend="cpu"), path="")
    assert job.cache_key == "envsmith-cp312-manylinux_2_28_x86_64-c4fe021fde354eba"
