from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from envsmith.host import system_probes
from tests.host.recorded import registry
from tests.systems import posix_only


class Slow(BaseHTTPRequestHandler):
    """A server whose clock stands in 2020."""

    def do_HEAD(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", "Wed, 01 Jan 2020 00:00:00 GMT")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Slow) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}/whl/"
        made.shutdown()
        thread.join()


def test_an_answer_and_the_clock(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = system_probes.check_connectivity(server, {"HTTPS_PROXY": "http://me:secret@proxy:3128"})
    assert found.error == ""
    assert found.clock_ahead_s is not None
    assert found.clock_ahead_s > 86_400
    assert found.proxies == (("HTTPS_PROXY", "http://proxy:3128"),)
    assert found.bypasses_proxy, "NO_PROXY leaves it out"


class Dripping(BaseHTTPRequestHandler):
    """A server that says a little of its headers, again and again, until it is told to end."""

    def do_HEAD(self) -> None:
        ended = cast("DrippingServer", self.server).ended
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not ended.wait(0.02):
            try:
                self.wfile.write(b"X-More: and more\r\n")
            except OSError:
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


class DrippingServer(ThreadingHTTPServer):
    ended = threading.Event()


def test_an_answer_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with DrippingServer(("127.0.0.1", 0), Dripping) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found = system_probes.check_connectivity(
            f"http://127.0.0.1:{server.server_address[1]}/", {}, timeout_s=0.3
        )
        server.ended.set()
        server.shutdown()
        thread.join()
    assert found.error == "no answer within 0.3 s"


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = system_probes.check_connectivity("http://127.0.0.1:9/", {})
    assert found.error
    assert found.clock_ahead_s is None


def test_the_login_of_an_index_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = system_probes.check_connectivity("http://marta:geheim@127.0.0.1:9/whl/", {})
    assert (found.url, "geheim" in found.error) == ("http://127.0.0.1:9/whl/", False)


def test_a_proxy_is_used_where_nothing_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    found = system_probes.check_connectivity("http://index.invalid/", {"HTTP_PROXY": "http://127.0.0.1:9"})
    assert (bool(found.error), found.bypasses_proxy) == (True, False)


def test_the_room_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    found = system_probes.disk_space(tmp_path / "a" / "b")
    assert found.folder == str(tmp_path / "a" / "b")
    assert found.free_bytes == pytest.approx(system_probes.disk_space(tmp_path).free_bytes, rel=0.2)


@posix_only("a PATH without the registry")
def test_path_as_this_process_has_it() -> None:
    assert system_probes.path_scopes({"PATH": "/usr/bin"}) == {"process": "/usr/bin"}


@pytest.mark.parametrize("name", ["user path in order", "paths of case B"])
def test_path_of_the_three_scopes_of_windows(name: str) -> None:
    variables = {"Path": "x", "PATH": r"C:\now", "SystemRoot": r"C:\Windows", "USERPROFILE": r"C:\Users\me"}
    found = system_probes.path_scopes(variables, registry(name))
    assert found["process"] == r"C:\now"
    assert r"C:\Users\me\AppData\Local\Microsoft\WindowsApps" in found["user"].split(";")
    assert "%" not in "".join(found.values())
    if name == "paths of case B":
        assert (
            found["machine"] == r"C:\Windows\system32;C:\Windows;D:\other\.venv\Lib\site-packages\torch\lib"
        )


def test_a_variable_that_is_not_set_stays_as_it_is() -> None:
    assert system_probes.path_scopes({}, registry("paths of case B"))["user"].startswith("%USERPROFILE%")


CA = """
[ca]
default_ca=own
[own]
database={0}/index.txt
new_certs_dir={0}
serial={0}/serial
default_md=sha256
policy=any
x509_extensions=more
[any]
commonName=supplied
[more]
subjectAltName=IP:127.0.0.1
basicConstraints=CA:TRUE
"""


def certificate(folder: Path, first: str, last: str) -> tuple[Path, Path]:
    """Make a certificate that is valid between two moments, and its key."""
    (folder / "ca.cnf").write_text(CA.format(folder), "utf-8")
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n", "utf-8")
    key, asked, made = folder / "key.pem", folder / "asked.csr", folder / "made.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost")
    run = partial(subprocess.run, check=True, capture_output=True, timeout=60)
    run(["openssl", "req", "-new", *curve, "-keyout", str(key), "-out", str(asked)])
    dates = ("-startdate", first, "-enddate", last)
    own = ("-selfsign", "-config", str(folder / "ca.cnf"), "-keyfile", str(key), "-notext", *dates)
    run(["openssl", "ca", "-batch", *own, "-in", str(asked), "-out", str(made)])
    return made, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
@pytest.mark.parametrize(
    ("first", "last"), [("20200101000000Z", "20200201000000Z"), ("20900101000000Z", "20900201000000Z")]
)
def test_a_certificate_of_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, last: str
) -> None:
    made, key = certificate(tmp_path, first, last)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    with HTTPServer(("127.0.0.1", 0), Slow) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found = system_probes.check_connectivity(f"https://127.0.0.1:{server.server_address[1]}/whl/", {})
        server.shutdown()
        thread.join()
    assert (found.has_date_error, found.error, found.clock_ahead_s) == (True, "certificate not trusted", None)
