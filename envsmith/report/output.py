"""Reports as Markdown for an issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from envsmith.console.printer import counted
from envsmith.doctor.checks import by_reason
from envsmith.host.model import Host
from envsmith.model.finding import SEVERITIES, Finding
from envsmith.report.model import Summary
from envsmith.report.redaction import Redaction

_GIB = 1024**3
# Characters that would end a table cell, open a tag or end a code span.
_ESCAPES = str.maketrans({"|": "\\|", "<": "&lt;", "\r": " ", "\n": " "})
_CODE_ESCAPES = str.maketrans({"`": "'", "\r": " ", "\n": " "})


def markdown(summary: Summary, redaction: Redaction) -> str:
    """Return the redacted report."""
    parts = (
        "### envsmith report\n",
        *_table(summary),
        *_findings(summary),
        *_decisions(summary),
        *_packages(summary),
    )
    return redaction.text("\n".join(parts)).rstrip() + "\n"


def _table(summary: Summary) -> Iterator[str]:
    yield "| | |\n|---|---|"
    for name, value in _rows(summary):
        if value:
            yield f"| {name} | {value.translate(_ESCAPES)} |"
    yield ""


def _rows(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "envsmith", summary.envsmith
    yield (
        "system",
        summary.host.system
        + (f", in {summary.gpu_access.container}" if summary.gpu_access.container else ""),
    )
    yield "GPUs", ", ".join(_devices(summary.host)) or "none found"
    yield "drivers", ", ".join(_drivers(summary.host))
    yield "device files", ", ".join(summary.gpu_access.device_files)
    yield "no permission for", ", ".join(summary.gpu_access.unusable_files)
    versions = (summary.gpu_access.kernel_module, summary.gpu_access.library_version)
    yield "NVIDIA's module, libraries", ", ".join(filter(None, versions))
    if summary.visual_cpp:
        yield "Microsoft's C++ library", ".".join(map(str, summary.visual_cpp.version or ())) or "not found"
    tools = summary.libraries
    yield "FFmpeg's libraries", ", ".join(tools.ffmpeg) or "none found"
    if summary.host.os == "linux":
        yield "OpenGL's library", "found" if tools.has_libgl else "not found"
    yield "CUDA toolkits", ", ".join(tools.toolkits) or "none found"
    yield from _environment_rows(summary)
    yield from _lock_rows(summary)
    for name, value in summary.shown_variables().items():
        yield f"`{name}`", f"`{value.translate(_CODE_ESCAPES)}`" if value else "set, empty"


def _devices(host: Host) -> Iterator[str]:
    for item in host.devices:
        yield str(item) + (f", {item.memory_bytes / _GIB:.0f} GiB" if item.memory_bytes else "")


def _drivers(host: Host) -> Iterator[str]:
    for item in host.drivers:
        serves = f", up to CUDA {item.cuda[0]}.{item.cuda[1]}" if item.cuda else ""
        yield f"{item.maker} {item.version or '(unknown version)'}{serves}"


def _environment_rows(summary: Summary) -> Iterator[tuple[str, str]]:
    found = summary.environment
    if found is None:
        yield "environment", "none found"
        return
    interpreter = found.interpreter
    thread = ", free-threaded" if interpreter.is_free_threaded else ""
    yield (
        "Python",
        f"{interpreter.version} ({interpreter.implementation}, {interpreter.bits} bits{thread}), of {interpreter.base}",
    )
    yield "environment", f"{found.prefix}: {counted(len(found.distributions), 'package')}"
    if found.torch:
        toolkits = " · ".join(f"{name} {value}" for name, value in _toolkits(summary).items() if value)
        yield (
            "torch",
            f"{found.torch.version}" + (f", built for {toolkits}" if toolkits else ", built for no GPU"),
        )
    yield "torch family", ", ".join(f"{name} {version}" for name, version in summary.family().items())
    kinds = summary.installed_state.origins
    yield "not from an index", ", ".join(f"{name} ({kinds[name].kind})" for name in sorted(kinds))


def _toolkits(summary: Summary) -> Mapping[str, str]:
    torch = summary.environment.torch if summary.environment else None
    return {"CUDA": torch.cuda, "ROCm": torch.hip, "XPU": torch.xpu} if torch else {}


def _lock_rows(summary: Summary) -> Iterator[tuple[str, str]]:
    lock = summary.lock
    if lock is None:
        yield "lock", "none found"
        return
    where = (
        f"{lock.profile}/{lock.target}" if lock.target else f"{lock.profile}, not locked for this interpreter"
    )
    yield (
        "lock",
        f"{where} · as of {lock.cutoff_utc}" + (f" · catalog {lock.catalog}" if lock.catalog else ""),
    )
    yield "plan", lock.plan
    yield "locked torch family", ", ".join(f"{name} {version}" for name, version in lock.family.items())
    yield "locked targets", ", ".join(lock.targets)
    yield "lock compared with profile", "; ".join(lock.drift) or "fresh"


def _findings(summary: Summary) -> Iterator[str]:
    yield f"**{counted(len(summary.findings), 'finding')}** of {counted(summary.checks, 'check')}\n"
    lines = list(_finding_lines(summary))
    if lines:
        yield from (*lines, "")


def _finding_lines(summary: Summary) -> Iterator[str]:
    for item in sorted(summary.findings, key=lambda item: SEVERITIES.index(item.severity)):
        yield from _finding(item)
    for names, reason in by_reason(summary.skipped):
        yield f"- skipped: {names}: {reason.translate(_ESCAPES)}"


def _finding(item: Finding) -> Iterator[str]:
    yield f"- {item.severity} {item.code}: {item.message.translate(_ESCAPES)}"
    if item.hint:
        yield f"  - fix: {item.hint.translate(_ESCAPES)}"


def _decisions(summary: Summary) -> Iterator[str]:
    interpreter = summary.lock.decisions if summary.lock else ()
    if interpreter:
        yield from _folded(
            f"{counted(len(interpreter), 'decision')} of the lock",
            [f"- {item.kind}: {item.message.translate(_ESCAPES)}" for item in interpreter],
        )


def _packages(summary: Summary) -> Iterator[str]:
    names = summary.packages()
    if names:
        yield from _folded(counted(len(names), "package"), ["```", *names, "```"])


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"<details><summary>{title}</summary>\n"
    yield from lines
    yield "\n</details>\n"
