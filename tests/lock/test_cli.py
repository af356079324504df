import json
from pathlib import Path

import pytest

from envsmith.cli.main import main
from envsmith.console.answer_cache import recall
from envsmith.errors import ToolError
from envsmith.model.shell import SHELLS
from envsmith.uv.resolver import UvResolver
from tests.fakes import FakeResolver

SLUG = "cp312-manylinux_2_28_x86_64"
WORDS = [
    "lock",
    "cu128",
    "--catalog",
    "embedded",
    "--python",
    "3.12",
    "--platform",
    "linux",
    "--as-of",
    "2026-11-20",
]


@pytest.fixture
def resolver(project: Path, monkeypatch: pytest.MonkeyPatch) -> FakeResolver:
    """Answers in the place of uv."""
    assert project.is_dir()
    fake = FakeResolver(extra={"torch": ("filelock",)})
    monkeypatch.setattr(UvResolver, "resolve", lambda _, plan: fake.resolve(plan))
    return fake


def written(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "lockfiles" / "cu128").iterdir()}


def test_lock_writes_and_tells(
    project: Path, resolver: FakeResolver, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(WORDS) == 0
    shown = capfd.readouterr()
    scripts = {shell.file for shell in SHELLS}
    assert set(written(project)) == {
        "manifest.toml", f"pylock.{SLUG}.toml", f"requirements.{SLUG}.txt", *scripts
    }  # fmt: skip
    assert "7 activation scripts" in shown.out
    assert "cu130 follows" in shown.out
    assert "2.11.0+cu128" in shown.out
    assert f"cu128/{SLUG}" in shown.err
    assert len(resolver.plans) == 1


@pytest.mark.usefixtures("resolver")
def test_check_says_no_after_a_change(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main(WORDS)
    check = [*WORDS[:-2], "--check"]
    before = written(project)
    assert main(check) == 0
    assert main([*check, "--backend", "cu126"]) == 1
    assert main([*check, "--python", "3.13", "--json"]) == 1
    out = capfd.readouterr().out
    report = json.loads(out[out.index("{") :])
    assert {item["code"] for item in report["data"]["findings"]} == {"LCK032"}
    assert report["status"] == "no"
    assert written(project) == before


@pytest.mark.usefixtures("resolver")
def test_a_lock_with_nothing_to_do_is_remembered_until_an_input_changes(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main(WORDS)
    assert recall(WORDS) == "", "it wrote files"
    assert main(WORDS) == 0
    assert "wrote     nothing: lockfiles/cu128 is current" in capfd.readouterr().out
    assert recall(WORDS) == "current: cu128"
    pylock = project / "lockfiles" / "cu128" / f"pylock.{SLUG}.toml"
    pylock.write_bytes(pylock.read_bytes())
    assert recall(WORDS) == ""


@pytest.mark.usefixtures("resolver", "project")
@pytest.mark.parametrize("more", [["-U"], ["-P", "torch"], ["--json"], ["--dry-run"], ["--savings"]])
def test_what_depends_on_the_index_or_prints_more_is_not_remembered(more: list[str]) -> None:
    main(WORDS)
    assert main([*WORDS, *more]) == 0
    assert recall([*WORDS, *more]) == ""


@pytest.mark.usefixtures("resolver")
def test_a_check_is_not_remembered_beyond_the_lock_whose_versions_it_has(project: Path) -> None:
    (project / "profiles").mkdir()
    text = 'extends = "cu128"\nversions-of = "cu128"\n'
    (project / "profiles" / "twin.toml").write_text(text, "utf-8")
    main(WORDS)
    main(["lock", "twin", *WORDS[2:]])
    check = ["lock", "twin", "--check"]
    assert main(check) == 0
    assert recall(check) == "current: twin"
    other = project / "lockfiles" / "cu128" / f"requirements.{SLUG}.txt"
    other.write_bytes(other.read_bytes())
    assert recall(check) == ""


@pytest.mark.usefixtures("resolver")
def test_json_is_one_document(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--json"]) == 0
    shown = capfd.readouterr()
    document = json.loads(shown.out)
    assert (document["schema_version"], document["command"], document["status"]) == (1, "lock", "ok")
    (target,) = document["data"][0]["targets"]
    assert (target["target"], target["packages"]) == (SLUG, 4)
    assert shown.err == ""


def test_one_profile_that_fails_keeps_none_from_its_lock(
    project: Path, resolver: FakeResolver, capfd: pytest.CaptureFixture[str]
) -> None:
    resolver.fails = lambda plan: ToolError("TOL021", "uv failed") if plan.profile == "cu130" else None
    assert main(["lock", "cu130", *WORDS[1:]]) == 2
    assert "TOL021" in capfd.readouterr().err
    assert sorted(path.name for path in (project / "lockfiles").iterdir()) == [".gitattributes", "cu128"]


@pytest.mark.usefixtures("resolver")
def test_dry_run_writes_nothing(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--dry-run"]) == 0
    assert "dry run" in capfd.readouterr().out
    assert not (project / "lockfiles").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--catalog", "newest"],
        ["-j", "0"],
        ["--as-of", "soon"],
        ["--as-of", "2099-01-01"],
        ["--python", "2.7"],
        ["--platform", "beos"],
        ["--backend", "cuda"],
    ],
)
@pytest.mark.usefixtures("resolver")
def test_words_that_are_none(words: list[str], project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "cu128", *words]) == 2
    shown = capfd.readouterr()
    assert (shown.out, "error" in shown.err) == ("", True)
    assert not (project / "lockfiles").exists()


@pytest.mark.usefixtures("resolver")
def test_it_is_said_that_the_profile_is_locked_and_not_the_file_beside(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "requirements.txt").write_text("requests\n", "utf-8")
    (project / "profiles").mkdir()
    (project / "profiles/cu128.toml").write_text(
        'backend = "cu128"\npython = ["3.12"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n'
        'on-retired = "stable"\n',
        "utf-8",
    )
    assert main(WORDS) == 0
    lines = [line.strip() for line in capfd.readouterr().out.splitlines()]
    (said,) = (number for number, line in enumerate(lines) if "not read: requirements.txt" in line)
    assert "requirements from the profile" in lines[said]
    assert "-r requirements.txt" in lines[said + 1]


def test_a_python_that_the_project_does_not_run_on(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.14"\ndependencies = ["torch"]\n'
    (project / "pyproject.toml").write_text(text, "utf-8")
    assert main([*WORDS]) == 1
    shown = capfd.readouterr().err
    assert "RES027" in shown
    assert "pyproject.toml:4" in shown
    assert not (project / "lockfiles").exists()
