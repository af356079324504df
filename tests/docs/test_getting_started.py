"""Every command of the page "Get started" is run in its order, and prints what the page shows.

PyTorch's server is not asked: an index on this machine stands in for it (`ENVSMITH_PYTORCH_INDEX`, and
`ENVSMITH_REWRITE` for the addresses in the lock). It offers small wheels named torch, in a version that does not
exist, which require what the real one requires. Everything else is real and comes from PyPI: envsmith's own
requirements, numpy and whatever torch requires. Figures on the page are of the real torch; here they are masked.

Of the blocks for Windows, those for cmd run in Wine, and those for PowerShell are only parsed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from envsmith.activate.model import Activation
from envsmith.activate.scripts import environment_files
from envsmith.catalog import Catalog
from envsmith.config.profile_reader import parse
from envsmith.host.current import this_platform, this_python
from envsmith.model.backend import Backend
from envsmith.model.target import Target
from envsmith.templates import read_template
from envsmith.uv.command import find_uv
from tests.built import ROOT, run
from tests.install.made import made_torch
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata
from tests.shells.drivers import wanted
from tests.shells.wine import windows, wine_started

PAGE = (ROOT / "docs/guide/getting-started.md").read_text("utf-8")
CPU = Backend.parse("cpu")
PROFILE = parse((ROOT / "profiles/cpu-minimal.toml").read_text("utf-8"), "cpu-minimal.toml", "cpu-minimal")
STAND_IN = "2.13.99"
PYTORCH = "https://download.pytorch.org/whl"
LIMIT_S = 900


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of code of the page, and the line before it."""

    language: str
    text: str
    before: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command, and the output that the page shows; empty where it shows none."""

    command: str
    output: str


def blocks(language: str) -> list[Block]:
    found = re.findall(r"([^\n]*)\n+```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [
        Block(before=before, language=name, text=text) for before, name, text in found if name == language
    ]


def steps(language: str, prompt: str = "$ ") -> list[Step]:
    """Return the commands of all blocks in one language, in their order."""
    found = []
    for block in blocks(language):
        assert block.text.startswith(prompt), "a block begins with a command"
        for part in re.split(rf"^{re.escape(prompt)}", block.text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Step(command=command.partition("  #")[0], output=output))
    return found


MASKS = (
    (r"\b2\.13\.\d+", "V"),
    (r"\d[\d,.]* (?:bytes|kB|MB|GB)\b", "SIZE"),
    (r"\d[\d,]*(?:\.\d+)? (s|packages|files)\b", r"N \1"),
    (r"(?<=  )\d+(?=  )", "N"),
    (r"(\.venv → )[0-9a-f]{6}\b", r"\1DIGEST"),
    (r"\d{4}-\d\d-\d\d(?:T[\d:]+Z)?", "DATE"),
    (r"\bcpu-minimal/cp\d+-\w+", "cpu-minimal/TARGET"),
    (r"\d+ of (?=N)", "N of "),
    (r" +", " "),
)


def masked(text: str) -> list[str]:
    """Return the lines of an output without the figures that differ from run to run."""
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return [line.rstrip() for line in text.splitlines()]


def stand_in(target: Target) -> ReplayFile:
    """Return the wheel that stands for torch on a target, named and labelled as PyTorch's are."""
    is_mac = target.platform.os == "macos"
    version = STAND_IN if is_mac else f"{STAND_IN}+cpu"
    listing = Catalog.embedded().listing("stable", CPU)
    assert listing is not None
    (known,) = (item.metadata for item in listing.releases("torch") if item.version == "2.13.0+cpu")
    assert known is not None
    wheel = made_torch(version, requires=known.requires_dist)
    metadata = make_metadata("torch", version, known.requires_dist).encode()
    return ReplayFile(
        index="cpu",
        filename=f"torch-{version}-{target.python.tag}-{target.python.tag}-{target.platform}.whl",
        sha256=wheel.sha256,
        upload_time="2026-11-01T12:00:00Z",
        body=wheel.body,
        metadata=metadata,
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )


@pytest.fixture
def pytorch() -> Iterator[ReplayIndex]:
    with ReplayIndex(stand_in(target) for target in PROFILE.targets()) as replay:
        yield replay


def fresh_machine(folder: Path, pytorch: ReplayIndex) -> dict[str, str]:
    """Make a home, a checkout of envsmith and a PATH with uv and Python alone; return the variables."""
    (folder / "home").mkdir()
    (folder / "bin").mkdir()
    for name, program in (("uv", find_uv()), ("python3", sys.executable)):
        (folder / "bin" / name).symlink_to(program)
    listed = run("git", "ls-files", "-zco", "--exclude-standard", folder=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "lockfiles/", "examples/")):
            (folder / "envsmith" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "envsmith" / name).write_bytes((ROOT / name).read_bytes())
    left_out = ("PYTHON", "VIRTUAL_ENV", "XDG_", "ENVSMITH_", "UV_CACHE", "UV_TOOL", "CONDA_", "LD_LIBRARY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {
        **kept,
        "HOME": str(folder / "home"),
        # What `uv tool update-shell` does for shells that are opened later.
        "PATH": f"{folder}/home/.local/bin:{folder}/bin:/usr/bin:/bin",
        "UV_PYTHON": str(Path(sys.executable).resolve()),
        "UV_PYTHON_DOWNLOADS": "never",
        "ENVSMITH_PYTORCH_INDEX": pytorch.base,
        "ENVSMITH_REWRITE": f"{PYTORCH}={pytorch.base}",
        "ENVSMITH_QUIET": "1",  # what the PATH of this machine has is not part of the page
        "NO_PROXY": "127.0.0.1",
    }


def session(folder: Path, env: dict[str, str], commands: list[Step]) -> Iterator[tuple[Step, int, str, str]]:
    """Run commands in one bash, as people do; yield each with its status and what it printed."""
    said = folder / "said"
    said.mkdir()
    lines = [
        f"{{ {step.command}\n}} >{said}/{number}.out 2>{said}/{number}.err; echo $? >{said}/{number}.status"
        for number, step in enumerate(commands)
    ]
    (folder / "session.sh").write_text("\n".join(lines) + "\n", "utf-8")
    subprocess.run(
        ["bash", "--norc", folder / "session.sh"],
        cwd=folder, env=env, stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    for number, step in enumerate(commands):
        out, err = ((said / f"{number}.{name}").read_text("utf-8") for name in ("out", "err"))
        yield step, int((said / f"{number}.status").read_text()), out, err


@pytest.mark.online
@pytest.mark.skipif(
    f"{this_python().tag}-{this_platform()}" not in {target.slug for target in PROFILE.targets()},
    reason="the page's profile has no target for this machine",
)
def test_every_command_prints_what_the_page_shows(tmp_path: Path, pytorch: ReplayIndex) -> None:
    env = fresh_machine(tmp_path, pytorch)
    (written,) = blocks("text")
    name = re.search(r"`([\w.]+)`", written.before)
    assert name
    commands = steps("console")
    entered = next(number for number, step in enumerate(commands) if step.command.startswith("cd "))
    make = f"cat > {name[1]} <<'END_OF_FILE'\n{written.text}END_OF_FILE"
    commands.insert(entered + 1, Step(command=make, output=""))
    for step, status, out, err in session(tmp_path, env, commands):
        assert status == 0, f"{step.command}: {err}{out}"
        if step.output:
            assert masked(out) == masked(step.output), f"{step.command}: {err}"
    assert pytorch.count() > 0, "the stand-in was asked"


def test_blocks_are_of_known_languages() -> None:
    """A block that no test looks at would be a command that nobody has run."""
    named = re.findall(r"^```(\w+)$", PAGE, re.MULTILINE)
    assert len(named) == PAGE.count("```") / 2 == sum(len(blocks(name)) for name in set(named))
    assert set(named) == {"bat", "console", "powershell", "text"}


def test_commands_inside_sentences_are_among_those_that_are_run() -> None:
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`((?:envsmith|uv|pip|python) [^`]+)`", prose))
    assert named
    assert named <= {step.command for step in steps("console")}


def test_profiles_of_the_table_are_shipped() -> None:
    rows = re.findall(r"^\| [^|]+ \| `([\w-]+)` \|", PAGE, re.MULTILINE)
    assert {*rows} == {path.stem for path in (ROOT / "profiles").glob("*.toml")} & {*rows}
    assert len(rows) >= 5


def scripts() -> dict[str, bytes]:
    """Return the scripts that `install` puts among an environment's programs."""
    return dict(environment_files(Activation(profile="cpu-minimal"), read_template))


def test_cmd_enters_the_environment_and_leaves_it(tmp_path: Path) -> None:
    """In Wine; a batch file stands for python.exe, and shows whose it is."""
    import shutil

    if shutil.which("wine") is None:
        if wanted():
            pytest.fail("wine is not installed")
        pytest.skip("wine is not installed")
    programs = tmp_path / "hello/.venv/Scripts"
    programs.mkdir(parents=True)
    (programs.parent / "pyvenv.cfg").write_text("")
    for name, content in scripts().items():
        (programs / name).write_bytes(content)
    (programs / "python.bat").write_bytes(b"@echo python of %VIRTUAL_ENV%\r\n")
    # A batch file runs another one by `call`; at the prompt, where people type, it is not needed.
    lines = [f"call {step.command}" for step in steps("bat", "> ")]
    assert len(lines) == 3
    (tmp_path / "steps.bat").write_bytes(
        "\r\n".join(["@echo off", *lines, "echo left %VIRTUAL_ENV%", ""]).encode()
    )
    with wine_started(tmp_path / "wine") as env:
        words = ["wine", "cmd", "/c", windows(str(tmp_path / "steps.bat"))]
        done = subprocess.run(
            words, cwd=tmp_path / "hello", env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
            check=False,
        )  # fmt: skip
    said = done.stdout.decode("utf-8", "replace").split("\r\n")
    assert f"python of {windows(str(programs.parent))}" in said, said
    assert "left " in said, "deactivate has taken the variable out"


def test_powershell_lines_are_powershell_and_name_what_is_there() -> None:
    """PowerShell is not executed here."""
    lines = [step.command for step in steps("powershell", "> ")]
    language = tree_sitter.Language(tree_sitter_powershell.language())
    root = tree_sitter.Parser(language).parse("\n".join(lines).encode()).root_node
    assert not root.has_error
    assert lines[0] == r". .venv\Scripts\activate.ps1"
    assert "activate.ps1" in scripts()


def test_commands_for_windows_are_those_for_linux() -> None:
    """Nothing on the page but entering the environment depends on the shell: no pipe, variable, path or list of one."""
    for step in steps("console"):
        if not step.command.startswith("source "):
            unquoted = re.sub(r'"[^"]*"', "", step.command)
            assert not re.search(r"[|&;$`\\<>~*']", unquoted), step.command
            assert shlex.split(step.command)
    python = [step.command for step in steps("console") if step.command.startswith("python ")]
    for name in ("bat", "powershell"):
        assert [step.command for step in steps(name, "> ")][1:] == [*python, "deactivate"]
