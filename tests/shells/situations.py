"""Situations that a session can be in, and what must hold there; the same for every shell and every activator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.shells.drivers import Driver, Session, plain_environment

LIBRARIES = "LD_LIBRARY_PATH"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project with environments, on disk."""

    root: Path
    """The project."""
    around: Path
    """A folder with other environments and toolkits."""

    @property
    def bin(self) -> str:
        """The programs of its environment."""
        return f"{self.root}/.venv/bin"


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
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """shell → options to start it with; where given, others have no such thing."""
    guard: bool = False
    times: int = 1
    """How often it is activated."""
    on_top: bool = False
    """Another profile's script is read in between."""
    apart: frozenset[str] = frozenset()
    """Shells that cannot be in it."""


MANY = ":".join(f"/opt/p{number}/bin" for number in range(200))
_HERE = (("prepend", "/mine/first"), ("append", "/mine/last"))

SITUATIONS = (
    Situation(name="nothing to take out"),
    Situation(name="torch/lib of an environment on PATH",
              path="{around}/x/lib/python3.11/site-packages/torch/lib:{A}:{B}"),
    Situation(name="dist-packages on PATH", path="{A}:/usr/lib/python3/dist-packages/torch/bin:{B}"),
    Situation(name="another environment's bin", path="{around}/other/bin:{A}:{B}"),
    Situation(name="conda's bin; conda itself stays", path="{A}:{around}/conda/bin:{around}/conda/condabin:{B}",
              inside="{bin}:{A}:{around}/conda/condabin:{B}"),
    Situation(name="entries twice", path="{A}:{B}:{A}:{B}"),
    Situation(name="empty entries", path=":{A}::{B}:", apart=frozenset({"fish", "tcsh"})),
    Situation(name="relative entries", path="bin:{A}:./x:../y:{B}:~/z", apart=frozenset({"xonsh"})),
    Situation(name="its own bin on PATH before", path="{A}:{bin}:{B}"),
    Situation(name="nvidia/*/lib on the library path",
              env={LIBRARIES: "{around}/x/site-packages/nvidia/cudnn/lib:/x"}, env_inside={LIBRARIES: "/x"}),
    Situation(name="another environment's lib on the library path",
              env={LIBRARIES: "/x:{around}/other/lib"}, env_inside={LIBRARIES: "/x"}),
    Situation(name="CUDA 11 on the library path of CUDA 12",
              env={LIBRARIES: "/usr/local/cuda-11.8/lib64:/usr/local/cuda-12.4/lib64:/x"},
              env_inside={LIBRARIES: "/usr/local/cuda-12.4/lib64:/x"}),
    Situation(name="CUDA 11 in a folder that does not say so",
              env={LIBRARIES: "{around}/cuda/lib64:/x"}, env_inside={LIBRARIES: "/x"}),
    Situation(name="a driver's own folder stays",
              env={LIBRARIES: "{around}/driver:/x"}, env_inside={LIBRARIES: "{around}/driver:/x"}),
    Situation(name="nothing of the library path is left",
              env={LIBRARIES: "/usr/local/cuda-11.8/lib64"}, env_inside={LIBRARIES: None}),
    Situation(name="macOS's library path",
              env={"DYLD_LIBRARY_PATH": "/usr/local/cuda-11/lib:/x"}, env_inside={"DYLD_LIBRARY_PATH": "/x"}),
    Situation(name="PYTHONPATH", env={"PYTHONPATH": "/x:/y"}, env_inside={"PYTHONPATH": None}),
    Situation(name="PYTHONHOME", env={"PYTHONHOME": "/x"}, env_inside={"PYTHONHOME": None},
              apart=frozenset({"xonsh"})),
    Situation(name="CONDA_PREFIX", env={"CONDA_PREFIX": "{around}/conda"}, env_inside={"CONDA_PREFIX": None}),
    Situation(name="the profile's variables over others", env={"CUDA_VISIBLE_DEVICES": "1", "GREETING": "was"},
              env_inside={"CUDA_VISIBLE_DEVICES": "0", "GREETING": "it's $HOME; `x` \"q\""}),
    Situation(name="a variable that was empty", env={"GREETING": ""}, env_inside={"CUDA_VISIBLE_DEVICES": "0"}),
    Situation(name="the guard", guard=True, env={"PIP_CONSTRAINT": "mine.txt"},
              env_inside={"PIP_CONSTRAINT": "{root}/.venv/envsmith-constraints.txt",
                          "UV_CONSTRAINT": "{root}/.venv/envsmith-constraints.txt"}),
    Situation(name="entries added meanwhile stay", path="{around}/other/bin:{A}:{B}", meanwhile=_HERE,
              after="/mine/first:{around}/other/bin:{A}:{B}:/mine/last"),
    Situation(name="an entry removed meanwhile stays away", path="{A}:{around}/other/bin:{B}:/x/site-packages/y",
              meanwhile=(("set", "PATH", "{bin}:{B}"),), after="{around}/other/bin:{B}:/x/site-packages/y"),
    Situation(name="an entry moved meanwhile stays there", path="{A}:{around}/other/bin:{B}",
              meanwhile=(("set", "PATH", "{bin}:{B}:{A}"),), after="{around}/other/bin:{B}:{A}"),
    Situation(name="a library path changed meanwhile", env={LIBRARIES: "/usr/local/cuda-11.8/lib64:/x"},
              env_inside={LIBRARIES: "/x"}, meanwhile=(("set", LIBRARIES, "/new:/x"),),
              env_after={LIBRARIES: "/new:/usr/local/cuda-11.8/lib64:/x"}),
    Situation(name="a variable changed meanwhile stays", meanwhile=(("set", "CUDA_VISIBLE_DEVICES", "3"),),
              env_after={"CUDA_VISIBLE_DEVICES": "3"}),
    Situation(name="PYTHONPATH set meanwhile stays", env={"PYTHONPATH": "/x"}, env_inside={"PYTHONPATH": None},
              meanwhile=(("set", "PYTHONPATH", "/new"),), env_after={"PYTHONPATH": "/new"}),
    Situation(name="activated twice", path="{around}/other/bin:{A}:{B}", times=2),
    Situation(name="another profile on top", path="{around}/other/bin:{A}:{B}", on_top=True,
              env={"GREETING": "was"}, env_inside={"GREETING": "other", "CUDA_VISIBLE_DEVICES": None}),
    Situation(name="set -u", path="{around}/other/bin:{A}:{B}",
              flags={"bash": ("-u",), "zsh": ("-u",), "dash": ("-u",), "ksh": ("-u",)}),
    Situation(name="set -e", path="{around}/other/bin:{A}:{B}",
              flags={"bash": ("-e",), "zsh": ("-e",), "dash": ("-e",), "ksh": ("-e",), "tcsh": ("-e",)}),
    Situation(name="set -u -e -f -C", path="{around}/other/bin:{A}:{B}",
              flags=dict.fromkeys(("bash", "zsh", "dash", "ksh"), ("-uefC",))),
    Situation(name="options of zsh, posix of bash", path="{around}/other/bin:{A}:{B}",
              flags={"zsh": ("-o", "ksharrays", "-o", "rcquotes", "-o", "cshjunkiequotes", "-o", "globsubst",
                             "-o", "shwordsplit", "-o", "noglob", "-o", "warncreateglobal"), "bash": ("--posix",)}),
    Situation(name="spaces in the path", project="a project with  spaces ", path="{around}/o ther/bin:{A}:{B}"),
    Situation(name="quotes in the path", project="it's \"quoted\" `x`"),
    Situation(name="$ ; & ! and globs in the path", project="$HOME $(id);a&b!c*[x]?{{y}}#%\\t",
              apart=frozenset({"xonsh"})),
    Situation(name="a line break in the path", project="two\nlines", apart=frozenset({"tcsh", "nu"})),
    Situation(name="letters of other scripts in the path", project="проект-项目-é"),
    Situation(name="200 entries",
              path=f"{{A}}:{MANY}:{{around}}/other/bin:{{B}}", inside=f"{{bin}}:{{A}}:{MANY}:{{B}}"),
    Situation(name="a session that another one was activated for",
              env={"VIRTUAL_ENV": "{around}/other", "VIRTUAL_ENV_PROMPT": "x"},
              path="{around}/other/bin:{A}:{B}"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Activator:
    """Makes the scripts of one tool for a project."""

    name: str
    script: Callable[[Place, Driver], str]
    """Returns where a shell's script is."""
    other: Callable[[Place, Driver], str]
    """The same of another profile, or environment."""


def check(
    situation: Situation, driver: Driver, activator: Activator, place: Place, folder: Path
) -> list[str]:
    """Bring one shell into a situation, and return what does not hold."""
    folder.mkdir(parents=True, exist_ok=True)
    words = {
        "A": "/usr/bin",
        "B": "/bin",
        "bin": place.bin,
        "around": str(place.around),
        "root": str(place.root),
    }
    filled = {name: value.format(**words) for name, value in situation.env.items()}
    env = plain_environment(PATH=situation.path.format(**words), **filled)
    session = Session(driver=driver, folder=folder, env=env)
    script = activator.script(place, driver)
    session.look("before")
    if situation.on_top:
        session.do("activate", activator.script(place, driver))
        script = activator.other(place, driver)
    for _ in range(situation.times):
        session.do("activate", script)
    session.look("inside")
    inside = situation.inside.format(**words)
    for step in situation.meanwhile:
        what, *rest = (word.format(**words) for word in step)
        if what in ("prepend", "append"):
            inside = f"{rest[0]}:{inside}" if what == "prepend" else f"{inside}:{rest[0]}"
            what, rest = "set", ["PATH", inside]
        session.do(what, *rest)
    session.do("deactivate")
    session.look("after")
    flags = situation.flags.get(driver.name, ())
    session.run(*flags)
    wrong = list(_inside(situation, session, words)) + list(_after(situation, session, words))
    if not situation.meanwhile and session.state("before") != session.state("after"):
        changed = set(session.state("before")) ^ set(session.state("after"))
        wrong.append(f"the shell's own state: {sorted(changed)[:6]}")
    return wrong


def _inside(situation: Situation, session: Session, words: Mapping[str, str]) -> list[str]:
    found = session.variables("inside")
    expected: dict[str, str | None] = {
        "PATH": situation.inside.format(**words),
        "VIRTUAL_ENV": f"{words['root']}/.venv",
        **{
            name: None if value is None else value.format(**words)
            for name, value in situation.env_inside.items()
        },
    }
    return [
        f"inside, {name} is {found.get(name)!r}, not {value!r}"
        for name, value in expected.items()
        if found.get(name) != value
    ]


def _after(situation: Situation, session: Session, words: Mapping[str, str]) -> list[str]:
    found: dict[str, str | None] = {**session.variables("after")}
    expected: dict[str, str | None] = {**session.variables("before")}
    if situation.after:
        expected["PATH"] = situation.after.format(**words)
    expected |= {
        name: None if value is None else value.format(**words) for name, value in situation.env_after.items()
    }
    return [
        f"after, {name} is {found.get(name)!r}, not {expected.get(name)!r}"
        for name in sorted({*found, *expected})
        if found.get(name) != expected.get(name)
    ]
