import contextlib
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from envsmith.errors import ResolveError, ToolError
from envsmith.index import sdist
from envsmith.index.direct_references.source_trees import ArchiveTree
from envsmith.index.direct_references.static_metadata import declared_requires
from envsmith.index.sdist import SdistReader, read_build_requires, read_requires

OLD = "Metadata-Version: 1.1\nName: a\n"
NEW = "Metadata-Version: 2.2\nName: a\n"


def tar(**files: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"a-1.0/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return target.getvalue()


def zipped(**files: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"a-1.0/{name}", text)
    return target.getvalue()


@pytest.mark.parametrize("pack", [tar, zipped])
def test_new_metadata_is_final(pack: type) -> None:
    info = f"{NEW}Requires-Dist: numpy>=1\nRequires-Dist: rich; extra == 'x'\nRequires-Dist: attrs\n"
    assert read_requires(pack(**{"PKG-INFO": info})) == ("attrs", "numpy>=1")
    assert read_requires(pack(**{"PKG-INFO": NEW})) == ()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("from setuptools import setup\nsetup(name='a')", ()),
        (
            "from setuptools import setup\nsetup(name='a', install_requires=['numpy>=1', 'six'])",
            ("numpy>=1", "six"),
        ),
        ("from setuptools import setup\nsetup(name='a', install_requires=open('r.txt').read())", None),
        ("from setuptools import setup\nsetup(**read())", None),
        (
            "from setuptools import setup\nif x:\n    setup(name='a')\nelse:\n    setup(install_requires=['six'])",
            None,
        ),
        ("raise SystemExit", None),
    ],
)
def test_old_archives_declare_requirements_in_setup_py(script: str, expected: tuple[str, ...] | None) -> None:
    archive = tar(**{"PKG-INFO": OLD, "setup.py": script})
    assert read_requires(archive) is None
    assert declared_requires(ArchiveTree.of(archive), "a 1.0") == expected


def test_dynamic_requirements_are_declared_nowhere() -> None:
    archive = tar(**{"PKG-INFO": f"{NEW}Dynamic: Requires-Dist\n", "pyproject.toml": '[project]\nname = "a"\n'
                     'version = "1"\ndynamic = ["dependencies"]\n'})  # fmt: skip
    assert declared_requires(ArchiveTree.of(archive), "a 1.0") is None


def test_dynamic_requirements_are_not_known() -> None:
    assert read_requires(tar(**{"PKG-INFO": f"{NEW}Dynamic: Requires-Dist\n"})) is None


def test_old_metadata_alone_says_nothing() -> None:
    assert read_requires(tar(**{"PKG-INFO": f"{OLD}Requires-Dist: numpy\n"})) is None


def test_setuptools_wrote_beside_its_sources() -> None:
    requires = "numpy>=1\n\n[:python_version < '3.8']\ntyping\n\n[dev]\npytest\n\n[gui:sys_platform == 'win32']\nqt\n"
    files = {"PKG-INFO": OLD, "a.egg-info/SOURCES.txt": "x", "a.egg-info/requires.txt": requires}
    assert read_requires(tar(**files)) == ("numpy>=1", 'typing; python_version < "3.8"')
    del files["a.egg-info/requires.txt"]
    assert read_requires(tar(**files)) == ()
    assert read_requires(tar(**{"PKG-INFO": OLD, "src/a.egg-info/requires.txt": "numpy"})) == ("numpy",)


SETUPTOOLS = ("setuptools>=40.8.0", "wheel")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", SETUPTOOLS),
        (
            '[build-system]\nrequires = ["hatchling", "torch==2.9"]\nbuild-backend = "hatchling.build"',
            ("hatchling", "torch==2.9"),
        ),
        ('[build-system]\nrequires = ["setuptools>=61"]', ("setuptools>=61", "wheel")),
        (
            '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"',
            ("meson-python", "ninja>=1.8.2"),
        ),
        ("[build-system]\nrequires = [1]", SETUPTOOLS),
        ('[build-system]\nrequires = ["not a requirement!"]', SETUPTOOLS),
        ("build-system = 1", SETUPTOOLS),
        ("not toml", SETUPTOOLS),
    ],
)
def test_requirements_of_a_build(table: str, expected: tuple[str, ...]) -> None:
    assert read_build_requires(tar(**{"pyproject.toml": table})) == expected
    assert read_build_requires(tar(**{"PKG-INFO": NEW})) == SETUPTOOLS


def test_malformed_requirement_is_not_known() -> None:
    assert read_requires(tar(**{"PKG-INFO": f"{NEW}Requires-Dist: not a requirement!\n"})) is None


@pytest.mark.parametrize(
    "archive",
    [b"", b"PK\x03\x04 nonsense", b"\x1f\x8b nonsense", tar(a="x" * 9000)[:60]],
    # Named, for gzip writes the time: two workers would collect tests of different names.
    ids=["empty", "zip", "gzip", "cut off"],
)
def test_damaged_archive(archive: bytes) -> None:
    with pytest.raises(ToolError) as caught:
        read_requires(archive)
    assert caught.value.code == "TOL027"


def test_archive_damaged_in_the_middle() -> None:
    whole = tar(**{"PKG-INFO": NEW + "Description: " + " ".join(str(number) for number in range(9000))})
    for place in range(20, len(whole), 997):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        with contextlib.suppress(ToolError):
            read_requires(bytes(damaged))


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, bytes]]]:
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", files
    server.shutdown()
    server.server_close()
    thread.join()


def test_fetched_checked_and_read(served: tuple[str, dict[str, bytes]]) -> None:
    base, files = served
    files["/a.tar.gz"] = body = tar(**{"PKG-INFO": f"{NEW}Requires-Dist: numpy\n"})
    reader, sha256 = SdistReader(), hashlib.sha256(body).hexdigest()
    found = reader.metadata(name="a", version="1.0", url=f"{base}/a.tar.gz", sha256=sha256)
    assert (found.name, found.version, found.requires_dist) == ("a", "1.0", ("numpy",))
    assert reader.sizes() == {sha256: len(body)}


def test_built_for_its_requirements_only_where_that_is_allowed(served: tuple[str, dict[str, bytes]]) -> None:
    base, files = served
    files["/a.tar.gz"] = body = tar(**{"PKG-INFO": OLD})
    built: list[tuple[str, ...]] = []

    def build(*asked: str) -> tuple[str, ...]:
        built.append(asked)
        return ("numpy",)

    reader = SdistReader(build=build)
    url, sha256 = f"{base}/a.tar.gz", hashlib.sha256(body).hexdigest()
    with pytest.raises(ResolveError) as caught:
        reader.metadata(name="a", version="1.0", url=url, sha256=sha256)
    assert caught.value.code == "RES060"
    assert "--allow-build a" in caught.value.hint
    assert built == []
    found = reader.metadata(name="a", version="1.0", url=url, sha256=sha256, may_build=True)
    assert found.requires_dist == ("numpy",)
    assert built == [("a", url, sha256)]


@pytest.mark.parametrize(("path", "code"), [("/a.tar.gz", "TOL028"), ("/missing", "TOL025")])
def test_other_bytes_or_none(path: str, code: str, served: tuple[str, dict[str, bytes]]) -> None:
    base, files = served
    files["/a.tar.gz"] = tar(**{"PKG-INFO": NEW})
    with pytest.raises(ToolError) as caught:
        SdistReader().metadata(name="a", version="1.0", url=base + path, sha256="0" * 64)
    assert (caught.value.code, caught.value.where) == (code, "a 1.0")


def test_too_large(served: tuple[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    base, files = served
    files["/a.tar.gz"] = tar(**{"PKG-INFO": NEW})
    monkeypatch.setattr(sdist, "MAX_BYTES", 10)
    with pytest.raises(ToolError) as caught:
        SdistReader().metadata(name="a", version="1.0", url=f"{base}/a.tar.gz", sha256="0" * 64)
    assert caught.value.code == "TOL027"


def test_only_a_build_could_tell(served: tuple[str, dict[str, bytes]]) -> None:
    base, files = served
    files["/a.tar.gz"] = body = tar(**{"PKG-INFO": OLD})
    with pytest.raises(ResolveError) as caught:
        SdistReader().metadata(
            name="a", version="1.0", url=f"{base}/a.tar.gz", sha256=hashlib.sha256(body).hexdigest()
        )
    assert caught.value.code == "RES060"
