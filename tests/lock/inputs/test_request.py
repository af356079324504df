from pathlib import Path

import pytest

from envsmith.errors import LockError, ProfileError, ResolveError
from envsmith.host.current import this_platform, this_python
from envsmith.lock.inputs.request import LockOptions, lock_requests, profile_names
from envsmith.lockfile.manifest import RememberedOptions
from envsmith.plan.model import LockRequest

PYPROJECT = """\
[project]
name = "mine"
version = "0"
dependencies = ["torch", "numpy<2"]
[project.optional-dependencies]
audio = ["torchaudio"]
[dependency-groups]
test = ["pytest"]
"""


def wanted(project: Path, *, files: tuple[str, ...] = (), **words: object) -> tuple[LockRequest, ...]:
    given = {name: words.pop(name) for name in list(words) if hasattr(RememberedOptions(), name)}
    remembered = RememberedOptions(requirements_files=files, **given)  # type: ignore[arg-type]
    options = LockOptions(**words, remembered=remembered, folder=project / "lockfiles")  # type: ignore[arg-type]
    return lock_requests(options, project)


def names(item: LockRequest) -> list[str]:
    return [asked.name for asked in item.requirements]


def test_profile_alone_brings_its_own_requirements(project: Path) -> None:
    (found,) = wanted(project, profiles=("cu128",))
    assert found.profile.name == "cu128"
    assert "torch" in names(found)


def test_project_comes_before_the_profile(project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (found,) = wanted(project, profiles=("cu128",))
    assert [str(item.requirement) for item in found.requirements] == ["torch", "numpy<2"]
    (found,) = wanted(project, profiles=("cu128",), extras=("audio",), groups=("test",))
    assert names(found) == ["torch", "numpy", "torchaudio", "pytest"]


def test_a_project_that_asks_for_nothing_leaves_it_to_the_profile(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "mine"\nversion = "0"\n', "utf-8")
    (found,) = wanted(project, profiles=("cu128",))
    assert "torch" in names(found)


def test_project_may_leave_it_to_the_profile(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        f'{PYPROJECT}[tool.envsmith]\nrequirements-from = "profile"\ndefault-profiles = ["cu130"]\n', "utf-8"
    )
    (found,) = wanted(project)
    assert found.profile.name == "cu130"
    assert "numpy" not in names(found)


def test_file_comes_before_the_project(project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (project / "requirements.in").write_text("torch\nrich\n", "utf-8")
    (found,) = wanted(project, profiles=("cu128",), files=("requirements.in",))
    assert names(found) == ["torch", "rich"]
    assert found.remembered.requirements_files == ("requirements.in",)


def test_a_file_is_remembered_until_another_is_given(project: Path) -> None:
    for name in ("a.in", "b.in"):
        (project / name).write_text("torch\n", "utf-8")
    text = 'form = 1\nprofile = "cu128"\ncutoff-utc = "2026-11-20T00:00:00Z"\n'
    text += 'requirements-files = ["a.in"]\n[targets]\n'
    (project / "lockfiles/cu128").mkdir(parents=True)
    (project / "lockfiles/cu128/manifest.toml").write_text(text, "utf-8")
    (found,) = wanted(project, profiles=("cu128",))
    assert found.remembered == RememberedOptions(requirements_files=("a.in",))
    absolute = str(project / "b.in")
    (found,) = wanted(project, profiles=("cu128",), files=("./b.in", absolute))
    assert found.remembered.requirements_files == ("b.in",)


def test_a_file_outside_the_project_is_read_once_and_not_remembered(project: Path) -> None:
    shared = project.parent / "shared.in"
    shared.write_text("torch\nrich\n", "utf-8")
    for name in ("../shared.in", str(shared)):
        (found,) = wanted(project, profiles=("cu128",), files=(name,))
        assert names(found) == ["torch", "rich"]
        assert found.remembered.requirements_files == ()
        assert [(note.code, note.subject) for note in found.notes] == [("PRF105", "shared.in")]
        assert str(project.parent) not in found.notes[0].message


def test_a_manifest_may_not_name_a_file_outside_the_project(project: Path) -> None:
    text = 'form = 1\nprofile = "cu128"\ncutoff-utc = "2026-11-20T00:00:00Z"\n'
    text += 'requirements-files = ["/etc/passwd"]\n[targets]\n'
    (project / "lockfiles/cu128").mkdir(parents=True)
    (project / "lockfiles/cu128/manifest.toml").write_text(text, "utf-8")
    with pytest.raises(ProfileError) as caught:
        wanted(project, profiles=("cu128",))
    assert caught.value.code == "PRF025"
    assert caught.value.where.endswith("cu128/manifest.toml")
    assert "root:" not in str(caught.value)


def test_command_line_comes_before_the_profile(project: Path) -> None:
    (found,) = wanted(
        project,
        profiles=("cu128",),
        backend="cu130",
        python=("3.13",),
        platforms=("windows",),
        allow_sdist=("OpusLib",),
    )
    assert [target.slug for target in found.profile.targets()] == ["cp313-win_amd64"]
    assert str(found.profile.backend) == "cu130"
    assert "opuslib" in found.profile.allow_sdist


def test_names_count_once(project: Path) -> None:
    assert len(wanted(project, profiles=("cu128", "cu128", "cu130"))) == 2


@pytest.mark.parametrize(
    "text", ["torch==2.3.1+cpu\n", "--extra-index-url https://download.pytorch.org/whl/cpu\ntorch\n"]
)
def test_requirements_file_that_means_a_backend_is_enough(project: Path, text: str) -> None:
    (project / "requirements.txt").write_text(text, "utf-8")
    (found,) = wanted(project, files=("requirements.txt",))
    assert (found.profile.name, str(found.profile.backend)) == ("cpu", "cpu")
    (target,) = found.profile.targets()
    assert (target.python, target.platform) == (this_python(), this_platform())


TWO = "".join(f"--extra-index-url https://download.pytorch.org/whl/{name}\n" for name in ("cpu", "cu128"))


def test_two_indexes_of_pytorch_are_asked_about(project: Path) -> None:
    (project / "requirements.txt").write_text(f"{TWO}torch\n", "utf-8")
    with pytest.raises(ProfileError) as caught:
        wanted(project, files=("requirements.txt",))
    assert caught.value.code == "PRF022"
    assert "cpu (requirements.txt:1), cu128 (requirements.txt:2)" in caught.value.message
    for name in ("cpu", "cu128"):
        assert f"envsmith lock {name} -r requirements.txt" in caught.value.hint
        assert str(wanted(project, profiles=(name,), files=("requirements.txt",))[0].profile.backend) == name
    (project / "requirements.txt").write_text(f"{TWO}torch==2.8.0+cu128\n", "utf-8")
    assert str(wanted(project, files=("requirements.txt",))[0].profile.backend) == "cu128"


def write_lock(project: Path, name: str) -> None:
    text = f'form = 1\nprofile = "{name}"\ncutoff-utc = "2026-11-20T00:00:00Z"\n[moved]\n[targets]\n'
    (project / "lockfiles" / name).mkdir(parents=True)
    (project / "lockfiles" / name / "manifest.toml").write_text(text, "utf-8")


def test_a_label_makes_a_lock_of_its_own_beside_others(project: Path) -> None:
    write_lock(project, "cu130")
    (project / "requirements.txt").write_text("torch==2.8.0+cpu\n", "utf-8")
    assert [item.profile.name for item in wanted(project, files=("requirements.txt",))] == ["cpu"]
    (project / "requirements.txt").write_text(f"{TWO}torch\n", "utf-8")
    assert [item.profile.name for item in wanted(project, files=("requirements.txt",))] == ["cu130"]


def test_a_backend_that_has_ended_is_noted_if_it_was_chosen_by_hand(project: Path) -> None:
    (project / "profiles").mkdir()
    own = 'backend = "cu128"\npython = ["3.12"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n'
    (project / "profiles/mine.toml").write_text(own, "utf-8")
    (found,) = wanted(project, profiles=("mine",), backend="rocm6.4")
    assert (found.profile.on_retired, str(found.profile.backend)) == ("stable", "rocm6.4")
    assert wanted(project, profiles=("mine",))[0].profile.on_retired == "error"


def test_backend_stands_for_itself(project: Path) -> None:
    (found,) = wanted(project, profiles=("cu118",))
    assert str(found.profile.backend) == "cu118"


def test_without_names_what_was_locked_before(project: Path) -> None:
    manifest = 'form = 1\nprofile = "{0}"\ncutoff-utc = "2026-11-20T00:00:00Z"\n[moved]\n[targets]\n'
    for name in ("cu130", "cu128"):
        folder = project / "lockfiles" / name
        folder.mkdir(parents=True)
        (folder / "manifest.toml").write_text(manifest.format(name), "utf-8")
    assert [item.profile.name for item in wanted(project)] == ["cu128", "cu130"]


def test_nothing_named(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        wanted(project)
    assert caught.value.code == "PRF042"
    assert "cu128" in caught.value.details[0][1]


def test_unknown_profile(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        wanted(project, profiles=("cu12x",))
    assert caught.value.code == "PRF013"


NO_DEPENDENCIES = "[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\npython = '^3.11'\n"


@pytest.mark.parametrize("text", [NO_DEPENDENCIES, '[project]\nname = "x"\nversion = "1"\n', ""])
def test_torch_alone_is_not_locked_for_a_project_with_requirements_elsewhere(
    project: Path, text: str
) -> None:
    (project / "pyproject.toml").write_text(text, "utf-8")
    (project / "requirements.txt").write_text("requests\n", "utf-8")
    with pytest.raises(ResolveError) as caught:
        wanted(project, profiles=("cu128",))
    assert (caught.value.code, caught.value.exit_code) == ("RES034", 1)
    assert "requirements.txt" in caught.value.message
    assert caught.value.hint == "envsmith lock cu128 -r requirements.txt"
    (found,) = wanted(project, profiles=("cu128",), files=("requirements.txt",))
    assert names(found) == ["requests"]


def test_what_a_conda_environment_has_is_told(project: Path) -> None:
    (project / "environment.yml").write_text("dependencies:\n- numpy\n- pip:\n  - six\n", "utf-8")
    with pytest.raises(ResolveError) as caught:
        wanted(project, profiles=("cu128",))
    assert (caught.value.code, caught.value.details[:2]) == ("RES034", (("conda", "numpy"), ("pip", "six")))


def test_what_looks_like_requirements_and_is_not_read_is_named(project: Path) -> None:
    """Beside a profile of the project with requirements of its own."""
    assert wanted(project, profiles=("cpu-minimal",))[0].ignored_files == ()
    (project / "requirements.txt").write_text("requests\n", "utf-8")
    (project / "pyproject.toml").write_text("[tool.x]\n", "utf-8")
    (project / "profiles").mkdir()
    own = 'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n'
    (project / "profiles/cpu-minimal.toml").write_text(own, "utf-8")
    (found,) = wanted(project, profiles=("cpu-minimal",))
    assert found.ignored_files == ("requirements.txt",)
    assert names(found) == ["torch"]
    (found,) = wanted(project, profiles=("cpu-minimal",), files=("requirements.txt",))
    assert (names(found), found.ignored_files) == (["requests"], ())
    settled = '[tool.envsmith]\nrequirements-from = "profile"\n'
    (project / "pyproject.toml").write_text(settled, "utf-8")
    assert wanted(project, profiles=("cpu-minimal",))[0].ignored_files == (), (
        "it is said that the profile counts"
    )
    (project / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    assert wanted(project, profiles=("cpu-minimal",))[0].ignored_files == ()


def test_the_pythons_a_project_runs_on(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        f"{PYPROJECT}".replace('version = "0"', 'version = "0"\nrequires-python = ">=3.12"'), "utf-8"
    )
    (found,) = wanted(project, profiles=("cpu-minimal",))
    assert found.requires_python
    assert found.requires_python.where == "pyproject.toml:4"


def test_a_requirements_file_is_no_profile(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        wanted(project, profiles=("my requirements.txt",))
    assert caught.value.code == "PRF013"
    assert caught.value.hint == "envsmith lock PROFILE -r 'my requirements.txt'"


def test_a_slip_of_the_pen_is_told_from_a_profile_that_was_never_locked(project: Path) -> None:
    place = project / "lockfiles"
    assert profile_names(("voise",), project, place) == ("voise",), "nothing is locked that could be meant"
    (place / "voice").mkdir(parents=True)
    (place / "voice/manifest.toml").write_text("", "utf-8")
    for name in ("voice", "cpu-minimal", "cu129"):
        assert profile_names((name,), project, place) == (name,)
    with pytest.raises(LockError) as caught:
        profile_names(("voice", "voise"), project, place)
    assert caught.value.code == "LCK040"
    assert "did you mean voice?" in caught.value.hint
