from __future__ import annotations

from envsmith.cli.report_render import markdown
from envsmith.model.host import Host
from envsmith.model.redaction import Redaction
from envsmith.model.report import Finding
from envsmith.model.summary import LockState, Summary
from envsmith.model.surroundings import Given

HOST = Host(os="linux", machine="x86_64", release=(2, 36), libc="glibc")


def test_a_machine_with_nothing_on_it() -> None:
    text = markdown(Summary(envsmith="0.1.0", host=HOST, given=Given()), Redaction())
    assert "| environment | none found |" in text
    assert "| lock | none found |" in text
    assert "**0 findings** of 0 checks" in text
    assert "<details>" not in text


def test_no_text_breaks_the_table_or_brings_markup() -> None:
    finding = Finding(code="ENV064", severity="error", subject="a", message="a|b\n<script>", hint="x | y")
    summary = Summary(
        envsmith="0.1.0",
        host=HOST,
        given=Given(),
        variables={"PYTHONPATH": "a|`b`\nc", "CUDA_VISIBLE_DEVICES": ""},
        lock=LockState(profile="a|b", stale=("one", "two")),
        findings=(finding,),
    )
    lines = markdown(summary, Redaction()).splitlines()
    assert "| `PYTHONPATH` | `a\\|'b' c` |" in lines
    assert "| `CUDA_VISIBLE_DEVICES` | set, and empty |" in lines
    assert "- error ENV064: a\\|b &lt;script>" in lines
    assert "| lock against profile | one; two |" in lines
