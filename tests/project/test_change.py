"""``envsmith add`` and ``remove``: the edit, then the lock, or neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Project, Ran

SLUG = "cp312-manylinux_2_28_x86_64"
PYPROJECT = """\
[project]
name = "app"
version = "1"
dependencies = [
    # the library
    "torch>=2.19",  # with CUDA
]

[tool.envsmith]
default-profiles = ["mine"]
"""


@pytest.fixture
def pyproject(project: Project) -> Path:
    path = project.root / "pyproject.toml"
    path.write_text(PYPROJECT, "utf-8")
    return path


def add(project: Project, *words: str) -> Ran:
    return project.run("add", "--offline", *words)


def remove(project: Project, *words: str) -> Ran:
    return project.run("remove", "--offline", *words)


def test_a_requirement_is_added_and_locked_and_removed(project: Project, pyproject: Path) -> None:
    ran = add(project, "torchvision")
    assert ran.status == 0, ran.said
    assert '+    "torchvision",' in ran.out.splitlines()
    added = PYPROJECT.replace("# with CUDA\n", '# with CUDA\n    "torchvision",\n')
    assert pyproject.read_text("utf-8") == added
    assert set(project.pins("mine", SLUG)) == {"torch", "torchvision"}
    assert project.run("lock", "--check").status == 0
    ran = remove(project, "TorchVision")
    assert ran.status == 0, ran.said
    assert pyproject.read_text("utf-8") == PYPROJECT
    assert set(project.pins("mine", SLUG)) == {"torch"}


def test_a_requirement_is_replaced_and_a_bare_name_leaves_it(project: Project, pyproject: Path) -> None:
    assert add(project, "torch<2.20").status == 0
    assert '    "torch<2.20",  # with CUDA\n' in pyproject.read_text("utf-8")
    assert project.pins("mine", SLUG)["torch"].version == "2.19.0+cu134"
    ran = add(project, "torch")
    assert (ran.status, ran.out) == (0, "nothing to change in pyproject.toml: project.dependencies\n")


@pytest.mark.parametrize("words", [("torch>3",), ("torchvision", "torch==2.19.0", "torchaudio==2.20.0")])
def test_without_a_solution_everything_is_as_it_was(
    project: Project, pyproject: Path, words: tuple[str, ...]
) -> None:
    assert add(project, "torchvision").status == 0
    text, before = pyproject.read_bytes(), project.locks("mine")
    ran = add(project, *words)
    assert ran.status == 1, ran.said
    assert "restored  pyproject.toml" in ran.out
    assert pyproject.read_bytes() == text
    assert project.locks("mine") == before
    assert not list(project.root.glob(".envsmith-new-*"))


@pytest.mark.usefixtures("pyproject")
@pytest.mark.parametrize("kind", ["group", "extra"])
def test_a_group_or_extra_that_no_lock_has_is_told(project: Project, kind: str) -> None:
    ran = add(project, "torchvision", f"--{kind}", "dev")
    assert ran.status == 0, ran.said
    assert f"not in the lock of any profile; envsmith lock PROFILE --{kind} dev" in ran.out
    assert set(project.pins("mine", SLUG)) == {"torch"}
    assert project.run("lock", "mine", f"--{kind}", "dev", "--offline").status == 0
    ran = add(project, "torchaudio", f"--{kind}", "dev")
    assert ran.status == 0, ran.said
    assert "not in the lock" not in ran.out
    assert set(project.pins("mine", SLUG)) == {"torch", "torchvision", "torchaudio"}


@pytest.mark.usefixtures("pyproject")
def test_line_ends_of_the_locks_are_kept_by_git(project: Project) -> None:
    assert add(project, "torchvision").status == 0
    settings = project.root / "lockfiles/.gitattributes"
    assert settings.read_text("utf-8") == "* text eol=lf\n*.bat text eol=crlf\n"
    settings.write_text("* -text\n", "utf-8")
    assert add(project, "torchaudio").status == 0
    assert settings.read_text("utf-8") == "* -text\n"


def test_one_of_two_profiles_that_fails_restores_both(project: Project, pyproject: Path) -> None:
    project.profile("other", backend="cpu", python=["3.12"], platforms=["linux"])
    pyproject.write_text(PYPROJECT.replace('["mine"]', '["mine", "other"]'), "utf-8")
    assert project.run("lock", "mine", "--offline").status == 0
    text, before = pyproject.read_bytes(), project.locks("mine")
    ran = add(project, "torch>=2.20")  # the catalog's newest for cpu is older
    assert ran.status != 0, ran.said
    assert pyproject.read_bytes() == text
    assert project.locks("mine") == before
    assert not (project.root / "lockfiles/other").exists()


@pytest.mark.parametrize(
    ("words", "table"),
    [
        (("--group", "dev"), "[dependency-groups]\ndev = "),
        (("--extra", "audio"), "[project.optional-dependencies]\naudio = "),
    ],
)
def test_groups_and_extras(project: Project, pyproject: Path, words: tuple[str, ...], table: str) -> None:
    ran = add(project, "torchaudio", *words)
    assert ran.status == 0, ran.said
    assert pyproject.read_text("utf-8") == f'{PYPROJECT}\n{table}["torchaudio"]\n'
    assert "torchaudio" not in project.pins("mine", SLUG)
    told = remove(project, "torchaudio")
    assert "PRF018" in told.err
    assert f"envsmith remove {' '.join(words)} torchaudio" in told.err
    assert remove(project, "torchaudio", *words).status == 0
    assert pyproject.read_text("utf-8") == f"{PYPROJECT}\n{table}[]\n"


def test_a_recorded_requirements_file(project: Project) -> None:
    (project.root / "wanted.in").write_text("# all\n-r more.in\ntorch  # lib\n", "utf-8")
    (project.root / "more.in").write_text("torchvision<0.35\n", "utf-8")
    assert project.run("lock", "mine", "-r", "wanted.in", "--offline").status == 0
    ran = add(project, "torchaudio", "torchvision>=0.35")
    assert ran.status == 0, ran.said
    assert (project.root / "wanted.in").read_text() == "# all\n-r more.in\ntorch  # lib\ntorchaudio\n"
    assert (project.root / "more.in").read_text() == "torchvision>=0.35\n"
    assert project.pins("mine", SLUG)["torchvision"].version == "0.35.0+cu134"
    ran = remove(project, "torchvision", "torchaudio")
    assert ran.status == 0, ran.said
    assert (project.root / "more.in").read_text() == ""


def test_a_new_requirements_file(project: Project) -> None:
    ran = add(project, "torch", "--profile", "mine", "-r", "wanted.in")
    assert ran.status == 0, ran.said
    assert (project.root / "wanted.in").read_text() == "torch\n"
    assert project.manifest("mine").remembered.requirements_files == ("wanted.in",)
    (project.root / "wanted.in").write_text("torch==2.20.0 --hash=sha256:" + "0" * 64 + "\n", "utf-8")
    ran = add(project, "torchaudio", "--no-lock")
    assert "PRF017" in ran.err
    assert "compiled" in ran.err


def test_a_new_requirements_file_is_removed_if_the_lock_fails(project: Project) -> None:
    ran = add(project, "torch>3", "--profile", "mine", "-r", "wanted.in")
    assert ran.status == 1, ran.said
    assert not (project.root / "wanted.in").exists()
    assert not (project.root / "lockfiles/mine").exists()


def test_the_requirements_of_a_profile(project: Project) -> None:
    ran = add(project, "torchaudio", "--profile", "mine")
    assert ran.status == 0, ran.said
    assert 'requirements = ["torch", "torchaudio"]\n' in (project.root / "profiles/mine.toml").read_text()
    (project.root / "profiles/child.toml").write_text('extends = "mine"\n', "utf-8")
    assert remove(project, "torchaudio", "--profile", "child").status == 0
    assert 'requirements = ["torch"]\n' in (project.root / "profiles/mine.toml").read_text()


def test_inherited_requirements_of_a_shipped_profile(project: Project) -> None:
    child = project.root / "profiles/child.toml"
    child.write_text('extends = "cpu-minimal"\nbackend = "cu134"\npython = ["3.12"]\nplatforms = ["linux"]\n')
    ran = add(project, "torchaudio", "--profile", "child", "--no-lock")
    assert ran.status == 0, ran.said
    assert child.read_text().endswith('requirements = ["torch", "torchaudio"]\n')
    ran = add(project, "torchaudio", "--profile", "cpu-minimal", "--no-lock")
    assert ran.status == 2
    assert "PRF017" in ran.err


def test_the_first_requirement_of_a_project_takes_those_of_its_profile_along(
    project: Project, pyproject: Path
) -> None:
    text = PYPROJECT.replace('    # the library\n    "torch>=2.19",  # with CUDA\n', "")
    pyproject.write_text(text, "utf-8")
    ran = add(project, "torchvision")
    assert ran.status == 0, ran.said
    assert set(project.pins("mine", SLUG)) == {"torch", "torchvision"}
    assert '"torch"' in pyproject.read_text("utf-8")


def test_from_a_subfolder(project: Project, pyproject: Path) -> None:
    ran = project.run("add", "torchaudio", "--offline", folder="src/deep")
    assert ran.status == 0, ran.said
    assert '"torchaudio"' in pyproject.read_text("utf-8")
    (project.root / "src/deep/wanted.in").write_text("torch\n", "utf-8")
    ran = project.run("add", "torchvision", "-r", "wanted.in", "--no-lock", folder="src/deep")
    assert "+++ b/src/deep/wanted.in" in ran.out.splitlines(), ran.said
    assert (project.root / "src/deep/wanted.in").read_text("utf-8") == "torch\ntorchvision\n"


def test_lists_of_several_profiles(project: Project) -> None:
    table = 'backend = "cu134"\npython = ["3.12"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n'
    (project.root / "pyproject.toml").write_text(
        f"[tool.envsmith.profiles.a]\n{table}[tool.envsmith.profiles.b]\n{table}", "utf-8"
    )
    words = ("torchaudio", "--no-lock", "--profile", "b")
    assert "PRF047" in add(project, *words, "--profile", "a").err
    assert add(project, *words).status == 0
    text = (project.root / "pyproject.toml").read_text("utf-8")
    assert text.partition("[tool.envsmith.profiles.b]")[2].endswith(
        'requirements = ["torch", "torchaudio"]\n'
    )
    ran = add(project, *words[:2], "--profile", "b", "--profile", "mine")
    assert ran.status == 0, ran.said
    assert '"torchaudio"' in (project.root / "profiles/mine.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("add", "pytorch"), "RES028", "did you mean `torch`?"),
        (("add", "torch-vision"), "USE002", "--yes"),
        (("add", "torch==2.20.0+cu134"), "PRF019", "add `torch==2.20.0`"),
        (("add", "torch>>1"), "PRF020", "PEP 508"),
        (("add", "./wheels/x.whl"), "PRF021", "NAME @ URL"),
        (("add", "-r", "a.in", "--group", "dev", "x"), "USE001", ""),
        (("remove", "torchvison"), "PRF018", "known: torch"),
        (("add",), "USE001", ""),
    ],
)
def test_refused_before_anything_is_written(
    project: Project, pyproject: Path, words: tuple[str, ...], code: str, hint: str
) -> None:
    ran = project.run(*words)
    assert ran.status in (1, 2), ran.said
    assert code in ran.err
    assert hint in ran.said
    assert pyproject.read_text("utf-8") == PYPROJECT
    assert not (project.root / "lockfiles").exists()


def test_dry_run_and_no_lock(project: Project, pyproject: Path) -> None:
    ran = add(project, "torchaudio", "--dry-run")
    assert "nothing written (dry run)" in ran.out
    assert pyproject.read_text("utf-8") == PYPROJECT
    found = json.loads(add(project, "torchaudio", "--dry-run", "--json").out)
    assert (found["command"], found["data"]["is_dry_run"], found["data"]["locked"]) == ("add", True, [])
    ran = add(project, "torch-vision", "torchaudio", "--no-lock", "--yes")
    assert ran.status == 0, ran.said
    assert '"torch-vision",' in pyproject.read_text("utf-8")
    assert not (project.root / "lockfiles").exists()


def test_json_is_one_document(project: Project, pyproject: Path) -> None:
    found = json.loads(add(project, "torchaudio", "--json").out)
    assert found["data"]["locked"] == ["mine"]
    assert "torchaudio" in found["data"]["edits"][0]["diff"]
    ran = add(project, "torch>3", "--json")
    assert json.loads(ran.out)["status"] == "no", ran.said
    assert "torch>=2.19" in pyproject.read_text("utf-8")


def test_dynamic_dependencies_are_not_edited(project: Project, pyproject: Path) -> None:
    pyproject.write_text('[project]\nname = "a"\ndynamic = ["dependencies", "version"]\n', "utf-8")
    assert "PRF028" in add(project, "torchaudio").err


@pytest.mark.parametrize(
    ("file", "text"),
    [("pyproject.toml", "[tool.poetry.dependencies]\nsix = '1'\n"), ("Pipfile", "[packages]\nsix = '*'\n")],
)
def test_the_lists_of_other_tools_are_not_edited(project: Project, file: str, text: str) -> None:
    (project.root / file).write_text(text, "utf-8")
    ran = add(project, "torchaudio", "--profile", "mine")
    assert (ran.status, (project.root / file).read_text("utf-8")) == (2, text)
    assert "PRF017" in ran.err
    assert f"{file}:2" in ran.err


def test_without_anything_to_edit_the_ways_are_told(tmp_path: Path) -> None:
    ran = Project(root=tmp_path).run("add", "torch")
    assert (ran.status, ran.out) == (2, "")
    assert "PRF042" in ran.err
    assert "envsmith init" in ran.err
