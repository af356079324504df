from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.config.requirements.requirements_files import read_pyproject, read_requirements
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.errors import EnvsmithError, ProfileError
from tests.systems import posix_only


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/")
        path = path.with_name(path.name + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def asked(file: RequirementsFile) -> list[str]:
    return [f"{item.requirement} {item.origin}" for item in file.requirements]


def test_includes_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    write(
        tmp_path, r="a\n-r sub/b.txt\n-c sub/c.txt\n", sub__b="b\n-r ../d.txt", sub__c="c<2\n", d="d\n--pre"
    )
    file = read_requirements(tmp_path, ["r.txt"])
    assert asked(file) == ["a r.txt:1", "b sub/b.txt:1", "d d.txt:1"]
    assert [f"{item.requirement} {item.origin}" for item in file.constraints] == ["c<2 sub/c.txt:1"]
    assert file.pre
    assert file.includes == ()
    assert file.place == "r.txt, sub/b.txt, d.txt, sub/c.txt"


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    write(tmp_path, r="-r a.txt\n-r ./a.txt\n", a="a")
    assert asked(read_requirements(tmp_path, ["r.txt", "a.txt"])) == ["a a.txt:1"]


def test_what_a_constraints_file_includes_constrains_too(tmp_path: Path) -> None:
    write(tmp_path, r="-c c.txt", c="-r d.txt", d="d")
    file = read_requirements(tmp_path, ["r.txt"])
    assert (len(file.requirements), len(file.constraints)) == (0, 1)


def test_places_do_not_tell_where_the_project_lies(tmp_path: Path) -> None:
    project = tmp_path / "home" / "project"
    write(tmp_path, home__project__r="a", home__shared="s", far__away="f")
    names = [str(project / "r.txt"), "../shared.txt", str(tmp_path / "far" / "away.txt")]
    found = asked(read_requirements(project, names))
    assert found == ["a r.txt:1", "s ../shared.txt:1", "f away.txt:1"]


def test_a_missing_file_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, r="a\n-r b.txt", b="-r c.txt\n-c d.txt")
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["r.txt", "missing.txt"])
    assert [(part.code, part.where) for part in caught.value.parts] == [
        ("PRF030", "b.txt:1: c.txt"),
        ("PRF030", "b.txt:2: d.txt"),
        ("PRF030", "missing.txt"),
    ]
    assert all(part.hint for part in caught.value.parts)


def test_a_circle_is_told_with_its_members(tmp_path: Path) -> None:
    write(tmp_path, r="-r a.txt", a="\n-r b.txt", b="-r a.txt")
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["r.txt"])
    assert (caught.value.code, caught.value.where) == ("PRF032", "b.txt:1")
    assert "a.txt → b.txt → a.txt" in caught.value.message


def test_a_file_may_not_include_itself(tmp_path: Path) -> None:
    write(tmp_path, r="-r r.txt")
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["r.txt"])
    assert caught.value.code == "PRF032"


def test_all_problems_of_all_files_are_told(tmp_path: Path) -> None:
    write(tmp_path, r="-r a.txt\n-r b.txt\n", a="-e x\nx y\n", b="-i http://example.org\n")
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["r.txt"])
    assert [part.where for part in caught.value.parts] == ["a.txt:1", "a.txt:2", "b.txt:1"]


def test_labels_contradict_across_files(tmp_path: Path) -> None:
    write(tmp_path, r="torch==2.3.1+cpu\n-r a.txt", a="torchvision==0.18.1+cu121")
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["r.txt"])
    assert (caught.value.code, caught.value.where) == ("PRF022", "a.txt:1")


@posix_only("a file whose name is too long is one that does not exist")
@pytest.mark.parametrize(
    ("line", "code"),
    [("-r .", "PRF031"), ("-r sub", "PRF031"), ("-r bad.txt", "PRF031"), (f"-r {'x' * 300}", "TOL012")],
)
def test_what_cannot_be_read(tmp_path: Path, line: str, code: str) -> None:
    write(tmp_path, r=line, sub__a="a")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfea")
    with pytest.raises(EnvsmithError) as caught:
        read_requirements(tmp_path, ["r.txt"])
    assert caught.value.code == code
    assert caught.value.where.startswith("r.txt:1: ")
    assert caught.value.hint


def test_an_endless_chain_of_includes_is_refused(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n")
    (tmp_path / "60.txt").write_text("a\n")
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["0.txt"])
    assert (caught.value.code, caught.value.where) == ("PRF032", "49.txt:1")
    assert asked(read_requirements(tmp_path, ["20.txt"])) == ["a 60.txt:1"]


def test_pyproject(tmp_path: Path) -> None:
    assert read_pyproject(tmp_path) is None
    with pytest.raises(ProfileError) as caught:
        read_pyproject(tmp_path, extras=["x"])
    assert (caught.value.code, caught.value.where) == ("PRF030", "pyproject.toml")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["a"]\n')
    file = read_pyproject(tmp_path)
    assert file is not None
    assert asked(file) == ["a pyproject.toml:2"]


CONTENT = "hunter2 is the password of everything in this file\n"


@posix_only("symbolic links")
@pytest.mark.parametrize(
    "name", ["{outside}", "../outside.txt", "link.txt", "sub/../../outside.txt", "linked/outside.txt"]
)
def test_a_manifest_names_no_file_outside_the_project(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    write(tmp_path, outside=CONTENT, project__sub__a="a")
    (project / "link.txt").symlink_to("../outside.txt")
    (project / "linked").symlink_to("..")
    name = name.format(outside=tmp_path / "outside.txt")
    with pytest.raises(ProfileError) as caught:
        read_requirements(project, [name], "lockfiles/cpu/manifest.toml")
    assert (caught.value.code, caught.value.where) == ("PRF025", "lockfiles/cpu/manifest.toml")
    assert "hunter2" not in str(caught.value)
    assert name in caught.value.message


def test_a_path_of_windows_is_shown_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="PRF025") as caught:
        read_requirements(tmp_path, ["C:\\가 나\\r.txt"], "lockfiles/cpu/manifest.toml")
    assert caught.value.message == "`C:\\가 나\\r.txt` is outside the project"


@posix_only("symbolic links")
@pytest.mark.parametrize("line", ["-r ../outside.txt", "-c {outside}", "-r link.txt"])
def test_a_file_of_the_project_includes_none_outside_its_repository(tmp_path: Path, line: str) -> None:
    project = tmp_path / "repository" / "project"
    write(tmp_path, repository__outside="a\n", repository__project__r=line.format(outside=tmp_path / "x"))
    (project / "link.txt").symlink_to("../outside.txt")
    with pytest.raises(ProfileError) as caught:
        read_requirements(project, ["r.txt"])
    assert (caught.value.code, caught.value.where) == ("PRF025", "r.txt:1")
    if "outside}" not in line:
        (tmp_path / "repository" / ".git").mkdir()
        read_requirements(project, ["r.txt"])
    write(tmp_path, far__r="-r ../far.txt", far="b")
    assert asked(read_requirements(project, ["../../far/r.txt"])) == ["b far.txt:1"]


def test_messages_show_the_begin_of_a_line_only(tmp_path: Path) -> None:
    secret = "verysecret" * 20
    lines = (
        "a b " + secret,
        f"--{secret}",
        f"-e {'x' * 50}{secret}",
        f"~/{'x' * 50}{secret}",
        "${" + secret + "}",
    )
    write(tmp_path, r="\n".join(lines))
    with pytest.raises(ProfileError) as caught:
        read_requirements(tmp_path, ["r.txt"])
    assert len(caught.value.parts) == len(lines)
    assert all(
        len(part.message) < 150 and "verysecret" * 5 not in part.message for part in caught.value.parts
    )
