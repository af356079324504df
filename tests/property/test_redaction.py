"""No message repeats the credentials of a URL, wherever it comes from."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.config.requirement import read_requirement
from envsmith.config.requirements.requirements_parser import parse_requirements
from envsmith.errors import EnvsmithError, redact
from envsmith.model.finding import Decision, Finding
from tests.commands import Project

SECRET = "s3cr3t"  # noqa: S105 - the word that is looked for
PASSWORDS = st.text(string.ascii_letters + string.digits + "!$&'()*+,;=:%._~-/?#@\"", max_size=30)
HOSTS = st.sampled_from(
    ["h.example", "h.example:8080", "[::1]:80", "download.pytorch.org/whl/cu128", "localhost"]
)
SCHEMES = st.sampled_from(["https://", "http://", "git+https://", "ftp://", "HTTPS://"])
AROUND = st.sampled_from(
    [
        *("{}", "{!r}", "torch @ {}", "torch@{}", "<{}>", "see {}, then"),
        *("--index-url {}", "--extra-index-url={}", "-f {}", "-r {}", "-e {}", "-c {}"),
    ]
)


@st.composite
def urls(draw: st.DrawFn) -> str:
    scheme, host = draw(SCHEMES), draw(HOSTS)
    where = draw(st.sampled_from(["password", "user", "query", "fragment", "both"]))
    if where in ("password", "user", "both"):
        user = (
            SECRET if where == "user" else f"u:{draw(PASSWORDS.filter(lambda text: '/' not in text))}{SECRET}"
        )
        user = user.replace("?", "").replace("#", "")
        return f"{scheme}{user}@{host}/simple" + (f"?token={SECRET}" if where == "both" else "")
    mark = "?" if where == "query" else "#"
    return f"{scheme}{host}/simple{mark}token={SECRET}"


@given(url=urls(), around=AROUND)
def test_every_text_is_redacted(url: str, around: str) -> None:
    text = around.format(url)
    assert SECRET not in redact(text)
    error = EnvsmithError("X", text, where=text, hint=text, details=(("at", text),)).at(text)
    finding = Finding(code="X", severity="error", subject=text, message=text, hint=text)
    decision = Decision(subject=text, kind="noted", message=text, evidence=(text,))
    assert SECRET not in f"{error} {error.args} {error.to_json()} {finding} {decision}"
    assert redact(redact(text)) == redact(text)


@given(url=urls(), around=AROUND)
def test_no_requirement_line_is_repeated_with_its_credentials(url: str, around: str) -> None:
    text = around.format(url)
    said = []
    for parse in (read_requirement, lambda line: parse_requirements(line, "requirements.txt")):
        try:
            found = parse(text)
            said.append(str(getattr(found, "notes", "")))
        except EnvsmithError as error:
            said.append(f"{error} {error.to_json()}")
    assert SECRET not in " ".join(said)


@pytest.mark.parametrize(
    "text",
    [
        f"--index-url '//user:{SECRET}@h.example/simple'",
        f"//{SECRET}@h.example/simple",
        f"https:/user:{SECRET}@h.example/simple",
        f"https://a.example=http://user:{SECRET}@h.example/simple",
        f"pkg @ git+https://user:p@ss/{SECRET}@h.example/a/b@main",
    ],
)
def test_malformed_addresses(text: str) -> None:
    assert SECRET not in redact(text)
    assert redact(redact(text)) == redact(text)


def test_the_host_of_an_address_with_a_revision_is_kept() -> None:
    assert redact(f"git+https://u:{SECRET}@h.example/a/b@main") == "git+https://h.example/a/b@main"


@pytest.mark.parametrize("cut", [10, 20, 30, 117])
def test_a_cut_url(cut: int) -> None:
    text = f"https://user:{'x' * 8}{SECRET * 40}@h.example/simple"[: cut + 8]
    assert "s3c" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://download.pytorch.org/whl/torch-2.8.0%2Bcu128-cp312-cp312-linux_x86_64.whl#sha256=ab12",
        "see https://docs.example/a/b, then `envsmith lock`",
        "pkg@1.0, user@host, a: b, 12:30",
        "git+https://github.com/a/b@v1.2",
        "http://[::1]:8080/simple",
    ],
)
def test_other_text_is_kept(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "line",
    [
        f"pkg @ https://u:{SECRET}@h.example/pkg.whl",
        f"-e git+https://u:{SECRET}@h.example/pkg",
        f"-r https://u:{SECRET}@h.example/other.txt",
        f"--index-url https://u:{SECRET}@h.example/simple",
        f"--extra-index-url https://u:{SECRET}@download.pytorch.org/whl/cpu",
        f"--find-links https://h.example/simple?token={SECRET}",
    ],
)
def test_lock_does_not_repeat_them(line: str, tmp_path: Path) -> None:
    project = Project(root=tmp_path)
    (tmp_path / "requirements.txt").write_text(f"torch\n{line}\n", "utf-8")
    for words in ([], ["-v"], ["--json"]):
        ran = project.run(
            "lock", "cpu", "-r", "requirements.txt", "--offline", "--catalog", "embedded", *words
        )
        assert SECRET not in ran.out + ran.err
    assert all(SECRET not in path.read_text("utf-8") for path in tmp_path.glob("lockfiles/*/*"))
