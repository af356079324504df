from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.verify.probe_rules import ProbeResult
from envsmith.verify.probe_runner import ProbeOutcome, ProbeRunner, ProbeTools, probe_libraries
from tests.environment.test_lock_comparison import distribution, environment

CUDA = Backend.parse("cu130")


@dataclass
class FakeTries:
    """Answers as it is told, and keeps what was asked."""

    answers: dict[str, ProbeResult] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, prefix: Path, name: str, words: Sequence[str]) -> ProbeResult:
        self.asked.append((str(prefix), name, *words))
        return self.answers.get(name, ProbeResult(name=name))


def tried(tries: FakeTries, *words: str, has_gpu: bool = False) -> ProbeOutcome:
    tools = ProbeTools(
        runner=cast("ProbeRunner", tries), catalog=Catalog.embedded(), has_gpu=lambda _: has_gpu
    )
    here = environment(distribution("torch", "2.13.0+cu130"), distribution("onnxruntime-gpu", "1.26.0"))
    return probe_libraries(words, Path("env"), here, CUDA, tools)


def test_each_is_tried_once_with_what_it_is_to_be_told() -> None:
    tries = FakeTries()
    done = tried(tries, "all")
    assert tries.asked == [
        ("env", "torch"),
        ("env", "gpu"),
        ("env", "onnxruntime", "CUDAExecutionProvider", "CPUExecutionProvider"),
    ]
    assert [item.name for item in done.results] == ["torch", "gpu", "onnxruntime"]


def test_what_is_not_installed_is_told_and_not_tried() -> None:
    tries = FakeTries()
    done = tried(tries, "jax")
    assert (tries.asked, [item.code for item in done.findings]) == ([], ["ENV090"])


def test_a_gpu_that_is_not_seen_is_an_error_only_where_one_is_or_was_asked_for() -> None:
    tries = FakeTries({"gpu": ProbeResult(name="gpu", facts={"kind": "", "why": "no driver"})})

    def severity(*words: str, has_gpu: bool) -> list[str]:
        return [
            item.severity for item in tried(tries, *words, has_gpu=has_gpu).findings if item.subject == "gpu"
        ]

    assert severity("all", has_gpu=False) == ["warning"]
    assert severity("all", has_gpu=True) == ["error"]
    assert severity("gpu", has_gpu=False) == ["error"]


def test_a_known_failure_is_explained() -> None:
    said = "ImportError: /lib/libc.so.6: version `GLIBC_2.28' not found (required by libtorch.so)"
    tries = FakeTries({"torch": ProbeResult(name="torch", error="ImportError: see above", said=said)})
    assert [item.code for item in tried(tries, "torch").findings] == ["ENV091", "HST050"]
