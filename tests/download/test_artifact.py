from __future__ import annotations

import pytest
from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.download.artifact import Artifact, artifacts_of, is_filename, merge_artifacts
from envsmith.errors import ToolError
from tests.values import HEX, OTHER_HEX

NAME = "torch-2.14.0+cu130-cp312-cp312-win_amd64.whl"


def pylock(*files: PackageWheel | PackageSdist) -> Pylock:
    packages = [
        Package(
            name=canonicalize_name("some"),
            version=Version("1"),
            wheels=[file] if isinstance(file, PackageWheel) else None,
            sdist=file if isinstance(file, PackageSdist) else None,
        )
        for file in files
    ]
    return Pylock(lock_version=Version("1.0"), created_by="tests", packages=packages)


def wheel(name: str, url: str = "", sha256: str = HEX) -> PackageWheel:
    return PackageWheel(name=name, url=url or f"https://a.example/{name}", hashes={"sha256": sha256})


def made(filename: str, sha256: str = HEX, lock: str = "a/x", size: int | None = None) -> Artifact:
    url = f"https://a.example/{filename}"
    return Artifact(filename=filename, sha256=sha256, url=url, project="some", size_bytes=size, locks=(lock,))


def test_wheels_and_source_distributions_of_a_lock() -> None:
    sdist = PackageSdist(url="https://a.example/some-1.tar.gz", size=7, hashes={"sha256": OTHER_HEX})
    quoted = wheel(NAME, "https://a.example/" + NAME.replace("+", "%2B"))
    found = list(artifacts_of(pylock(quoted, sdist), "cu130/x"))
    assert [(item.filename, item.sha256, item.size_bytes) for item in found] == [
        (NAME, HEX, None),
        ("some-1.tar.gz", OTHER_HEX, 7),
    ]
    assert {item.locks for item in found} == {("cu130/x",)}


@pytest.mark.parametrize(
    "file",
    [
        wheel("../torch-1-py3-none-any.whl"),
        wheel("a/torch-1-py3-none-any.whl"),
        wheel("a\\torch-1-py3-none-any.whl"),
        wheel("torch-1-py3-none-any.whl\n"),
        wheel(".torch-1-py3-none-any.whl"),
        wheel("torch.whl"),
        wheel("setup.py"),
        wheel("c:torch-1-py3-none-any.whl"),
        wheel("torch-" + "1" * 250 + "-py3-none-any.whl"),
        wheel("torch-1-py3-none-any.whl", "https://a.example/other-1-py3-none-any.whl"),
        wheel("torch-1-py3-none-any.whl", "file:///torch-1-py3-none-any.whl"),
        wheel("torch-1-py3-none-any.whl", "https://[a/torch-1-py3-none-any.whl"),
        wheel("torch-1-py3-none-any.whl", sha256="A" * 64),
        PackageWheel(
            name="torch-1-py3-none-any.whl", path="./torch-1-py3-none-any.whl", hashes={"sha256": HEX}
        ),
        PackageWheel(url="https://a.example/torch-1-py3-none-any.whl", hashes={"md5": HEX}),
        PackageSdist(url="https://a.example/torch-1.exe", hashes={"sha256": HEX}),
        PackageSdist(name="..-1.tar.gz", url="https://a.example/..-1.tar.gz", hashes={"sha256": HEX}),
    ],
)
def test_files_that_cannot_be_used(file: PackageWheel | PackageSdist) -> None:
    with pytest.raises(ToolError) as caught:
        list(artifacts_of(pylock(file), "cu130/x"))
    assert caught.value.code == "TOL041"


def test_a_file_of_several_locks_is_one() -> None:
    found = merge_artifacts(
        [made("b-1.zip", lock="b/y"), made("a-1.zip"), made("b-1.zip", lock="b/x", size=5)]
    )
    assert [(item.filename, item.locks, item.size_bytes) for item in found] == [
        ("a-1.zip", ("a/x",), None),
        ("b-1.zip", ("b/x", "b/y"), 5),
    ]


@pytest.mark.parametrize("other", [made("a-1.zip", OTHER_HEX, "b/y"), made("A-1.zip", HEX, "b/y")])
def test_one_name_for_two_files_is_refused(other: Artifact) -> None:
    with pytest.raises(ToolError) as caught:
        merge_artifacts([made("a-1.zip"), other])
    assert caught.value.code == "TOL042"
    assert [label for label, _ in caught.value.details] == ["a/x", "b/y"]


@pytest.mark.parametrize("text", [NAME, "some-1.tar.gz", "some_name-1!2.0+x.zip"])
def test_filenames(text: str) -> None:
    assert is_filename(text)
