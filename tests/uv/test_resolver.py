import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError, ToolError
from envsmith.model.package_index import PackageIndex
from envsmith.model.target import Platform
from envsmith.plan.model import ResolutionPlan
from envsmith.process.runner import CompletedProgram, Processes
from envsmith.uv import command as uv_command
from envsmith.uv.command import check_version, find_uv
from envsmith.uv.resolver import UvResolver, python_platform
from tests.values import CUTOFF, HEX, asked, plan, slice_of, target, torch

PYLOCK = f"""
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "filelock"
version = "3.20.0"
wheels = [{{ url = "https://files.example/filelock-3.20.0-py3-none-any.whl", hashes = {{ sha256 = "{HEX}" }} }}]
"""
ANNOTATED = "filelock==3.20.0\n    # via torch\n"


class Replies(Processes):
    """Fake uv that records its calls."""

    def __init__(self, status: int = 0, stderr: str = "", version: str = "uv 0.13.8") -> None:
        super().__init__()
        self.status = status
        self.stderr = stderr
        self.version = version
        self.calls: list[list[str]] = []
        self.files: list[dict[str, str]] = []
        self.env: Mapping[str, str] = {}

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,  # noqa: ARG002 - the signature of the base
        cwd: Path | None = None,
    ) -> CompletedProgram:
        words = [str(word) for word in command]
        if "--version" in words:
            return CompletedProgram(status=0, stdout=self.version, stderr="")
        if "--emit-index-url" in words:
            return CompletedProgram(
                status=0, stdout="--index-url https://files.example/simple\n\n", stderr=""
            )
        assert cwd
        self.calls.append(words)
        self.env = env
        self.files.append({path.name: path.read_text("utf-8") for path in cwd.iterdir() if path.is_file()})
        if self.status:
            return CompletedProgram(status=self.status, stdout="", stderr=self.stderr)
        if "--output-file" in words:
            output = Path(words[words.index("--output-file") + 1])
            output.write_text(PYLOCK if output.name == "pylock.toml" else ANNOTATED, "utf-8")
        return CompletedProgram(status=0, stdout="", stderr="")


def resolve(replies: Replies, tmp_path: Path, given: ResolutionPlan | None = None, **ways: Any) -> Replies:
    uv = UvResolver(replies, executable=Path("/uv"), slices=tmp_path / "slices", **ways)
    uv.resolve(given or plan("torch", "numpy<2", slice_=slice_of(torch("2.11.0+cu128"))))
    return replies


def value(words: list[str], flag: str) -> str:
    return words[words.index(flag) + 1]


def test_requirements_are_handed_over_as_files(tmp_path: Path) -> None:
    given = plan(
        "torch",
        "numpy<2",
        constraints=asked("pillow<12"),
        overrides=asked("setuptools<81"),
        excludes=("torchaudio",),
    )
    files = resolve(Replies(), tmp_path, given).files[0]
    assert files["requirements.in"] == "numpy<2\ntorch\n"
    assert files["constraints.txt"] == "pillow<12\n"
    assert files["overrides.txt"] == "setuptools<81\n"
    assert files["excludes.txt"] == "torchaudio\n"


def test_flags_say_target_cutoff_and_order_of_indexes(tmp_path: Path) -> None:
    words = resolve(Replies(), tmp_path).calls[0]
    assert value(words, "--python-version") == "3.12"
    assert value(words, "--python-platform") == "x86_64-manylinux_2_28"
    assert value(words, "--exclude-newer") == CUTOFF
    assert value(words, "--index-strategy") == "first-index"
    assert value(words, "--config-file").endswith("uv.toml")
    assert "--no-build" in words
    assert "--offline" not in words


def test_pages_of_the_default_index_are_fetched_once_even_if_a_proxy_forgets_how_long_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def indexes(given: ResolutionPlan | None = None, **ways: Any) -> list[dict[str, Any]]:
        replies = resolve(Replies(), tmp_path, given, **ways)
        found: list[dict[str, Any]] = tomllib.loads(replies.files[0]["uv.toml"])["index"]
        return found[1:]

    (index,) = indexes()
    assert (index["url"], index["default"]) == ("https://files.example/simple", True)
    assert index["cache-control"]["api"] == "max-age=600"
    assert indexes(offline=True) == []
    own = PackageIndex(name="own", url="https://own.example/simple", is_default=True)
    (index,) = indexes(replace(plan("torch"), indexes=(own,)))
    assert "cache-control" not in index
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")
    assert indexes() == []


def test_second_call_asks_who_requires_what_and_needs_no_network(tmp_path: Path) -> None:
    _, second = resolve(Replies(), tmp_path).calls
    assert "--offline" in second
    assert value(second, "--annotation-style") == "split"


def test_offline_is_offline_from_the_start(tmp_path: Path) -> None:
    assert all("--offline" in words for words in resolve(Replies(), tmp_path, offline=True).calls)


def test_moved_packages_have_their_own_cutoff(tmp_path: Path) -> None:
    given = plan("torch", moved={"numpy": "2026-11-21T00:00:00Z"})
    words = resolve(Replies(), tmp_path, given).calls[0]
    assert value(words, "--exclude-newer-package") == "numpy=2026-11-21T00:00:00Z"


def test_prereleases_are_for_the_slice_of_a_nightly_alone(tmp_path: Path) -> None:
    nightly = plan(
        "torch", channel="nightly", slice_=slice_of(torch("2.13.0.dev1+cu130", index="nightly/cu130"))
    )
    assert value(resolve(Replies(), tmp_path, nightly).calls[0], "--prerelease-package") == "torch=allow"
    assert "--prerelease-package" not in resolve(Replies(), tmp_path).calls[0]


FOREIGN = (
    "UV_INDEX_URL",
    "UV_INDEX_STRATEGY",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_PRERELEASE",
    "PYTHONPATH",
)
OWN = ("UV_CACHE_DIR", "UV_INDEX_CORP_USERNAME", "UV_INDEX_CORP_PASSWORD", "SSL_CERT_FILE", "HTTPS_PROXY")


def test_user_settings_are_shut_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*FOREIGN, *OWN):
        monkeypatch.setenv(name, f"value of {name}")
    env = resolve(Replies(), tmp_path).env
    assert {name: env.get(name) for name in OWN} == {name: f"value of {name}" for name in OWN}
    assert env["UV_PYTHON_DOWNLOADS"] == "never"
    assert not set(FOREIGN) & set(env)


def test_a_variable_names_a_mirror_of_pypi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert resolve(Replies(), tmp_path).env["UV_DEFAULT_INDEX"] == "https://pip.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert resolve(Replies(), tmp_path).env["UV_DEFAULT_INDEX"] == "https://uv.example/simple"
    own = replace(plan("six"), indexes=(PackageIndex.checked("https://own.example/simple", is_default=True),))
    replies = resolve(Replies(), tmp_path, own)
    assert "UV_DEFAULT_INDEX" not in replies.env
    assert (
        'url = "https://own.example/simple"\nexclude-newer = false\ndefault = true'
        in replies.files[0]["uv.toml"]
    )


def test_an_index_that_asks_for_a_password_is_named(tmp_path: Path) -> None:
    own = replace(plan("six"), indexes=(PackageIndex.checked("https://own.example/simple", "own"),))
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because six was not found\n\nhint: An index "
        "URL (https://own.example/simple) could not be queried due to a lack of valid authentication credentials "
        "(401 Unauthorized)"
    )
    with pytest.raises(ToolError) as caught:
        resolve(Replies(status=1, stderr=said), tmp_path, own)
    assert caught.value.code == "TOL059"
    assert "UV_INDEX_OWN_USERNAME" in caught.value.hint


@pytest.mark.parametrize(
    ("platform", "tags", "later"),
    [
        ("linux", "`manylinux_2_34_x86_64`, `manylinux_2_31_x86_64`", ("manylinux_2_31_x86_64",)),
        ("linux", "`manylinux2014_x86_64`, `manylinux_2_31_aarch64`", ()),
        ("macos", "`macosx_15_0_arm64`, `macosx_13_0_x86_64`", ("macosx_15_0_arm64",)),
        ("windows", "`manylinux_2_31_x86_64`", ()),
    ],
)
def test_the_floors_of_the_wheels_there_are(
    tmp_path: Path, platform: str, tags: str, later: tuple[str, ...]
) -> None:
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because open3d==0.19.0 has no wheels\n\n"
        f"hint: Wheels are available for `open3d` (v0.19.0) on the following platforms: {tags}"
    )
    with pytest.raises(NoSolutionError) as caught:
        resolve(Replies(status=1, stderr=said), tmp_path, plan(target=target(platform=platform)))
    assert caught.value.later_platforms == later
    assert caught.value.served_elsewhere == ("open3d",)


def test_wheels_for_a_later_glibc_are_named_with_the_option(tmp_path: Path) -> None:
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because open3d==0.19.0 has no wheels with a "
        "matching platform tag (e.g., `manylinux_2_28_x86_64`) and you require open3d\n\nhint: Wheels are available "
        "for `open3d` (v0.19.0) on the following platforms: `manylinux_2_34_x86_64`, "
        "`manylinux_2_31_x86_64`, `win_amd64`"
    )
    with pytest.raises(NoSolutionError) as caught:
        resolve(Replies(status=1, stderr=said), tmp_path)
    assert (
        "exists",
        "open3d 0.19.0: manylinux_2_34_x86_64, manylinux_2_31_x86_64, win_amd64",
    ) in caught.value.details
    assert caught.value.hint.endswith("lock with --platform manylinux_2_31_x86_64")


def test_macos_floor_is_told(tmp_path: Path) -> None:
    given = plan("torch", target=target(platform="macos", backend="cpu"))
    replies = resolve(Replies(), tmp_path, given)
    assert replies.env["MACOSX_DEPLOYMENT_TARGET"] == "14.0"
    assert value(replies.calls[0], "--python-platform") == "aarch64-apple-darwin"


LACKS = """error: No solution found when resolving dependencies
  cause: Because antlr4-python3-runtime>=4.9,<=4.9.3 has no usable wheels and only the following versions

hint: Wheels are required for `antlr4-python3-runtime` because building from source is disabled for all packages
"""


class LackingReplies(Replies):
    """Fails until uv may take a project as source."""

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        timeout_s: float,
        cwd: Path | None = None,
    ) -> CompletedProgram:
        words = [str(word) for word in command]
        self.status, self.stderr = int("--no-binary" not in words and "compile" in words), LACKS
        return super().run(command, env=env, timeout_s=timeout_s, cwd=cwd)


def test_source_is_taken_where_no_wheel_fits(tmp_path: Path) -> None:
    """A newer version with a wheel is of no use to a requirement on an older one."""
    given = plan("hydra-core", allow_sdist=("antlr4-python3-runtime", "other"))
    first, *rest = resolve(LackingReplies(), tmp_path, given).calls
    assert "--no-build" in first
    assert [value(words, "--no-binary") for words in rest] == ["antlr4-python3-runtime"] * 3
    # First without what the requirements require: no other versions are tried because of one without a wheel.
    assert ["--no-deps" in words for words in (first, *rest)] == [True, True, False, False]
    with pytest.raises(NoSolutionError) as caught:
        resolve(LackingReplies(), tmp_path, plan("hydra-core", allow_sdist=("other",)))
    assert caught.value.without_wheel == ("antlr4-python3-runtime",)


@pytest.mark.parametrize(
    ("stderr", "kind", "code"),
    [
        (
            "x No solution found when resolving dependencies:\n  cause: Because a>2\n  and b",
            ResolveError,
            "RES050",
        ),
        ("error: Failed to fetch: `https://registry.example/simple/numpy/`", ToolError, "TOL022"),
        ("error: dns error: failed to lookup address", ToolError, "TOL022"),
        ("error: something else", ToolError, "TOL021"),
        ("", ToolError, "TOL021"),
    ],
)
def test_failures(stderr: str, kind: type[EnvsmithError], code: str, tmp_path: Path) -> None:
    with pytest.raises(kind) as caught:
        resolve(Replies(status=1, stderr=stderr), tmp_path)
    assert caught.value.code == code
    assert caught.value.hint
    assert caught.value.details


def test_a_failure_says_where_the_requirements_it_names_stand(tmp_path: Path) -> None:
    said = "x No solution found:\n  cause: Because you require numpy<2 and numpy>2, we can conclude that no"
    with pytest.raises(ResolveError) as caught:
        resolve(Replies(status=1, stderr=said), tmp_path)
    places = [text for label, text in caught.value.details if label == "required at"]
    assert len(places) == 1
    assert places[0].endswith(": numpy<2")


@pytest.mark.parametrize(
    "uv_hint",
    [
        "The requested version, v2.4.1, was published at 2026-11-25T14:55:18.883Z. Use `exclude-newer-package`",
        "The latest version satisfying the requirement is v2.4.1, published at 2026-11-25T14:11:03.168Z. Use",
    ],
)
def test_a_version_after_the_cutoff_is_named_with_the_command_to_get_it(uv_hint: str, tmp_path: Path) -> None:
    said = (
        "x No solution found:\n  cause: Because only numpy<=2.3 is available and you require numpy>=2.4, we can"
        "\n\nhint: `numpy` was filtered by `exclude-newer` to only include packages uploaded before "
        f"2026-11-20T09:00:00Z. {uv_hint}"
    )
    with pytest.raises(NoSolutionError) as caught:
        resolve(Replies(status=1, stderr=said), tmp_path)
    assert ("cutoff", "numpy 2.4.1 was released 2026-11-25") in caught.value.details
    assert "this lock ignores releases after 2026-11-20 (cutoff)" in caught.value.hint
    assert " -P numpy`, or move the cutoff with --as-of TIME" in caught.value.hint
    assert "exclude-newer" not in str(caught.value.details)


@pytest.mark.parametrize(
    ("number", "why", "what_to_do"),
    [
        (5, "access is denied", "close programs"),
        (32, "another program has the file open", "close it"),
        (112, "there is not enough space on the disk", "free disk space"),
        (206, "the path is too long for Windows", "envsmith doctor lengths"),
        (225, "antivirus software blocked the file", "protection history"),
        (1455, "the paging file is too small", "let Windows manage"),
    ],
)
def test_errors_of_windows_are_known_by_their_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, why: str, what_to_do: str
) -> None:
    said = f"error: Failed to fetch: `https://registry.example/a`\n  cause: 액세스 (os error {number})"
    with pytest.raises(ToolError, match="TOL022"):  # elsewhere the numbers have other meanings
        resolve(Replies(status=2, stderr=said), tmp_path)
    monkeypatch.setattr(uv_command, "_IS_WINDOWS", True)
    with pytest.raises(ToolError, match=f"TOL021: uv failed: {why}") as caught:
        resolve(Replies(status=2, stderr=said), tmp_path)
    assert what_to_do in caught.value.hint
    assert said in dict(caught.value.details)["uv says"]


def test_a_full_disk_is_told_on_every_system(tmp_path: Path) -> None:
    said = "error: failed to write to file `/cache/x`\n  cause: No space left on device (os error 28)"
    with pytest.raises(ToolError, match="TOL021: uv failed: there is not enough space on the disk"):
        resolve(Replies(status=2, stderr=said), tmp_path)


def test_a_cache_that_lacks_a_package_is_no_verdict_on_the_requirements(tmp_path: Path) -> None:
    said = "x No solution found:\n  cause: Because numpy was not found in the cache and you require numpy, we"
    with pytest.raises(ToolError) as caught:
        resolve(Replies(status=1, stderr=said), tmp_path, offline=True)
    assert caught.value.code == "TOL022"
    assert "numpy" in caught.value.message


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "x86_64-manylinux_2_28"),
        ("manylinux_2_17_aarch64", "aarch64-manylinux_2_17"),
        ("manylinux_2_30_x86_64", "x86_64-manylinux_2_28"),  # uv knows neither 2.29 nor 2.30
        ("manylinux_2_44_x86_64", "x86_64-manylinux_2_40"),
        ("windows", "x86_64-pc-windows-msvc"),
        ("win_arm64", "aarch64-pc-windows-msvc"),
        ("macos", "aarch64-apple-darwin"),
    ],
)
def test_platform_as_uv_names_it(platform: str, name: str) -> None:
    assert python_platform(Platform.parse(platform)) == name


@pytest.mark.parametrize("text", ["uv 0.13.8", "uv 0.13.11 (abc 2026-11-01)", "uv 0.14.0", "uv 1.0.0"])
def test_uv_new_enough(text: str) -> None:
    check_version(text)


@pytest.mark.parametrize("text", ["uv 0.13.7", "uv 0.9.30", "", "pip 26.0", "uv"])
def test_uv_too_old_or_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        resolve(Replies(version=text), tmp_path)
    assert caught.value.code == "TOL023"


def test_uv_is_found_beside_us() -> None:
    assert find_uv().is_file()


def test_no_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    import uv

    def missing() -> str:
        raise FileNotFoundError("uv")

    monkeypatch.setattr(uv, "find_uv_bin", missing)
    with pytest.raises(ToolError) as caught:
        find_uv()
    assert caught.value.code == "TOL024"


def test_a_slice_deleted_meanwhile_is_told_as_that(tmp_path: Path) -> None:
    class Clearing(Replies):
        def run(
            self,
            command: Sequence[str | Path],
            *,
            env: Mapping[str, str],
            timeout_s: float,
            cwd: Path | None = None,
        ) -> CompletedProgram:
            if "--constraints" in command:
                shutil.rmtree(tmp_path / "slices")
            return super().run(command, env=env, timeout_s=timeout_s, cwd=cwd)

    with pytest.raises(ToolError) as caught:
        resolve(Clearing(status=1, stderr="error: No solution found\n  cause: no such torch"), tmp_path)
    assert caught.value.code == "TOL029"
