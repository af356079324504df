"""What a session is rid of, decided in one table."""

from __future__ import annotations

import pytest

from envsmith.activate.model import Activation, EnvironmentPaths
from envsmith.activate.scripts import RULES, library_rules, plan_session, prompt_name, render
from envsmith.model.shell import SHELLS, Shell

PLACE = EnvironmentPaths(prefix="/app/.venv", bin="/app/.venv/bin")
WINDOWS = EnvironmentPaths(prefix=r"C:\app\.venv", bin=r"C:\app\.venv\Scripts", is_windows=True)
CU128 = Activation(profile="cu128", env={"CUDA_VISIBLE_DEVICES": "0"}, cuda_major=12)
CPU = Activation(profile="cpu", env={"CUDA_VISIBLE_DEVICES": ""})
FILES = {
    "/other/.venv/bin/../pyvenv.cfg",
    "/opt/conda/bin/../conda-meta/history",
    "/opt/conda/condabin/../conda-meta/history",
    "/usr/local/cuda/lib64/libcudart.so.11.0",
    "/opt/toolkit/lib/libcudart.so.12",
    "/usr/lib/nvidia/libcuda.so.1",
    "/usr/lib/nvidia/libcudart.so.11.0",
    r"D:\other\Scripts/../pyvenv.cfg",
    "/usr/local/cuda-11.8/compat/libcuda.so.1",
    "/usr/local/cuda-12.9/compat/libcuda.so.1",
    r"D:\conda/conda-meta/history",
    r"D:\conda\Library\bin/../../conda-meta/history",
}


def left(
    variable: str, value: str, activation: Activation = CU128, place: EnvironmentPaths = PLACE
) -> str | None:
    """Return what a variable is inside, and check that what is gone is named with a reason."""
    before = {variable: value}
    session = plan_session(activation, place, before, has_file=FILES.__contains__)
    assert all(item.reason for item in session.removed)
    assert {item.variable for item in session.removed} <= {variable}
    return session.over(before).get(variable)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        ("/x/.venv/lib/python3.11/site-packages/torch/lib:/bin", "/bin"),
        ("/x/lib/python3.11/site-packages:/bin", "/bin"),
        ("/usr/lib/python3/dist-packages/torch/bin:/bin", "/bin"),
        ("/x/my-site-packages/bin:/bin", "/x/my-site-packages/bin:/bin"),
        ("/other/.venv/bin:/bin", "/bin"),
        ("/opt/conda/bin:/opt/conda/condabin:/bin", "/opt/conda/condabin:/bin"),
        (":/bin::/usr/bin:", "/bin:/usr/bin"),
        ("bin:./x:../y:~/z:/bin", "/bin"),
        ("/bin:/usr/bin:/bin", "/bin:/usr/bin"),
        ("/app/.venv/bin:/bin", "/bin"),
        ("/usr/local/cuda-11.8/bin:/bin", "/usr/local/cuda-11.8/bin:/bin"),
    ],
)
def test_path(value: str, expected: str) -> None:
    assert left("PATH", value) == f"/app/.venv/bin:{expected}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/usr/local/cuda-11.8/lib64:/x", "/x"),
        ("/usr/local/cuda-11/lib64:/x", "/x"),
        ("/usr/local/cuda-12.1/lib64:/x", "/usr/local/cuda-12.1/lib64:/x"),
        ("/usr/local/cuda-12/lib64:/x", "/usr/local/cuda-12/lib64:/x"),
        ("/usr/local/cuda-samples/lib:/x", "/usr/local/cuda-samples/lib:/x"),
        ("/usr/local/cuda/lib64:/x", "/x"),
        ("/opt/toolkit/lib:/x", "/opt/toolkit/lib:/x"),
        ("/usr/lib/nvidia:/x", "/usr/lib/nvidia:/x"),
        ("/usr/local/cuda-11.8/compat:/x", "/x"),
        ("/usr/local/cuda-12.9/compat:/x", "/usr/local/cuda-12.9/compat:/x"),
        ("/usr/local/nvidia/lib64:/usr/lib/wsl/lib", "/usr/local/nvidia/lib64:/usr/lib/wsl/lib"),
        ("/v/site-packages/nvidia/cudnn/lib:/x", "/x"),
        ("/usr/local/cuda-11.8/lib64", None),
        ("", None),
    ],
)
def test_library_path(value: str, expected: str | None) -> None:
    assert left("LD_LIBRARY_PATH", value) == expected
    assert left("DYLD_LIBRARY_PATH", value) == expected


def test_no_toolkit_is_wrong_where_the_lock_uses_none() -> None:
    assert left("LD_LIBRARY_PATH", "/usr/local/cuda-11.8/lib64", CPU) == "/usr/local/cuda-11.8/lib64"
    assert left("LD_LIBRARY_PATH", "/usr/local/cuda/lib64", CPU) == "/usr/local/cuda/lib64"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (r"C:\Windows", r"C:\Windows"),
        (r"D:\app\.venv\Lib\Site-Packages\torch\lib;C:\Windows", r"C:\Windows"),
        (r"C:/app/lib/site-packages/x;C:\Windows", r"C:\Windows"),
        (r"D:\other\Scripts;D:\conda;D:\conda\Library\bin;C:\Windows", r"C:\Windows"),
        (r"C:\Windows;c:\windows;;relative\bin;%SystemRoot%", r"C:\Windows"),
        (r"\\server\share\bin;C:\Windows", r"\\server\share\bin;C:\Windows"),
    ],
)
def test_path_of_windows(value: str, expected: str) -> None:
    assert left("PATH", value, place=WINDOWS) == rf"C:\app\.venv\Scripts;{expected}"


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX"])
def test_what_leads_elsewhere_is_unset(name: str) -> None:
    assert left(name, "/elsewhere") is None


def test_the_profile_and_the_guard_are_set() -> None:
    guarded = EnvironmentPaths(prefix="/app/.venv", bin="/app/.venv/bin", constraints="/app/.venv/c.txt")
    session = plan_session(CPU, guarded, {}, has_file=FILES.__contains__)
    assert dict(session.values) == {
        "VIRTUAL_ENV": "/app/.venv",
        "VIRTUAL_ENV_PROMPT": "cpu",
        "ENVSMITH_PROFILE": "cpu",
        "PATH": "/app/.venv/bin",
        "PIP_CONSTRAINT": "/app/.venv/c.txt",
        "UV_CONSTRAINT": "/app/.venv/c.txt",
        "CUDA_VISIBLE_DEVICES": "",
    }
    assert session.unset == ()


def test_what_the_profile_says_itself_is_neither_cleaned_nor_unset() -> None:
    own = {"PYTHONPATH": "/src", "LD_LIBRARY_PATH": "/mine", "PIP_CONSTRAINT": "/c"}
    guarded = EnvironmentPaths(prefix="/app/.venv", bin="/app/.venv/bin", constraints="/app/.venv/c.txt")
    before = {"PYTHONPATH": "/was", "LD_LIBRARY_PATH": "/x/site-packages/y", "PIP_CONSTRAINT": "/p"}
    session = plan_session(Activation(profile="app", env=own), guarded, before, has_file=FILES.__contains__)
    assert {name: session.values[name] for name in own} == own
    assert session.values["UV_CONSTRAINT"] == "/app/.venv/c.txt"
    assert (session.unset, session.removed) == ((), ())


def test_a_session_over_itself_changes_nothing() -> None:
    before = {"PATH": "/other/.venv/bin:/bin:", "LD_LIBRARY_PATH": "/usr/local/cuda-11.8/lib64:/x"}
    once = plan_session(CU128, PLACE, before, has_file=FILES.__contains__).over(before)
    again = plan_session(CU128, PLACE, once, has_file=FILES.__contains__)
    assert again.removed == ()
    assert again.over(once) == once


def test_what_a_shell_cannot_set_to_nothing_hides_all_devices_otherwise() -> None:
    found = {shell.name: render(shell, "@VALUES@", CPU).decode() for shell in SHELLS}
    assert "-1" in found["bat"]
    assert "-1" in found["ps1"]
    assert not any("-1" in text for name, text in found.items() if name not in ("bat", "ps1"))


def test_a_value_that_a_language_cannot_write_is_named_and_left_out() -> None:
    bat = next(shell for shell in SHELLS if shell.name == "bat")
    text = render(bat, "@VALUES@", Activation(profile="x", env={"A": "x\ncalc"})).decode()
    assert "A is not set" in text
    assert "calc" not in text


def test_prompts_get_plain_characters_only() -> None:
    assert prompt_name("cu128-nightly.x_1") == "cu128-nightly.x_1"
    assert prompt_name("$(rm)`x`\n%d\\u") == "__rm__x___d_u"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.name)
def test_every_rule_stands_in_every_script(shell: Shell) -> None:
    rules = "@RULES@\n@LIBRARY_RULES@"
    text = render(shell, rules, CU128).decode()
    for rule in RULES:
        needle = rule.file or rule.text
        assert needle in text or needle.replace("/", "\\") in text
    for rule in library_rules(12) if shell.name != "bat" else ():  # Windows has no such list
        assert (rule.file or rule.text) in text or (rule.file or rule.text).replace("/", "\\") in text


def test_a_block_without_lines_leaves_none() -> None:
    shell = SHELLS[0]
    text = render(shell, "a\n@VALUES@\n@LIBRARY_RULES@\nb @NAME@\n", Activation(profile="cpu"))
    assert text == b"a\nb cpu\n"
