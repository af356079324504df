"""What pip, uv and lockfile-lint notice of a changed lock: writes docs/reference/tampering.md.

    python -m bench.tampering

pip and uv are run on small wheels that a server on this machine offers, together with false ones of the same names on
"another host". The columns of envsmith are the expectations that tests/lock/test_tampering.py checks.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from envsmith.host.current import this_platform, this_python
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.store import lock_files
from envsmith.model.backend import Backend
from envsmith.model.target import Target
from envsmith.uv.command import find_uv
from tests.install.made import entry_of_lock, lock_of, made
from tests.lock.tampering import EVIL, FALSE, GROUPS, PYLOCK, REQUIREMENTS, Case, Lock

PAGE = Path(__file__).parent.parent / "docs/reference/tampering.md"
TARGET = Target(python=this_python(), platform=this_platform(), backend=Backend.parse("cpu"))
GENUINE = {wheel.filename: wheel for wheel in (made("torch", "2.14.1+cpu"), made("filelock", "1.0"))}
BAD = {
    name: made(wheel.name, wheel.version, {f"{wheel.name}/__init__.py": b"print('false')\n"})
    for name, wheel in GENUINE.items()
}
# Seen from the address only: on loopback every server is http, and other servers cannot be reached.
REASONED = {
    "an older torch": ("installs", "installs"),
    "a package added": ("installs if it exists", "installs if it exists"),
    "plain http": ("installs", "installs"),
    "a host of PyTorch": ("", "installs"),
    "as a user name": ("", "installs"),
    "a backslash": ("", "installs"),
    "from version control": ("", "refuses"),
    "a file of this machine": ("", "installs"),
}
# Of its checks: --validate-https, --allowed-hosts, --allowed-schemes, --validate-package-names, --validate-integrity.
LINT = {
    "another host": "allowed hosts",
    "plain http": "https",
    "a host of PyTorch": "if not an allowed host",
    "as a user name": "allowed hosts",
    "another file of its host": "package names",
    "a file of this machine": "schemes",
    "from version control": "schemes",
    "URL and hash": "allowed hosts",
    "by URL": "allowed hosts",
    "of another kind": "integrity",
    "hash removed": "integrity",
}


UNREAD = ("not read", "not read")


class Handler(BaseHTTPRequestHandler):
    """Serves a simple index, the genuine files at any path, and false ones below /bad."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        """Answer with a page or a file."""
        name = self.path.rpartition("/")[2].replace("%2B", "+")
        if self.path.startswith("/simple/"):
            project = self.path.split("/")[2]
            links = (
                f'<a href="/files/{name}">{name}</a>' for name in GENUINE if name.startswith(f"{project}-")
            )
            self._send("".join(links).encode(), "text/html")
        elif name in GENUINE:
            self._send((BAD if self.path.startswith("/bad") else GENUINE)[name].body, "application/zip")
        else:
            self.send_error(404)

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def run(case: Case, address: str, scratch: Path) -> tuple[str, str]:
    """Return what pip (from the requirements) and uv (from the pylock, else the requirements) do."""
    known = next((answer for word, answer in REASONED.items() if word in case.text), None)
    lock = lock_of(tuple(GENUINE.values()), TARGET, "mine", f"{address}/files")
    files = {name: content.decode() for name, content in lock_files(lock).items()}
    manifest = Manifest(
        profile="mine",
        cutoff_utc="2026-11-20T09:00:00Z",
        targets={TARGET.slug: entry_of_lock(lock, files_of(files))},
    )
    changed = Lock({**files, FILENAME: manifest.to_toml()}, TARGET.slug)
    try:
        case.change(changed)
    except (KeyError, AssertionError, ValueError):
        changed.files = {}
    name = "torch-2.14.1+cpu-py3-none-any.whl" if "torch" in case.text else "filelock-1.0-py3-none-any.whl"
    false = hashlib.sha256(BAD[name].body).hexdigest()
    now = {}
    for key, text in changed.files.items():
        if FALSE in text:  # who serves another file also writes its size
            text = re.sub(r"size = \d+, ", "", text).replace(FALSE, false)  # noqa: PLW2901
        now[key] = text.replace(EVIL, address.replace("127.0.0.1", "localhost"))
    ways = {}
    for kind in (REQUIREMENTS, PYLOCK):
        own = changed.names[kind]
        is_changed = now.get(own, files[own]) != files[own]
        ways[kind] = _sync(kind, now[own], address, scratch) if is_changed else UNREAD
    pip, uv = ways[REQUIREMENTS][0], ways[PYLOCK if ways[PYLOCK] is not UNREAD else REQUIREMENTS][1]
    if known:
        return (
            f"{known[0]} ¹" if known[0] and (pip != "not read" or not changed.files) else pip
        ), f"{known[1]} ¹"
    return pip, uv


def files_of(texts: Mapping[str, str]) -> dict[str, bytes]:
    """Return texts as bytes."""
    return {name: text.encode() for name, text in texts.items()}


def _sync(kind: str, text: str, address: str, scratch: Path) -> tuple[str, str]:
    source = scratch / ("pylock.toml" if kind == PYLOCK else "requirements.txt")
    source.write_text(text, "utf-8")
    index = ("--index-url", f"{address}/simple")
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        pip = (
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-cache-dir",
            "--require-hashes",
            *index,
        )
        uv = (find_uv(), "--no-config", "pip", "sync", "--no-cache", "--require-hashes", "--no-build", *index)
        for words, flags in ((pip, ("-r", source)), (uv, ("--preview-features", "pylock", source))):
            if kind == PYLOCK and words is pip:
                answers.append("not read")
                continue
            target = Path(folder) / str(len(answers))
            done = subprocess.run(
                [*words, "--target", target, *flags],
                capture_output=True,
                encoding="utf-8",
                check=False,
                cwd=scratch,
            )
            answers.append("refuses" if done.returncode else "installs")
    return answers[0], answers[1]


def row(case: Case, pip: str, uv: str) -> str:
    """Return a line of the table."""
    readers = case.read or case.why or "-"
    lint = next((text for word, text in LINT.items() if word in case.text), "-")
    return f"| {case.text} | {case.found} | {readers} | {pip} | {uv} | {lint} |"


def main() -> None:
    """Run pip and uv on every case and write the page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as folder:
        for title, cases in GROUPS:
            parts.append(f"\n## {title}\n\n{COLUMNS}")
            parts += [row(case, *run(case, address, Path(folder))) for case in cases]
    PAGE.write_text("\n".join([*parts, FOOT]), "utf-8")
    server.shutdown()


COLUMNS = (
    "| what was changed | `lock --check` | `install --frozen`, `verify`, `download`, `export` | pip | uv "
    "| lockfile-lint |\n"
    "|---|---|---|---|---|---|"
)
HEAD = """# Changed locks, and what finds them

Written by `python -m bench.tampering`. Each line changes one or more files of a lock, and redoes their digests in the
manifest unless it says otherwise. `tests/lock/test_tampering.py` checks the columns of envsmith; a code is a refusal,
see [findings](findings.md). `envsmith install` makes both checks. Where nothing is found, the line says what happens.

The last columns answer another question, since these tools have one file each: pip is `pip install --require-hashes` of
the changed requirements, uv is `uv pip sync --require-hashes` of the changed pylock, else of the requirements; both run
with a server that offers the genuine files under the index and false ones on "another host". lockfile-lint reads the
lockfiles of npm and yarn; the column names its check that would see such a change there.
"""
FOOT = """
¹ Not run: it follows from the address alone, as tools accept http and other hosts for files with a hash, or from the
tool's documentation.

Not found by any check without resolving again: another genuine version that the requirements admit, or a further
package of the index, written into all files with its true hash. It is in the diff of the requirements, one line each.
For the hashes of packages outside the torch family envsmith has no second source; their files come from the index's own
hosts, and a hash that is not the file's is refused when it is downloaded (ENV022).

Sources: pip and uv were run on 2026-11-30 (pip 26.3, uv 0.13.8). Checks of lockfile-lint: its README and the reference
of 4.14 (`--validate-https`, `--allowed-hosts`, `--allowed-schemes`, `--allowed-urls`, `--validate-package-names`,
`--validate-integrity`), https://github.com/lirantal/lockfile-lint, read 2026-11-30.
"""

if __name__ == "__main__":
    main()
