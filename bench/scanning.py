"""``envsmith scan --quick`` over 10,000 files and 200 MB of real sources, beside deptry on the same tree.

The question is "is it used?", asked of three names at once, and of one that is nowhere, which is the hardest: every
byte has to be looked at. deptry knows no smaller question than "which of my requirements are unused?": it is asked that
alone, every other rule of it switched off, so that it prints next to nothing.

What is fair: both read the same files, from the same warm disk cache, in turns; both start as the command that a person
would type. deptry is told the modules that cannot be guessed from a project's name, as envsmith's catalog knows them.
What is not the same: deptry reads Python and notebooks, envsmith configuration and scripts as well.

Memory is what the system counts: for deptry the peak of its one process; for envsmith the peak of the first process
plus as much again as the greatest of the others took for each of those, memory that they share counted each time.

The tree is made once, of the wheels below, in a folder outside the repository: ENVSMITH_BENCH_DIR says which.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.fetching import install, made_once, uv
from bench.measure import Comparison, alternate
from bench.resolving import envsmith

PACKAGES = (
    "accelerate==1.15.0",
    "ccxt==4.5.90",
    "datasets==5.2.0",
    "diffusers==0.42.1",
    "kornia==0.9.0",
    "networkx==3.6.1",
    "open-clip-torch==3.3.0",
    "peft==0.21.2",
    "sentence-transformers==6.2.0",
    "speechbrain==1.1.2",
    "statsmodels==0.15.0",
    "sympy==1.14.0",
    "timm==1.0.31",
    "torchmetrics==1.9.0",
    "transformers==5.23.0",
    "ultralytics==8.4.190",
)
DEPTRY = "deptry==0.25.1"
FILES, MEGABYTES = 10_000, 200
QUESTION = ("torchvision", "torchaudio", "opencv-python")
NOWHERE = ("pydub",)
# Asked of both, and compared: project → its module, where deptry could not guess it.
ASKED = {
    **dict.fromkeys((*QUESTION, *NOWHERE, "bitsandbytes", "boto3", "cupy", "deepspeed", "flask", "jax"), ""),
    **dict.fromkeys(("librosa", "mediapipe", "onnx", "onnxruntime", "pytest", "soundfile", "spacy"), ""),
    **dict.fromkeys(("tensorrt", "torchtext", "webrtcvad", "xformers"), ""),
    "faiss-cpu": "faiss",
    "opencv-python": "cv2",
    "pillow": "PIL",
    "scikit-image": "skimage",
    "tensorboardx": "tensorboardX",
}
_PEAK = """\
import resource, sys
from envsmith.usage.parallel import worker_count
from envsmith.cli.main import main
count = worker_count()
status = main(sys.argv[1:])
own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print((own + others * (count - 1)) / (1 << 20 if sys.platform == "darwin" else 1 << 10), file=sys.stderr)
sys.exit(status)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of a command."""

    seconds: float
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The tree, and both commands on it."""

    tree: Path
    tools: Path
    env: Mapping[str, str]

    def ours(self, names: Sequence[str], *words: str) -> Ran:
        """Run ``envsmith scan``."""
        return self._run([envsmith(), "scan", *_named(names), *words], self.tree, (0,))

    def peak_mb(self, names: Sequence[str], *words: str) -> float:
        """Return the peak of envsmith's processes together."""
        command = [sys.executable, "-c", _PEAK, "scan", *_named(names), *words]
        return float(self._run(command, self.tree, (0,)).stderr.split()[-1])

    def theirs(self) -> Ran:
        """Run deptry; it ends with 1 where it finds something."""
        return self._run(self._deptry(), self.tree, (0, 1))

    def their_peak_mb(self) -> float:
        """Return the peak of deptry's process: the only one that is started from here."""
        script = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], capture_output=True, check=False); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        found = self._run([sys.executable, "-c", script, *self._deptry()], self.tree, (0,))
        return float(found.stdout) / (1 << 20 if sys.platform == "darwin" else 1 << 10)

    def their_unused(self) -> set[str]:
        """Return what deptry finds unused."""
        return set(re.findall(r"DEP002 '([^']+)'", self.theirs().stderr))

    def _deptry(self) -> list[str | Path]:
        modules = ",".join(f"{project}={module}" for project, module in ASKED.items() if module)
        words = ["--requirements-files", "requirements.txt", "--package-module-name-map", modules]
        # A file of test requirements would not be asked after: none is named.
        alone = ["--ignore", "DEP001,DEP003,DEP004,DEP005", "--requirements-files-dev", "none.txt"]
        return [self.tools / "deptry", ".", "--no-ansi", *words, *alone]

    def _run(self, command: Sequence[str | Path], folder: Path, good: Sequence[int]) -> Ran:
        begun = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env=dict(self.env), capture_output=True, encoding="utf-8", check=False
        )
        took = time.perf_counter() - begun
        if done.returncode not in good:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr}\n{done.stdout}")
        return Ran(seconds=took, stdout=done.stdout, stderr=done.stderr)


def _named(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("-n", name)]


def compare(env: Mapping[str, str], times: int) -> Iterator[Comparison]:
    """Measure seconds and memory, and compare answers."""
    bench = Bench(tree=made_once("scan-tree", PACKAGES, make_tree), tools=made_tools(), env=env)
    for name, names, words, bound in (
        ("scan --quick, 3 names : deptry", QUESTION, ["--quick"], 1 / 5),
        ("scan --quick, 1 that is nowhere : deptry", NOWHERE, ["--quick"], 1 / 5),
        ("scan, every use of 3 names : deptry", QUESTION, ["--json"], 1.0),
    ):
        mine, their = alternate(
            lambda names=names, words=words: bench.ours(names, *words).seconds,  # type: ignore[misc]
            lambda: bench.theirs().seconds,
            times,
        )
        yield Comparison(name=name, ours=mine, theirs=their, unit="s", bound=bound)
    yield Comparison(
        name="scan, peak memory of all processes : deptry",
        ours=bench.peak_mb(QUESTION),
        theirs=bench.their_peak_mb(),
        unit="MB",
        bound=1.0,
        note="\n  ".join(answers(bench)),
    )


def answers(bench: Bench) -> Iterator[str]:
    """Yield how both answer, and why where they differ."""
    unused = bench.their_unused()
    found = json.loads(bench.ours(list(ASKED), "--json").stdout)["data"]["answers"]
    if unknown := unused - {item["project"] for item in found}:
        raise RuntimeError(f"deptry speaks of what it was not asked: {unknown}")
    same = [item for item in found if (item["answer"] == "unused") == (item["project"] in unused)]
    yield f"answers alike for {len(same)} of {len(found)}: " + " ".join(
        f"{item['project']}={item['answer']}" for item in same
    )
    for item in found:
        if item not in same:
            theirs = "unused" if item["project"] in unused else "used"
            places = [use for use in item["uses"] if use["certainty"] != "string"] or item["uses"]
            why = ", ".join(f"{use['kind']} at {use['file']}:{use['line']}" for use in places[:2])
            yield f"{item['project']}: {item['answer']}, deptry says {theirs}: {why or 'no use in any file'}"


def make_tree(folder: Path) -> None:
    """Install the sources, each package apart from the others, and ask for what is asked.

    Raises:
        RuntimeError: when they are fewer or smaller than the figures above.
    """
    for package in PACKAGES:
        install(folder / "src" / package.partition("=")[0], package)
    (folder / "requirements.txt").write_text("".join(f"{name}\n" for name in ASKED), "utf-8")
    sizes = [path.stat().st_size for path in folder.rglob("*.py")]
    if len(sizes) < FILES or sum(sizes) < MEGABYTES * 1_000_000:
        raise RuntimeError(f"the tree has {len(sizes)} files of Python, {sum(sizes)} bytes")


def made_tools() -> Path:
    """Return the folder of deptry's command, installed apart from ours."""
    return made_once("scan-tools", (DEPTRY, sys.version), make_tools) / "bin"


def make_tools(folder: Path) -> None:
    """Make an environment with deptry in it."""
    uv("venv", "--quiet", "--python", sys.executable, "--clear", folder)
    uv("pip", "install", "--quiet", "--python", folder, DEPTRY)
