from __future__ import annotations

from collections.abc import Callable

import pytest

from envsmith.config.profile_reader import ProfileSource, parse, resolve
from envsmith.errors import ProfileError

GOOD = 'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\n'

# What stands after the three good lines (or instead of one of them), then code, place and a word of the hint.
MALFORMED = [
    ("bakend = 1", "PRF003", "4: bakend", "did you mean backend"),
    ('name = "x"', "PRF003", "4: name", "known:"),
    ("[environment]\nA = '1'", "PRF003", "4: environment", "env"),
    ("on_retired = 'error'", "PRF003", "4: on_retired", "on-retired"),
    ("summary = 3", "PRF004", "4: summary", "quotes"),
    ("summary = 'a\\n'\nsummary2 = ''", "PRF003", "5: summary2", "summary"),
    ('summary = "a\\nb"', "PRF005", "4: summary", "one line"),
    ('summary = "\\u001b[31m"', "PRF005", "4: summary", "one line"),
    ('summary = ""', "PRF005", "4: summary", "remove the key"),
    ("channel = 'beta'", "PRF005", "4: channel", "stable, test, nightly"),
    ("channel = 1", "PRF005", "4: channel", "stable, test, nightly"),
    ("channel = ['stable']", "PRF005", "4: channel", "stable, test, nightly"),
    ("index = 'conda'", "PRF005", "4: index", "pytorch, pypi"),
    ("index = 'pypi'\nchannel = 'nightly'", "PRF008", "4: index", "pytorch"),
    ("on-retired = 'ignore'", "PRF005", "4: on-retired", "error, successor, stable"),
    ("requirements = 'torch'", "PRF004", "4: requirements", "brackets"),
    ("requirements = [\n1]", "PRF004", "5: requirements[0]", "quotes"),
    ("requirements = ['torch',\n\n'a b']", "PRF020", "6: requirements[1]", "PEP 508"),
    ("requirements = ['a @ https://example.org/a.whl']", "PRF021", "4: requirements[0]", "./FOLDER"),
    ("constraints = ['-e .']", "PRF021", "4: constraints[0]", "by name"),
    ("overrides = ['./a']", "PRF021", "4: overrides[0]", "by name"),
    ("constraints = ['a>>1']", "PRF020", "4: constraints[0]", "PEP 508"),
    ("overrides = [['a']]", "PRF004", "4: overrides[0]", "quotes"),
    ("family = 'drop'", "PRF004", "4: family", "{ key = value }"),
    ("family = {torch = 'drop'}", "PRF003", "4: family.torch", "torchaudio"),
    ("[family]\ntorchaudio = 'no'", "PRF005", "5: family.torchaudio", "auto, keep, drop"),
    ("gpu = 'RTX 5080'", "PRF004", "4: gpu", "brackets"),
    ("gpu = [8.9]", "PRF004", "4: gpu[0]", "quotes"),
    ("gpu = ['']", "PRF005", "4: gpu[0]", "remove"),
    ("env = []", "PRF004", "4: env", "{ key = value }"),
    ("env = {A = 0}", "PRF004", "4: env.A", "quotes"),
    ("env = {'A-B' = '0'}", "PRF005", "4: env.A-B", "letters"),
    ("env = {PATH = '/x'}", "PRF005", "4: env.PATH", "remove it"),
    ("env = {Path = '/x'}", "PRF005", "4: env.Path", "remove it"),
    ("env = {VIRTUAL_ENV = '/x'}", "PRF005", "4: env.VIRTUAL_ENV", "remove it"),
    ("env = {_ENVSMITH_CHANGED = 'A'}", "PRF005", "4: env._ENVSMITH_CHANGED", "remove it"),
    ("env = {'' = '0'}", "PRF005", "4: env.''", "letters"),
    ("env = {'A=B' = '0'}", "PRF005", "4: env.'A=B'", "letters"),
    ('env = {A = "a\\u0000b"}', "PRF005", "4: env.A", "remove it"),
    ("allow-sdist = ['a b']", "PRF005", "4: allow-sdist[0]", "letters"),
    ("allow-sdist = true", "PRF004", "4: allow-sdist", "brackets"),
    ("checks = 1", "PRF004", "4: checks", "brackets"),
    ("checks = [{}]", "PRF005", "4: checks[0]", "import"),
    ("checks = [{import = 'a b'}]", "PRF005", "4: checks[0].import", "such as"),
    ("models = {}", "PRF004", "4: models", "brackets"),
    ("models = [1]", "PRF004", "4: models[0]", "{ key = value }"),
    ("[[models]]\npath = 1\nformat = 'onnx'", "PRF004", "5: models[0].path", "quotes"),
    ("shims = [1]", "PRF004", "4: shims[0]", "quotes"),
    ('shims = ["torchaudio-legacy"]', "PRF005", "4: shims[0]", "did you mean torchaudio-legacy-api?"),
    ('safe-globals = ["os.system"]', "PRF005", "4: safe-globals[0]", "state_dict"),
    ('safe-globals = ["x y.z"]', "PRF005", "4: safe-globals[0]", "TorchVersion"),
    ('safe-globals = ["a.B"]', "PRF016", "4: safe-globals", "shims = "),
    ('shims = ["torch-safe-globals"]', "PRF016", "4: shims", "safe-globals = "),
    ("prune = {}", "PRF004", "4: prune", "brackets"),
    ("extends = ''", "PRF005", "4: extends", "remove the key"),
    ("extends = '../x'", "PRF006", "4: extends", "folder"),
    ("extends = 'missing'", "PRF013", "4: extends", "remove"),
    ("extends = 'x'", "PRF009", "4: extends", "remove one of"),
]
REPLACED = [
    ('backend = "cpu"', 'backend = "cuda"', "PRF010", "1: backend", "cu128"),
    ('backend = "cpu"', "backend = 128", "PRF004", "1: backend", "quotes"),
    ('backend = "cpu"', "", "PRF014", ": backend is missing", "backend ="),
    ('python = ["3.12"]', "", "PRF014", ": python is missing", "python ="),
    ('platforms = ["linux"]', "", "PRF014", ": platforms is missing", "platforms ="),
    ('["3.12"]', "[]", "PRF005", "2: python", "at least one"),
    ('["3.12"]', '["3.12", "3"]', "PRF012", "2: python[1]", "3.12"),
    ('["3.12"]', "[3.12]", "PRF004", "2: python[0]", "quotes"),
    ('["linux"]', '["linux", "beos"]', "PRF011", "3: platforms[1]", "linux"),
    ('["linux"]', '"linux"', "PRF004", "3: platforms", "brackets"),
    ('"cpu"', '"cu128"\npython = ["3.12"]', "PRF001", "3", "correct the line"),
    ('["linux"]', '["macosx_11_0_x86_64"]\n[[tool]]', "PRF003", "4: tool", "known"),
]


def refused(text: str) -> ProfileError:
    with pytest.raises(ProfileError) as caught:
        parse(text, "profiles/x.toml", "x")
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(("text", "code", "place", "hint"), MALFORMED)
def test_malformed_keys(text: str, code: str, place: str, hint: str) -> None:
    error = refused(GOOD + text)
    assert (error.code, error.where) == (code, f"profiles/x.toml:{place}")
    assert hint in error.hint


@pytest.mark.parametrize(("old", "new", "code", "place", "hint"), REPLACED)
def test_malformed_necessary_keys(old: str, new: str, code: str, place: str, hint: str) -> None:
    error = refused(GOOD.replace(old, new))
    assert error.code == code
    assert f"profiles/x.toml{place if place.startswith(':') else ':' + place}" in str(error)
    assert hint in error.hint


@pytest.mark.parametrize("text", ["", "a", "[", "a = ", "\0", "\ufeff", "x = " + "[" * 9999])
def test_what_is_no_profile_at_all(text: str) -> None:
    error = refused(text)
    assert error.where.startswith("profiles/x.toml")
    assert error.hint


def test_all_problems_are_told_at_once() -> None:
    text = 'bakend = 1\npython = ["3", "3.12", 4]\nplatforms = "linux"\nenv = {A = 0}\nchannel = "x"'
    error = refused(text)
    assert (error.code, error.message) == ("PRF002", "7 problems")
    assert [(part.code, part.where.removeprefix("profiles/x.toml")) for part in error.parts] == [
        ("PRF003", ":1: bakend"),
        ("PRF012", ":2: python[0]"),
        ("PRF004", ":2: python[2]"),
        ("PRF004", ":3: platforms"),
        ("PRF004", ":4: env.A"),
        ("PRF005", ":5: channel"),
        ("PRF014", ""),
    ]


def test_macos_goes_with_cpu_only() -> None:
    text = 'backend = "cu128"\npython = ["3.12"]\nplatforms = ["linux",\n"macos", "macosx_15_0_arm64"]\n'
    error = refused(text)
    assert [(part.code, part.where) for part in error.parts] == [
        ("PRF007", "profiles/x.toml:4: platforms[1]"),
        ("PRF007", "profiles/x.toml:4: platforms[2]"),
    ]
    assert "cpu" in error.parts[0].hint
    parse(text.replace("cu128", "cpu"), "x.toml", "x")


def loading(**texts: str) -> Callable[[str], ProfileSource]:
    def load(name: str) -> ProfileSource:
        if name not in texts:
            raise ProfileError("PRF013", f"there is no profile {name!r}", hint="known: " + ", ".join(texts))
        return ProfileSource(text=texts[name], place=f"profiles/{name}.toml")

    return load


BASE = GOOD + (
    'requirements = ["torch"]\nenv = {A = "1", B = "2"}\nfamily = {torchvision = "auto"}\n'
    'checks = [{import = "a"}]\n'
    "models = [{path = 'a.onnx', format = 'onnx'}]\n"
)
CHILD = (
    'extends = "base"\nrequirements = ["torch", "numpy"]\nenv = {B = "3"}\n'
    'family = {torchaudio = "drop"}\nchecks = [{run = "b", timeout-s = 2}]\n'
)


def test_lists_replace_and_tables_merge() -> None:
    profile = resolve("child", loading(base=BASE, child=CHILD))
    assert profile.requirements == ("numpy", "torch")
    assert dict(profile.env) == {"A": "1", "B": "3"}
    assert dict(profile.family) == {"torchaudio": "drop", "torchvision": "auto"}
    assert (profile.name, profile.extends) == ("child", ("base",))
    assert parse(profile.to_toml(), "shown", "child") == profile


def test_a_family_names_the_member_that_stays() -> None:
    profile = parse(GOOD + '[family]\nopencv = "OpenCV-Python"\n"nvidia/nccl" = "x"\n', "x.toml", "x")
    assert profile.family["opencv"] == "opencv-python"
    assert profile.where("family", "nvidia/nccl").startswith("x.toml:")
    assert parse(profile.to_toml(), "shown", "x") == profile


@pytest.mark.parametrize("text", ['torchvison = "drop"', 'opencv = "a b"', "opencv = 1"])
def test_other_words_for_a_family_are_refused(text: str) -> None:
    with pytest.raises(ProfileError):
        parse(f"{GOOD}[family]\n{text}\n", "x.toml", "x")


def test_the_places_are_those_of_the_file_that_decided() -> None:
    profile = resolve("child", loading(base=BASE, child=CHILD))
    assert profile.where("python", "3.12") == "profiles/base.toml:2: python[0]"
    assert profile.where("requirements", "torch") == "profiles/child.toml:2: requirements[0]"
    assert profile.where("env", "A") == "profiles/base.toml:5: env.A"
    assert profile.where("env", "B") == "profiles/child.toml:3: env.B"


def test_problems_of_all_files_are_told() -> None:
    load = loading(a='extends = "b"\nx = 1', b='extends = "c"\ny = 1', c="z = 1\n" + GOOD)
    with pytest.raises(ProfileError) as caught:
        resolve("a", load)
    assert [part.where for part in caught.value.parts] == [
        "profiles/a.toml:2: x",
        "profiles/b.toml:2: y",
        "profiles/c.toml:1: z",
    ]


def test_a_clash_between_files_is_told_where_the_value_stands() -> None:
    load = loading(a='extends = "b"\nbackend = "cu128"', b=GOOD.replace("linux", "macos"))
    with pytest.raises(ProfileError) as caught:
        resolve("a", load)
    assert (caught.value.code, caught.value.where) == ("PRF007", "profiles/b.toml:3: platforms[0]")


def test_a_circle_is_told_with_its_members() -> None:
    load = loading(a='extends = "b"', b='extends = "c"', c='extends = "b"')
    with pytest.raises(ProfileError) as caught:
        resolve("a", load)
    assert caught.value.code == "PRF009"
    assert "b → c → b" in caught.value.message
    assert caught.value.where == "profiles/c.toml:1: extends"


def test_not_toml_in_an_extended_file() -> None:
    with pytest.raises(ProfileError) as caught:
        resolve("a", loading(a='\nextends = "b"', b="x = 1\ny"))
    assert caught.value.code == "PRF001"
    assert caught.value.where == "profiles/a.toml:2: extends: profiles/b.toml:2"


def test_an_unknown_profile() -> None:
    with pytest.raises(ProfileError) as caught:
        resolve("nope", loading(a=GOOD))
    assert (caught.value.code, caught.value.hint) == ("PRF013", "known: a")


def test_a_profile_inside_a_larger_file() -> None:
    text = "[project]\nname = 'p'\n[tool.envsmith.profiles.x]\n" + GOOD.replace("3.12", "3")
    source = ProfileSource(text=text, place="pyproject.toml", table=("tool", "envsmith", "profiles", "x"))
    with pytest.raises(ProfileError) as caught:
        resolve("x", lambda _: source)
    assert caught.value.where == "pyproject.toml:5: tool.envsmith.profiles.x.python[0]"
