"""Situations that a session can be in, and what must hold there; the same for every shell and every activator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.shells.drivers import Driver, Session, plain_environment
from tests.shells.wine import session

LIBRARIES = "LD_LIBRARY_PATH"
OF_PROFILES = {"CUDA_VISIBLE_DEVICES", "GREETING", "PIP_CONSTRAINT", "UV_CONSTRAINT"}
"""Variables that only a profile sets."""
_OURS = re.compile(
    r"PATH|VIRTUAL_ENV|ENVSMITH|CUDA_VISIBLE_DEVICES|GREETING|_CONSTRAINT|CONDA_PREFIX|PYTHONHOME|deactivate|"
    r"^PROMPT|^prompt|^PS1|^path[\t=]|^_envsmith_script\t"
)
"""What may be otherwise inside: nothing else of a shell, neither variables nor functions and options."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project with environments, on disk."""

    root: Path
    """The project."""
    around: Path
    """A folder with other environments and toolkits."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is there before, what is done, and what must be inside and after."""

    name: str
    path: str = "{A}:{B}"
    inside: str = "{bin}:{A}:{B}"
    env: Mapping[str, str] = field(default_factory=dict)
    env_inside: Mapping[str, str | None] = field(default_factory=dict)
    meanwhile: tuple[tuple[str, ...], ...] = ()
    """Steps while active; ``PATH`` in them is what it is then."""
    after: str = ""
    """PATH after deactivation; as before where empty."""
    env_after: Mapping[str, str | None] = field(default_factory=dict)
    project: str = "project"
    """Name of the project's folder."""
    on_windows: str = ""
    """The same, where Windows does not have such names."""
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """shell → options to start it with; where given, others have no such thing."""
    guard: bool = False
    times: int = 1
    """How often it is activated."""
    on_top: bool = False
    """Another script is read in between: that of another profile or, for others, of another environment."""
    nested: bool = False
    """It is activated and left in a shell that is started inside, too."""
    of_profile: bool = False
    """It is about what only a profile has."""
    apart: frozenset[str] = frozenset()
    """Shells that cannot be in it."""


MANY = ":".join(f"/opt/p{number}/bin" for number in range(200))
_NO_LINKER = frozenset({"cmd"})
"""On Windows the linker has no list of its own."""
_HERE = (("prepend", "/mine/first"), ("append", "/mine/last"))

SITUATIONS = (
    Situation(name="nothing to remove"),
    Situation(name="torch/lib of an environment on PATH",
              path="{around}/x/lib/python3.11/site-packages/torch/lib:{A}:{B}"),
    Situation(name="dist-packages on PATH", path="{A}:/usr/lib/python3/dist-packages/torch/bin:{B}"),
    Situation(name="another environment's bin", path="{around}/other/bin:{A}:{B}"),
    Situation(name="conda's bin; condabin stays", path="{A}:{around}/conda/bin:{around}/conda/condabin:{B}",
              inside="{bin}:{A}:{around}/conda/condabin:{B}"),
    Situation(name="duplicate entries", path="{A}:{B}:{A}:{B}"),
    Situation(name="empty entries", path=":{A}::{B}:", apart=frozenset({"fish", "tcsh"})),
    Situation(name="relative entries", path="bin:{A}:./x:../y:{B}:~/z", apart=frozenset({"xonsh"})),
    Situation(name="the environment's own bin already on PATH", path="{A}:{bin}:{B}"),
    Situation(name="nvidia/*/lib on the library path", apart=_NO_LINKER,
              env={LIBRARIES: "{around}/x/site-packages/nvidia/cudnn/lib:/x"}, env_inside={LIBRARIES: "/x"}),
    Situation(name="another environment's lib on the library path", apart=_NO_LINKER,
              env={LIBRARIES: "/x:{around}/other/lib"}, env_inside={LIBRARIES: "/x"}),
    Situation(name="CUDA 11 on the library path of CUDA 12", apart=_NO_LINKER,
              env={LIBRARIES: "/usr/local/cuda-11.8/lib64:/usr/local/cuda-12.4/lib64:/x"},
              env_inside={LIBRARIES: "/usr/local/cuda-12.4/lib64:/x"}),
    Situation(name="CUDA 11 in a folder without a version", apart=_NO_LINKER,
              env={LIBRARIES: "{around}/cuda/lib64:/x"}, env_inside={LIBRARIES: "/x"}),
    Situation(name="a driver's own folder stays", apart=_NO_LINKER,
              env={LIBRARIES: "{around}/driver:/x"}, env_inside={LIBRARIES: "{around}/driver:/x"}),
    Situation(name="library path empty after cleaning", apart=_NO_LINKER,
              env={LIBRARIES: "/usr/local/cuda-11.8/lib64"}, env_inside={LIBRARIES: None}),
    Situation(name="library path of macOS", apart=_NO_LINKER,
              env={"DYLD_LIBRARY_PATH": "/usr/local/cuda-11/lib:/x"}, env_inside={"DYLD_LIBRARY_PATH": "/x"}),
    Situation(name="PYTHONPATH", env={"PYTHONPATH": "/x:/y"}, env_inside={"PYTHONPATH": None}),
    Situation(name="PYTHONHOME", env={"PYTHONHOME": "/x"}, env_inside={"PYTHONHOME": None},
              apart=frozenset({"xonsh"})),
    Situation(name="CONDA_PREFIX", env={"CONDA_PREFIX": "{around}/conda"}, env_inside={"CONDA_PREFIX": None}),
    Situation(name="the profile's variables replace others", of_profile=True, env={"CUDA_VISIBLE_DEVICES": "1",
              "GREETING": "was"},
              env_inside={"CUDA_VISIBLE_DEVICES": "0", "GREETING": "it's $HOME; `x` \"q\""}),
    Situation(name="empty variable", of_profile=True, apart=frozenset({"cmd"}), env={"GREETING": ""},
              env_inside={"CUDA_VISIBLE_DEVICES": "0"}),
    Situation(name="constraints for pip and uv", of_profile=True, guard=True, env={"PIP_CONSTRAINT": "mine.txt"},
              env_inside={"PIP_CONSTRAINT": "{root}/.venv/envsmith-constraints.txt",
                          "UV_CONSTRAINT": "{root}/.venv/envsmith-constraints.txt"}),
    Situation(name="entries added inside stay", path="{around}/other/bin:{A}:{B}", meanwhile=_HERE,
              after="/mine/first:{around}/other/bin:{A}:{B}:/mine/last"),
    Situation(name="an entry removed inside stays removed", path="{A}:{around}/other/bin:{B}:/x/site-packages/y",
              meanwhile=(("set", "PATH", "{bin}:{B}"),), after="{around}/other/bin:{B}:/x/site-packages/y"),
    Situation(name="an entry moved inside stays moved", path="{A}:{around}/other/bin:{B}",
              meanwhile=(("set", "PATH", "{bin}:{B}:{A}"),), after="{around}/other/bin:{B}:{A}"),
    Situation(name="library path changed inside", apart=_NO_LINKER,
              env={LIBRARIES: "/usr/local/cuda-11.8/lib64:/x"},
              env_inside={LIBRARIES: "/x"}, meanwhile=(("set", LIBRARIES, "/new:/x"),),
              env_after={LIBRARIES: "/new:/usr/local/cuda-11.8/lib64:/x"}),
    Situation(name="a variable changed inside stays", meanwhile=(("set", "CUDA_VISIBLE_DEVICES", "3"),),
              env_after={"CUDA_VISIBLE_DEVICES": "3"}),
    Situation(name="PYTHONPATH set inside stays", env={"PYTHONPATH": "/x"}, env_inside={"PYTHONPATH": None},
              meanwhile=(("set", "PYTHONPATH", "/new"),), env_after={"PYTHONPATH": "/new"}),
    Situation(name="activated twice", path="{around}/other/bin:{A}:{B}", times=2),
    Situation(name="another profile on top", path="{around}/other/bin:{A}:{B}", on_top=True,
              env={"GREETING": "was"}, env_inside={"GREETING": "other", "CUDA_VISIBLE_DEVICES": None}),
    Situation(name="in a shell started inside", path="{around}/other/bin:{A}:{B}", nested=True),
    Situation(name="set -u", path="{around}/other/bin:{A}:{B}",
              flags={"bash": ("-u",), "zsh": ("-u",), "dash": ("-u",), "ksh": ("-u",)}),
    Situation(name="set -e", path="{around}/other/bin:{A}:{B}",
              flags={"bash": ("-e",), "zsh": ("-e",), "dash": ("-e",), "ksh": ("-e",), "tcsh": ("-e",)}),
    Situation(name="set -u -e -f -C", path="{around}/other/bin:{A}:{B}",
              flags=dict.fromkeys(("bash", "zsh", "dash", "ksh"), ("-uefC",))),
    Situation(name="zsh options, bash posix mode, cmd delayed expansion", path="{around}/other/bin:{A}:{B}",
              flags={"zsh": ("-o", "ksharrays", "-o", "rcquotes", "-o", "cshjunkiequotes", "-o", "globsubst",
                             "-o", "shwordsplit", "-o", "noglob", "-o", "warncreateglobal"),
                     "bash": ("--posix",), "cmd": ("/V:ON",)}),
    Situation(name="spaces in the path", project="a project with  spaces ", on_windows="a project with  spaces",
              path="{around}/o ther/bin:{A}:{B}"),
    Situation(name="quotes in the path", project="it's \"quoted\" `x`", on_windows="it's `x`"),
    Situation(name="$ ; & ! and globs in the path", project="$HOME $(id);a&b!c*[x]?{{y}}#%\\t",
              on_windows="$HOME (id) a&b#,@", apart=frozenset({"xonsh"})),
    Situation(name="a line break in the path", project="two\nlines", apart=frozenset({"tcsh", "nu", "cmd"})),
    Situation(name="non-Latin letters in the path", project="проект-项目-é", apart=frozenset({"cmd"})),
    Situation(name="200 entries",
              path=f"{{A}}:{MANY}:{{around}}/other/bin:{{B}}", inside=f"{{bin}}:{{A}}:{MANY}:{{B}}"),
    Situation(name="activated over another tool's session",
              env={"VIRTUAL_ENV": "{around}/other", "VIRTUAL_ENV_PROMPT": "x"},
              path="{around}/other/bin:{A}:{B}"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Activator:
    """Makes the scripts of one tool for a project."""

    name: str
    script: Callable[[Place, Driver], Path]
    """Returns where a shell's script is."""
    other: Callable[[Place, Driver], Path]
    """The same of another profile, or environment."""
    other_prefix: str = "{root}/.venv"
    """The environment that is entered by it."""
    has_profile: bool = True
    """Whether it sets the variables of a profile, and the guard."""
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """shell → how its scripts are read and left, where that is its own."""


def check(
    situation: Situation, driver: Driver, activator: Activator, place: Place, folder: Path
) -> list[str]:
    """Bring one shell into a situation, and return what does not hold."""
    folder.mkdir(parents=True, exist_ok=True)
    driver = replace(driver, forms={**driver.forms, **activator.forms.get(driver.name, {})})
    first, other = activator.script(place, driver), activator.other(place, driver)
    if driver.ending == "bat":
        first, other = first.relative_to(place.root), other.relative_to(place.root)
    prefix = activator.other_prefix if situation.on_top else "{root}/.venv"
    words = {"A": "/usr/bin", "B": "/bin", "around": str(place.around), "root": str(place.root)}
    words["prefix"] = prefix.format(**words)
    words["bin"] = f"{words['prefix']}/{driver.programs}"

    def fill(text: str) -> str:
        return driver.fill(text, words)

    env = {name: fill(value) for name, value in situation.env.items()}
    steps = session(driver, folder, plain_environment(PATH=fill(situation.path), **env), place.root)
    steps.look("before")
    if situation.on_top:
        steps.do("activate", driver.path(str(first)))
    _there_and_back(situation, steps, driver.path(str(other if situation.on_top else first)), fill)
    steps.run(*situation.flags.get(driver.name, ()))
    wrong = [*_inside(situation, steps, fill, activator), *_after(situation, steps, fill)]
    if not situation.meanwhile and steps.state("before") != steps.state("after"):
        changed = set(steps.state("before")) ^ set(steps.state("after"))
        wrong.append(f"the shell's own state: {sorted(changed)[:6]}")
    return wrong


def _there_and_back(situation: Situation, steps: Session, script: str, fill: Callable[[str], str]) -> None:
    """Add the steps from before activating to after leaving."""
    for _ in range(situation.times):
        steps.do("activate", script)
    if situation.nested:
        inner = session(steps.driver, steps.folder, {}, steps.folder)
        inner.do("activate", script)
        inner.look("inside")
        inner.do("deactivate", script)
        steps.lines.append(inner.nested())
    else:
        steps.look("inside")
    path = situation.inside
    for what, name, *rest in situation.meanwhile:
        if what in ("prepend", "append"):
            path = f"{name}:{path}" if what == "prepend" else f"{path}:{name}"
            steps.do("set", "PATH", fill(path))
        else:
            steps.do(what, name, *map(fill, rest))
    steps.do("deactivate", script)
    steps.look("after")


def _inside(
    situation: Situation, steps: Session, fill: Callable[[str], str], activator: Activator
) -> list[str]:
    found = steps.variables("inside")
    expected = {"PATH": situation.inside, "VIRTUAL_ENV": "{prefix}", **situation.env_inside}
    if not activator.has_profile:
        expected = {name: value for name, value in expected.items() if name not in OF_PROFILES}
    wrong = [
        f"inside, {name} is {found.get(name)!r}, not {value!r}"
        for name, value in ((name, None if text is None else fill(text)) for name, text in expected.items())
        if found.get(name) != value
    ]
    if activator.has_profile and not situation.nested and "\n" not in situation.project:
        lines = {f"{name}={value}" for name, value in found.items()} | {*steps.state("inside")}
        before = {f"{name}={value}" for name, value in steps.variables("before").items()}
        others = {
            line for line in lines ^ (before | {*steps.state("before")}) if line and not _OURS.search(line)
        }
        wrong += [f"inside, this is otherwise: {line}" for line in sorted(others)]
    return wrong


def _after(situation: Situation, steps: Session, fill: Callable[[str], str]) -> list[str]:
    found: dict[str, str | None] = {**steps.variables("after")}
    expected: dict[str, str | None] = {**steps.variables("before")}
    if situation.after:
        expected["PATH"] = fill(situation.after)
    expected |= {name: None if value is None else fill(value) for name, value in situation.env_after.items()}
    return [
        f"after, {name} is {found.get(name)!r}, not {expected.get(name)!r}"
        for name in sorted({*found, *expected})
        if found.get(name) != expected.get(name)
    ]


def executed(driver: Driver, activator: Activator, place: Place) -> list[str]:
    """Run a script as a program, as if it were not to be read by the shell, and return what does not hold."""
    script = activator.script(place, driver)
    steps = Session(driver=driver, folder=place.root, env=plain_environment(PATH="/usr/bin:/bin"))
    done = steps.start([*driver.words[1:], str(script)])
    said = done.stdout + done.stderr
    wrong = [] if done.returncode else [f"executed, it ends with status {done.returncode}"]
    reads = driver.say("activate", str(script)).split()[0]
    if script.name not in said or not re.search(rf"(source|{re.escape(reads)}) ", said):
        wrong.append(f"executed, it does not say that it is to be read by `{reads}`: {said.strip()[:120]!r}")
    return wrong
