from __future__ import annotations

from envsmith.host.linux import GpuAccess
from envsmith.host.model import Host
from envsmith.model.finding import Finding
from envsmith.report.model import LockState, Summary
from envsmith.report.output import markdown
from envsmith.report.redaction import Redaction

HOST = Host(os="linux", machine="x86_64", release=(2, 36), libc="glibc")


def test_a_machine_with_nothing_on_it() -> None:
    text = markdown(Summary(envsmith="0.1.0", host=HOST, gpu_access=GpuAccess()), Redaction())
    assert "| environment | none found |" in text
    assert "| lock | none found |" in text
    assert "**0 findings** of 0 checks" in text
    assert "<details>" not in text


def test_no_text_breaks_the_table_or_brings_markup() -> None:
    finding = Finding(code="ENV064", severity="error", subject="a", message="a|b\n<script>", hint="x | y")
    summary = Summary(
        envsmith="0.1.0",
        host=HOST,
        gpu_access=GpuAccess(),
        variables={"PYTHONPATH": "a|`b`\nc", "CUDA_VISIBLE_DEVICES": ""},
        lock=LockState(profile="a|b", drift=("one", "two")),
        findings=(finding,),
    )
    lines = markdown(summary, Redaction()).splitlines()
    assert "| `PYTHONPATH` | `a\\|'b' c` |" in lines
    assert "| `CUDA_VISIBLE_DEVICES` | set, empty |" in lines
    assert "- error ENV064: a\\|b &lt;script>" in lines
    assert "| lock compared with profile | one; two |" in lines
