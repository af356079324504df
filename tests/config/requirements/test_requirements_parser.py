from __future__ import annotations

import pytest

from envsmith.config.requirements.requirements_parser import Include, RequirementsFile, parse_requirements
from envsmith.errors import ProfileError

WHL = "https://download.pytorch.org/whl"
# PyPI's own address, as people copy it into their files.
PYPI = f"https://pypi.{'org'}/simple"

MALFORMED = [
    ("-e six", "PRF021", "./FOLDER"),
    ("hg+https://example.org/a", "PRF021", "index"),
    ("https://example.org/a", "PRF021", "./FOLDER"),
    ("https://u:p@example.org/a-1.0-py3-none-any.whl", "PRF056", "netrc"),
    ("a b", "PRF020", "PEP 508"),
    ("a=1", "PRF020", "PEP 508"),
    ("a>=1+cpu", "PRF020", "PEP 508"),
    ("a; os = 'nt'", "PRF020", "PEP 508"),
    ("==1.0", "PRF020", "PEP 508"),
    ("a\x1b[31m", "PRF020", "plain text"),
    ("a\x00", "PRF020", "plain text"),
    ("a==${VERSION}", "PRF023", "the value itself"),
    ("-r ${HOME}/r.txt", "PRF023", "the value itself"),
    ("--index-url https://${TOKEN}@example.org/simple", "PRF023", "the value itself"),
    ("--index-url https://u:secret@example.org/simple", "PRF054", "UV_INDEX_EXAMPLE_ORG_PASSWORD"),
    ("-ihttp://example.org/simple", "PRF015", "write it"),
    ("--extra-index-url=https://example.org/simple?a=b", "PRF015", "write it"),
    ("-f ./wheels", "PRF026", "remove the line"),
    (f"--find-links {PYPI}", "PRF026", "remove the line"),
    ("--index-url", "PRF024", "one option per line"),
    ("-r", "PRF024", "one option per line"),
    ("--pre=yes", "PRF024", "one option per line"),
    ("--pre x", "PRF024", "known"),
    ("--extra-index https://example.org", "PRF024", "did you mean --extra-index-url"),
    ("-x", "PRF024", "known"),
    ("-", "PRF024", "known"),
    ("--", "PRF024", "known"),
    ("-r 'a.txt", "PRF024", "close it"),
    ("-r https://example.org/r.txt", "PRF025", "store the file"),
    ("--no-binary :all:", "PRF024", "allow-sdist"),
    ("--no-index", "PRF024", "remove it"),
    ("--trusted-host example.org", "PRF024", "remove it"),
    ("--use-feature fast-deps", "PRF024", "remove it"),
    ("a==1 --config-settings x=y", "PRF024", "--hash"),
    ("a==1 -r b.txt", "PRF024", "--hash"),
    (f"torch --index-url {WHL}/cpu", "PRF024", "a line of its own"),
    (f"torch -i {WHL}/cpu", "PRF024", "a line of its own"),
    (f"torch==2.8.0 --extra-index-url={WHL}/cpu", "PRF024", "a line of its own"),
    ("torch -f ./wheels", "PRF026", "remove the line"),
    ("torch -f", "PRF024", "a line of its own"),
    ("torch -f --pre", "PRF024", "a line of its own"),
    ("a" * 3000, "PRF020", "PEP 508"),
    ("a" + " " * 300_000 + "b", "PRF020", "PEP 508"),
    ("a==1 --hash", "PRF024", "--hash=sha256"),
    ("a" + " --hash" * 50_001, "PRF024", "--hash"),
]


def read(text: str) -> RequirementsFile:
    return parse_requirements(text, "requirements.in")


def asked(file: RequirementsFile) -> list[tuple[str, str]]:
    return [(str(item.requirement), item.origin) for item in file.requirements]


@pytest.mark.parametrize(("line", "code", "hint"), MALFORMED)
def test_malformed_lines(line: str, code: str, hint: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read(f"numpy\n\n{line}\ntorch\n")
    error = caught.value
    assert (error.code, error.where, error.exit_code) == (code, "requirements.in:3", 2)
    assert hint in error.hint


def test_all_problems_are_told_at_once() -> None:
    text = "\n".join(line for line, _, _ in MALFORMED)
    with pytest.raises(ProfileError) as caught:
        read(text)
    assert [(part.code, part.where) for part in caught.value.parts] == [
        (code, f"requirements.in:{number}") for number, (_, code, _) in enumerate(MALFORMED, 1)
    ]


def test_requirements_with_markers_extras_comments_and_continuations() -> None:
    file = read(
        "# all\ntorch==2.3.1+cpu  # x\nuvicorn[standard] >=0.3 ; \\\n  python_version<'3.12'\n\nzip\n"
    )
    assert asked(file) == [
        ("torch==2.3.1+cpu", "requirements.in:2"),
        ('uvicorn[standard]>=0.3; python_version < "3.12"', "requirements.in:3"),
        ("zip", "requirements.in:6"),
    ]
    assert (file.includes, file.pytorch_lines, file.pre, file.notes) == ((), (), False, ())


def test_indexes_of_a_company() -> None:
    file = read("-i https://a.example/simple\n--extra-index-url=https://b.example:8443/simple/\nsix\n")
    assert [str(index) for index in file.indexes] == [
        "b-example-8443 https://b.example:8443/simple/",
        "a-example https://a.example/simple default",
    ]


def test_includes_are_returned_with_their_line() -> None:
    file = read("-r base.txt\n-rdev.txt\n--requirement=a/b.txt\n-c c.txt\n--constraint 'd e.txt'\n")
    assert file.includes == tuple(
        Include(kind=kind, path=path, origin=f"requirements.in:{line}")
        for line, (kind, path) in enumerate(
            [
                ("requirements", "base.txt"),
                ("requirements", "dev.txt"),
                ("requirements", "a/b.txt"),
                ("constraints", "c.txt"),
                ("constraints", "d e.txt"),
            ],
            1,
        )
    )


def test_lines_that_name_pytorchs_index_are_replaced_with_a_note() -> None:
    file = read(
        f"--pre --extra-index-url {WHL}/nightly/cu128\n"
        f"-i {WHL}/cu118\n-f {WHL}/torch_stable.html\n--find-links {WHL}/cpu/torch_stable.html\n"
    )
    assert [(line.kind, line.backend, line.channel, line.origin) for line in file.pytorch_lines] == [
        ("extra-index", "cu128", "nightly", "requirements.in:1"),
        ("index", "cu118", "stable", "requirements.in:2"),
        ("find-links", None, "stable", "requirements.in:3"),
        ("find-links", "cpu", "stable", "requirements.in:4"),
    ]
    assert file.pre
    assert [(note.code, note.evidence) for note in file.notes] == [
        ("PRF101", (f"requirements.in:{line}",)) for line in (1, 2, 3, 4)
    ]
    assert "torch_stable.html" in file.notes[2].message


@pytest.mark.parametrize("option", ["-f ", "-f", "--find-links ", "--find-links="])
def test_a_page_on_the_line_of_a_requirement(option: str) -> None:
    file = read(f"torch==2.8.0 ; os_name == 'nt' {option}{WHL}/cpu/torch_stable.html --hash=sha256:aa\nsix\n")
    assert asked(file) == [
        ('torch==2.8.0; os_name == "nt"', "requirements.in:1"),
        ("six", "requirements.in:2"),
    ]
    assert [(line.backend, line.origin) for line in file.pytorch_lines] == [("cpu", "requirements.in:1")]
    assert [note.code for note in file.notes] == ["PRF101"]
    assert file.requirements[0].hashes == ("sha256:aa",)


def test_pypis_own_address_changes_nothing() -> None:
    file = read(f"--index-url {PYPI}\n--extra-index-url {PYPI}/\n")
    assert [note.code for note in file.notes] == ["PRF104", "PRF104"]
    assert file.pytorch_lines == ()


def test_given_hashes_are_kept() -> None:
    file = read("a==1 --hash=sha256:BB \\\n  --hash sha256:aa\nb==1 ; os_name == 'nt' --hash=sha256:cc\nc\n")
    assert asked(file) == [
        ("a==1", "requirements.in:1"),
        ('b==1; os_name == "nt"', "requirements.in:3"),
        ("c", "requirements.in:4"),
    ]
    assert [item.hashes for item in file.requirements] == [("sha256:aa", "sha256:bb"), ("sha256:cc",), ()]
    assert file.requirements[0].allowed_sha256("any.whl") == ("aa", "bb")
    assert file.notes == ()


def test_hashes_that_are_not_sha256_are_noted() -> None:
    file = read("a==1 --hash=sha512:aa --hash=md5:bb\nb==1 --hash=sha256:cc --hash=sha384:dd\n")
    assert [item.allowed_sha256("any.whl") for item in file.requirements] == [(), ("cc",)]
    assert [(note.code, note.message.rpartition(" ")[2]) for note in file.notes] == [("PRF102", "3")]


@pytest.mark.parametrize("text", ["sha256", "sha256:", "aa", "sha256:xyz", "sha256=aa"])
def test_malformed_hashes(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        read(f"a==1 --hash={text}\n")
    assert (caught.value.code, caught.value.where) == ("PRF024", "requirements.in:1")


def test_the_hash_in_the_url_of_a_wheel_is_for_that_file() -> None:
    name = "torch-2.8.0+cu128-cp312-cp312-win_amd64.whl"
    file = read(f"torch @ {WHL}/cu128/{name.replace('+', '%2B')}#sha256=AA\n")
    assert file.requirements[0].allowed_sha256(name) == ("aa",)
    assert file.requirements[0].allowed_sha256("torch-2.8.0+cu128-cp311-cp311-win_amd64.whl") == ()


def test_options_without_effect_are_noted() -> None:
    file = read("--require-hashes\n--prefer-binary\n--only-binary=:all:\n--only-binary a,b\n")
    assert [note.subject for note in file.notes] == [
        "--require-hashes",
        "--prefer-binary",
        "--only-binary",
        "--only-binary",
    ]


def test_a_wheel_of_pytorchs_becomes_a_pin_with_a_note() -> None:
    file = read(f"{WHL}/cu128/torch-2.8.0%2Bcu128-cp312-cp312-win_amd64.whl ; sys_platform == 'win32'\n")
    assert asked(file) == [('torch==2.8.0+cu128; sys_platform == "win32"', "requirements.in:1")]
    assert [(note.code, note.subject) for note in file.notes] == [("PRF103", "torch")]


def test_contradicting_labels_name_both_lines() -> None:
    with pytest.raises(ProfileError) as caught:
        read("torch==2.3.1+cpu\nnumpy\ntorchvision==0.18.1+cu121\n")
    assert (caught.value.code, caught.value.where) == ("PRF022", "requirements.in:3")
    assert "requirements.in:1" in caught.value.message


def test_labels_under_markers_are_left_to_the_target() -> None:
    file = read("torch==2.3.1+cpu; os_name == 'nt'\ntorch==2.3.1+cu121; os_name != 'nt'\n")
    assert len(file.requirements) == 2


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "\\\n", " \t\r\n"])
def test_nothing_asked(text: str) -> None:
    assert read(text) == RequirementsFile(place="requirements.in")
