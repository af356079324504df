from __future__ import annotations

import pytest

from envsmith.report.redaction import Redaction, address, is_identifying

MINE = Redaction(
    project="/home/marta.k/fitting",
    homes=("/home/marta.k", r"C:\Users\Marta K"),
    users=("marta.k", "root", "me"),
    hosts=("desktop-7qk3f2a", "proxy.intranet", "localhost"),
    secrets=("correct horse", "correct"),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/marta.k/fitting/.venv/bin", "PROJECT/.venv/bin"),
        ("/home/marta.k/other/a.py:3", "~/other/a.py:3"),
        ("/home/marta.kaufmann/a.py", "~/a.py"),
        (r"C:\Users\Marta K\a.py", r"~\a.py"),
        (r"c:/users/marta k/a.py", "~/a.py"),
        (r"'C:\\Users\\somebody\\a.py'", r"'~\\a.py'"),
        ("/Users/somebody/Library", "~/Library"),
        ("/home/ubuntu/x", "~/x"),
        ("made by Marta.K on DESKTOP-7QK3F2A", "made by USER on HOST"),
        ("the root of it", "the root of it"),
        ("some of them", "some of them"),
        ("correct horse battery", "SECRET battery"),
        ("https://marta:pw@proxy.intranet:3128/a?t=1", "https://HOST:3128/a"),
        ("https://__token__:x@elsewhere.example/simple/torch/", "https://HOST/simple/torch/"),
        ("https://download.pytorch.org/whl/cu128", "https://download.pytorch.org/whl/cu128"),
        ("https://u:p@download.pytorch.org/whl/cu128", "https://download.pytorch.org/whl/cu128"),
        ("https://marta:p/w@x@corp.example/simple", "https://HOST/simple"),
        ("https://github.com/a/b@v1.2", "https://github.com/a/b@v1.2"),
        ("https://corp.example:8080/a@b", "https://HOST:8080/a@b"),
        ("git+ssh://git@git.corp.example/a.git", "git+ssh://HOST/a.git"),
        ("http://127.0.0.1:9/whl/", "http://127.0.0.1:9/whl/"),
        ("file:///home/marta.k/wheels", "file://~/wheels"),
        ("HTTPS_PROXY is 'marta:pw@proxy.intranet:3128'", "HTTPS_PROXY is 'HOST:3128'"),
        ("ask marta@example.org", "ask MAIL"),
        (r"\\corp-fs01\projects\app", r"\\HOST\projects\app"),
        (r"'\\\\corp-fs01\\projects'", r"'\\\\HOST\\projects'"),
        ("ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a", "SECRET"),
        ("hf" + "_QwErTyUiOpAsDfGhJkLzXcVbNm is", "SECRET is"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "SECRET"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer SECRET"),
        ("api_key=abcdef&x", "api_key=SECRET&x"),
        ('"password": "geheim"', '"password": "SECRET"'),
        ("aZ3bC4dE5fG6hI7jK8lM9nO0pQ1rS2tU3", "SECRET"),
    ],
)
def test_what_is_private_is_left_out(text: str, shown: str) -> None:
    assert MINE.text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "torch==2.13.0+cu130",
        "opencv-contrib-python==4.11.0.86",
        "torch-2.8.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl",
        "NVIDIA GeForce RTX 5080 (sm_120), 16 GiB",
        "plan c616cd24445a5e211fa2150146f5edcfabc7048582bd520c137d11642c49b038",
        "as of 2026-11-20T09:00:00Z",
        "uv pip install --python .venv --index-url https://download.pytorch.org/whl/cu128 torchaudio==2.9.0",
        "pytorch/pytorch#169429",
        r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v12.4",
        "/usr/local/cuda-11.8/lib64 is on LD_LIBRARY_PATH",
        "CUDA_VISIBLE_DEVICES is '-1'",
        r"D:\\app\\Lib\\site-packages",
        r"\\?\C:\app",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert MINE.text(text) == text
    assert Redaction().text(text) == text


def test_plain_values() -> None:
    values = {"/home/marta.k": ["marta.k", 1, None, True, ("correct",)], "a": {"b": "x"}}
    assert MINE.value(values) == {"~": ["USER", 1, None, True, ["SECRET"]], "a": {"b": "x"}}


def test_names_that_tell_nothing() -> None:
    assert not any(map(is_identifying, ("root", "User", "me", "", "ci")))
    assert is_identifying("marta")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("http://a:b@proxy:3128", ("a", "b", "proxy")),
        ("proxy:3128", ("", "", "proxy")),
        ("a:b@proxy", ("a", "b", "proxy")),
        ("", ("", "", "")),
        ("http://[::1", ("", "", "")),
    ],
)
def test_what_an_address_tells(value: str, found: tuple[str, str, str]) -> None:
    assert address(value) == found


def test_of_two_that_overlap_the_longer_is_left_out() -> None:
    mine = Redaction(homes=("/home/marta",), secrets=("marta", "x/home/marta/y"))
    assert mine.text("/home/marta/a marta x/home/marta/y") == "~/a SECRET SECRET"
