"""Ways to change the files of a lock, as a pull request could, each with what finds it.

An attacker who can write a lock's files can also write their digests: `Lock.redo` does so after each change unless the
case says otherwise. `tests/lock/test_tampering.py` runs envsmith on every case, `bench/tampering.py` pip and uv.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from envsmith.catalog import Catalog
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.pins import pins_digest, requirements_lines
from envsmith.lockfile.pylock import MADE_WITH
from envsmith.model.backend import Backend
from envsmith.plan.model import digest_of

FALSE = "c0ffee" + "0" * 58
EVIL = "https://evil.test"
MANIFEST, REQUIREMENTS, PYLOCK, SCRIPT = "manifest.toml", "requirements", "pylock", "activate.sh"
OTHER = "filelock"
"""A package outside the torch family."""


@dataclass
class Lock:
    """The files of a lock with one target."""

    files: dict[str, str]
    slug: str
    cached_hash: str = ""
    """What the cached index listing has for torch; empty without a cached listing."""
    names: dict[str, str] = field(init=False)
    before: str = field(init=False)
    """The pylock as it was."""

    def __post_init__(self) -> None:
        self.names = {
            REQUIREMENTS: f"requirements.{self.slug}.txt",
            PYLOCK: f"pylock.{self.slug}.toml",
        }
        self.before = self.read(PYLOCK)

    def read(self, file: str) -> str:
        return self.files[self.names.get(file, file)]

    def write(self, file: str, text: str) -> None:
        self.files[self.names.get(file, file)] = text

    def sub(self, file: str, pattern: str, new: str) -> None:
        """Replace the only match of a pattern; ``\\1`` and the like are groups."""
        text, count = re.subn(pattern, new, self.read(file), flags=re.MULTILINE)
        assert count == 1, (file, pattern, count)
        self.write(file, text)

    def add(self, file: str, line: str) -> None:
        self.write(file, f"{self.read(file)}{line}\n")

    def url(self, package: str, change: Callable[[str], str]) -> None:
        """Change the URL of a package in the pylock."""
        found = re.search(rf'url = "([^"]*/{package}-[^"]*)"', self.read(PYLOCK))
        assert found
        self.write(PYLOCK, self.read(PYLOCK).replace(found[1], change(found[1])))

    def hash_of(self, package: str) -> str:
        found = re.search(
            rf"^{package}==.*\n    --hash=sha256:([0-9a-f]+)", self.read(REQUIREMENTS), re.MULTILINE
        )
        assert found
        return found[1]

    def version_of(self, package: str) -> str:
        found = re.search(rf"^{package}==([^ ]+)", self.read(REQUIREMENTS), re.MULTILINE)
        assert found
        return found[1]

    def block(self, file: str, package: str) -> str:
        """Return the lines of a package."""
        pattern = (
            rf"^{package}==.*(?:\n    .*)*\n"
            if file == REQUIREMENTS
            else rf'^\[\[packages\]\]\nname = "{package}"\n(?:(?!\[).*\n|    .*\n)*'
        )
        found = re.search(pattern, self.read(file), re.MULTILINE)
        assert found
        return found[0]

    def rehash(self, package: str, new: str, *files: str) -> None:
        """Replace the hash of a package in some files."""
        old = self.hash_of(package)
        for file in files:
            assert old in self.read(file)
            self.write(file, self.read(file).replace(old, new))

    def drop(self, package: str, *files: str) -> None:
        for file in files:
            self.write(file, self.read(file).replace(self.block(file, package), ""))

    def redo(self) -> None:
        """Write the digests of all files into the manifest, and that of the pins into a changed pylock."""
        if self.files.get(self.names[PYLOCK], self.before) != self.before:
            lines = [line for line in requirements_lines(self.read(REQUIREMENTS)) if line.name]
            digest = pins_digest((line.name, line.version, line.sha256) for line in lines)
            self.write(PYLOCK, MADE_WITH.sub(f'pins-sha256 = "{digest}"', self.read(PYLOCK)))
        for name, text in self.files.items():
            if name == MANIFEST:
                continue
            digest = hashlib.sha256(text.encode()).hexdigest()
            self.files[MANIFEST] = re.sub(
                rf'^"{re.escape(name)}" = ".*"',
                f'"{name}" = "{digest}"',
                self.files[MANIFEST],
                flags=re.MULTILINE,
            )

    def redo_plan(self) -> None:
        """Write the digest of the inputs of the manifest into all files."""
        entry = Manifest.from_toml(self.files[MANIFEST], MANIFEST).targets[self.slug]
        new = digest_of(dict(entry.inputs))
        for name, text in self.files.items():
            self.files[name] = text.replace(entry.plan, new)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to change a lock."""

    text: str
    change: Callable[[Lock], object]
    check: str
    """Codes that `lock --check` prints, space separated; empty: current."""
    warned: str = ""
    """Code of a warning that `lock --check` prints beside."""
    read: str = ""
    """Code with which `install --frozen`, `verify`, `download` and `export` refuse; empty: they read the lock."""
    is_redone: bool = True
    """Whether the digests in the manifest are redone."""
    why: str = ""
    """What happens where nothing is found, or by what else it is found."""

    @property
    def found(self) -> str:
        """What `lock --check` says."""
        return (self.check or "current") + (f", warning {self.warned}" if self.warned else "")


def _all(package: str, new: str, *files: str) -> Callable[[Lock], None]:
    return lambda lock: lock.rehash(package, new, *files)


def _sub(file: str, pattern: str, new: str) -> Callable[[Lock], None]:
    return lambda lock: lock.sub(file, pattern, new)


def _url(package: str, pattern: str, new: str) -> Callable[[Lock], None]:
    return lambda lock: lock.url(package, lambda url: re.sub(pattern, new, url, count=1))


def _line(text: str) -> Callable[[Lock], None]:
    return lambda lock: lock.write(REQUIREMENTS, f"{text}\n{lock.read(REQUIREMENTS)}")


def _input(key: str, new: str, *, is_planned: bool = False) -> Callable[[Lock], None]:
    def change(lock: Lock) -> None:
        lock.sub(MANIFEST, rf"^{key} = .*$", f"{key} = {new}")
        if is_planned:
            lock.redo_plan()

    return change


def _second_hash(package: str) -> Callable[[Lock], None]:
    def change(lock: Lock) -> None:
        block = lock.block(REQUIREMENTS, package)
        head, _, rest = block.partition("\n")
        lock.write(
            REQUIREMENTS,
            lock.read(REQUIREMENTS).replace(block, f"{head}\n    --hash=sha256:{FALSE} \\\n{rest}"),
        )

    return change


def _extra(name: str, *files: str) -> Callable[[Lock], None]:
    """Add a package like OTHER under another name."""

    def change(lock: Lock) -> None:
        for file in files:
            block = lock.block(file, OTHER)
            lock.write(file, lock.read(file).replace(block, block + block.replace(OTHER, name)))

    return change


def _both(*changes: Callable[[Lock], object]) -> Callable[[Lock], None]:
    def change(lock: Lock) -> None:
        for one in changes:
            one(lock)

    return change


def _of_another_file(lock: Lock) -> str:
    listing = Catalog.embedded().listing("stable", Backend.parse("cpu"))
    assert listing
    (release,) = (item for item in listing.releases("torch") if item.version == lock.version_of("torch"))
    return (
        next(wheel.sha256 for wheel in release.wheels() if wheel.sha256 not in (None, lock.hash_of("torch")))
        or ""
    )


def _rename_torch(lock: Lock) -> None:
    version = lock.version_of("torch")
    for file in (MANIFEST, PYLOCK, REQUIREMENTS):
        lock.write(file, lock.read(file).replace(version, "2.0.0+cpu", 3))


def _older(lock: Lock) -> None:
    """Take an older torch of the catalog, with its own file and hash, that the profile does not admit."""
    listing = Catalog.embedded().listing("stable", Backend.parse("cpu"))
    assert listing
    (release,) = (item for item in listing.releases("torch") if item.version == "2.8.0+cpu")
    old = Manifest.from_toml(lock.files[MANIFEST], MANIFEST).targets[lock.slug].family["torch"]
    end = old.filename.split("-", 2)[2]
    (new,) = (wheel for wheel in release.wheels() if wheel.filename.endswith(end))
    for file in (MANIFEST, REQUIREMENTS, PYLOCK):
        text = lock.read(file).replace(old.sha256, new.sha256 or "")
        lock.write(
            file,
            text.replace(old.version, "2.8.0+cpu").replace(old.version.replace("+", "%2B"), "2.8.0%2Bcpu"),
        )


def _crlf(lock: Lock) -> None:
    lock.write(REQUIREMENTS, lock.read(REQUIREMENTS).replace("\n", "\r\n"))


def _reordered(lock: Lock) -> None:
    block = lock.block(REQUIREMENTS, OTHER)
    lock.write(REQUIREMENTS, lock.read(REQUIREMENTS).replace(block, "") + block)


def _cached(value: str) -> Callable[[Lock], None]:
    return lambda lock: setattr(lock, "cached_hash", value)


_PYLOCK_VERSION = r'(name = "filelock"\nversion = )".*"'
HASHES = (
    Case(
        text="torch's hash, in manifest, requirements and pylock",
        change=_all("torch", FALSE, MANIFEST, REQUIREMENTS, PYLOCK),
        check="LCK061",
        read="LCK061",
    ),
    Case(
        text="torch's hash, by that of another file of the catalog, in all three",
        change=lambda lock: lock.rehash("torch", _of_another_file(lock), MANIFEST, REQUIREMENTS, PYLOCK),
        check="LCK061",
        read="LCK061",
    ),
    Case(
        text="torch's hash, in the requirements",
        change=_all("torch", FALSE, REQUIREMENTS),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="torch's hash, in the pylock", change=_all("torch", FALSE, PYLOCK), check="LCK060", read="LCK060"
    ),
    Case(
        text="torch's hash, in the manifest",
        change=_all("torch", FALSE, MANIFEST),
        check="LCK060 LCK061",
        read="LCK060",
    ),
    Case(
        text="torch's hash, in requirements and pylock",
        change=_all("torch", FALSE, REQUIREMENTS, PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="another package's hash, in the requirements",
        change=_all(OTHER, FALSE, REQUIREMENTS),
        check="",
        why="`install` refuses the file of the index: its hash differs (ENV022)",
        warned="LCK036",
    ),
    Case(
        text="another package's hash, in the pylock",
        change=_all(OTHER, FALSE, PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="another package's hash, in requirements and pylock",
        change=_all(OTHER, FALSE, REQUIREMENTS, PYLOCK),
        check="",
        why="`install` refuses the file of the index: its hash differs (ENV022)",
    ),
    Case(
        text="a second hash for torch, in the requirements",
        change=_second_hash("torch"),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a second hash for another package, in the requirements",
        change=_second_hash(OTHER),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a hash of another kind (md5), in the requirements",
        change=_sub(REQUIREMENTS, r"^(filelock==.*\n    --hash=)sha256:[0-9a-f]+", rf"\1md5:{'a' * 32}"),
        check="LCK006",
        read="LCK006",
    ),
    Case(
        text="a package's hash removed, in the requirements",
        change=_sub(REQUIREMENTS, r"^(filelock==[^ ]+) .*\n    --hash=sha256:[0-9a-f]+", r"\1"),
        check="LCK006",
        read="LCK006",
    ),
    Case(
        text="a package's hash of another kind, in the pylock",
        change=lambda lock: lock.write(
            PYLOCK, lock.read(PYLOCK).replace(f'sha256 = "{lock.hash_of(OTHER)}"', f'md5 = "{"a" * 32}"')
        ),
        check="LCK006",
        read="LCK006",
    ),
)
PACKAGES = (
    Case(
        text="a package's version, in the requirements",
        change=_sub(REQUIREMENTS, r"^filelock==[^ ]+", "filelock==3.0.0"),
        check="",
        why="`install` refuses the file of the index: its hash differs (ENV022)",
        warned="LCK036",
    ),
    Case(
        text="a package's version, in the pylock",
        change=_sub(PYLOCK, _PYLOCK_VERSION, r'\1"3.0.0"'),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package's version, in requirements and pylock",
        change=_both(
            _sub(REQUIREMENTS, r"^filelock==[^ ]+", "filelock==3.0.0"),
            _sub(PYLOCK, _PYLOCK_VERSION, r'\1"3.0.0"'),
        ),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="torch's version, in requirements, pylock and manifest",
        change=_rename_torch,
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="an older torch that the profile does not admit, with its own file and hash",
        change=_older,
        check="LCK060",
        why="`install` refuses it as stale (LCK003)",
    ),
    Case(
        text="a package added, in the requirements",
        change=_extra("evil", REQUIREMENTS),
        check="LCK060",
        read="LCK060",
    ),
    Case(text="a package added, in the pylock", change=_extra("evil", PYLOCK), check="LCK060", read="LCK060"),
    Case(
        text="a package added, in requirements and pylock",
        change=_extra("evil", REQUIREMENTS, PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package removed, from the requirements",
        change=lambda lock: lock.drop(OTHER, REQUIREMENTS),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package removed, from the pylock",
        change=lambda lock: lock.drop(OTHER, PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package removed, from requirements and pylock",
        change=lambda lock: lock.drop(OTHER, REQUIREMENTS, PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="torch removed, from requirements and pylock",
        change=lambda lock: lock.drop("torch", REQUIREMENTS, PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="torch removed from the manifest's torch family, its hash replaced",
        change=_both(_all("torch", FALSE, REQUIREMENTS, PYLOCK), _sub(MANIFEST, r"^torch = \{.*\n", "")),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package listed twice, in the requirements",
        change=_extra("filelock", REQUIREMENTS),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package listed twice, in the pylock",
        change=_extra("filelock", PYLOCK),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a package's name in capitals, in the requirements",
        change=_sub(REQUIREMENTS, "^filelock==", "FileLock=="),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="another package's name, in the requirements",
        change=_sub(REQUIREMENTS, "^filelock==", "fi1elock=="),
        check="",
        why="`install` refuses the file of the index: its hash differs (ENV022)",
        warned="LCK036",
    ),
    Case(
        text="a package with a marker that never holds, in the pylock",
        change=_sub(PYLOCK, _PYLOCK_VERSION, r"""\1"0"\nmarker = "python_version < '3'\""""),
        check="LCK006",
        read="LCK006",
    ),
)
URLS = (
    Case(
        text="torch's URL: another host, the right hash",
        change=_url("torch", r"https?://[^/]+", EVIL),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: another host, the right hash",
        change=_url(OTHER, r"https?://[^/]+", EVIL),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL and hash, in the pylock",
        change=_both(_url(OTHER, r"https?://[^/]+", f"{EVIL}/bad"), _all(OTHER, FALSE, PYLOCK)),
        check="LCK060 LCK062",
        read="LCK060",
    ),
    Case(
        text="a package's URL and hash, in requirements and pylock",
        change=_both(_url(OTHER, r"https?://[^/]+", f"{EVIL}/bad"), _all(OTHER, FALSE, REQUIREMENTS, PYLOCK)),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="torch's URL and hash, in all three",
        change=_both(
            _url("torch", r"https?://[^/]+", f"{EVIL}/bad"),
            _all("torch", FALSE, MANIFEST, REQUIREMENTS, PYLOCK),
        ),
        check="LCK061 LCK062",
        read="LCK060",
    ),
    Case(
        text="torch's URL: plain http", change=_url("torch", "https:", "http:"), check="LCK062", read="LCK062"
    ),
    Case(
        text="a package's URL: plain http",
        change=_url(OTHER, "https:", "http:"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: a host of PyTorch",
        change=_url(OTHER, r"//[^/]+", "//download.pytorch.org"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: the known host as a user name",
        change=_url(OTHER, r"//([^/]+)", r"//\1@evil.test"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: a backslash before the known host",
        change=_url(OTHER, r"//([^/]+)", r"//evil.test\\\\\\\\@\1"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: a fragment with another hash",
        change=_url(OTHER, "$", f"#sha256={FALSE}"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: another file of its host",
        change=_url(OTHER, "filelock-[^/]*$", "evil-1.0-py3-none-any.whl"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: a file of this machine",
        change=_url(OTHER, r"https?://[^/]+", "file:///tmp"),
        check="LCK062",
        read="LCK062",
    ),
    Case(
        text="a package's URL: a path instead",
        change=lambda lock: lock.sub(
            PYLOCK, r'^(    \{name = "filelock-.*), url = ("[^"]*")', r"\1, path = \2"
        ),
        check="LCK006",
        read="LCK006",
    ),
    Case(
        text="a package from version control, in the pylock",
        change=_sub(
            PYLOCK,
            _PYLOCK_VERSION,
            r'\1"4.2.12"\nvcs = {type = "git", url = "https://evil.test/x", commit-id = "0"}',
        ),
        check="LCK006",
        read="LCK006",
    ),
    Case(
        text="a source distribution beside a package's wheel",
        change=_sub(
            PYLOCK,
            _PYLOCK_VERSION,
            rf'\1"4.2.12"\nsdist = {{url = "{EVIL}/filelock-4.2.12.tar.gz", hashes = {{sha256 = "{FALSE}"}}}}',
        ),
        check="LCK006",
        read="LCK006",
    ),
)
OPTIONS = (
    Case(
        text="--extra-index-url of another host, in the requirements",
        change=_line(f"--extra-index-url {EVIL}/simple"),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="--find-links of another host, in the requirements",
        change=_line(f"--find-links {EVIL}/simple"),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="--index-url of another host, in the requirements",
        change=_line(f"--index-url {EVIL}/simple"),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="-r of another file, in the requirements",
        change=_line("-r more.txt"),
        check="LCK006",
        read="LCK006",
    ),
    Case(
        text="--trusted-host, in the requirements",
        change=_line("--trusted-host evil.test"),
        check="LCK006",
        read="LCK006",
    ),
    Case(
        text="a package by URL, in the requirements",
        change=_line(f"evil @ {EVIL}/evil-1.0-py3-none-any.whl"),
        check="LCK006",
        read="LCK006",
    ),
)
MANIFESTS = (
    Case(
        text="env: a name with shell commands",
        change=_input("env", '["B;touch${IFS}x;C=1"]', is_planned=False),
        check="LCK002",
        read="LCK002",
    ),
    Case(
        text="env: LD_PRELOAD",
        change=_input("env", '["LD_PRELOAD=/tmp/x.so"]'),
        check="LCK002",
        read="LCK002",
    ),
    Case(text="env: PATH", change=_input("env", '["PATH=/tmp"]'), check="LCK002", read="LCK002"),
    Case(
        text="env: a line break in a name",
        change=_input("env", r'["A\\nB=1"]'),
        check="LCK002",
        read="LCK002",
    ),
    Case(
        text="env: another variable, the plan's digest as it was",
        change=_input("env", '["TORCH_HOME=/tmp"]'),
        check="",
        warned="LCK038",
        why="`lock --check` and `install` tell it; `lock` writes the profile's variables again",
    ),
    Case(
        text="env: another variable, the plan's digest redone",
        change=_input("env", '["TORCH_HOME=/tmp"]', is_planned=True),
        check="",
        warned="LCK038",
        why="`lock --check` and `install` tell it; `lock` writes the profile's variables again",
    ),
    Case(
        text="a package that may be built from source",
        change=_input("allow-sdist", '["filelock"]', is_planned=True),
        check="LCK033",
        why="`install` refuses it as stale (LCK003)",
    ),
    Case(
        text="another backend",
        change=_input("backend", '"cu128"', is_planned=True),
        check="LCK033 LCK060",
        read="LCK060",
    ),
    Case(
        text="another requirement",
        change=_input("requirement", '["torch>=2.9", "evil"]', is_planned=True),
        check="",
        why="nothing: the pins satisfy what the profile requires",
    ),
    Case(
        text="a channel that is a path", change=_input("channel", '"../../x"'), check="LCK002", read="LCK002"
    ),
    Case(
        text="another number of packages",
        change=_sub(MANIFEST, "^packages = .*", "packages = 3"),
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="a file name that leads out of the folder",
        change=_sub(MANIFEST, r'^"requirements\..*" =', '"../../.bashrc" ='),
        check="LCK002",
        read="LCK002",
    ),
    Case(
        text="a script name that leads out of the folder",
        change=_sub(MANIFEST, r'^"activate\.sh" =', '"../activate.sh" ='),
        check="LCK002",
        read="LCK002",
    ),
    Case(
        text="the requirements removed from the list of files, and changed",
        change=_both(_all(OTHER, FALSE, REQUIREMENTS), _sub(MANIFEST, r'^"requirements\..*\n', "")),
        check="LCK036",
        why="`install` refuses it as stale (LCK003)",
    ),
    Case(
        text="another profile's name",
        change=_sub(MANIFEST, '^profile = ".*"', 'profile = "other"'),
        check="LCK060",
        read="LCK060",
    ),
)
OTHERS = (
    Case(
        text="the activation script",
        change=lambda lock: lock.add(SCRIPT, "touch /tmp/x"),
        why="`activate` refuses to run it (LCK038); `install` writes its own",
        check="",
        warned="LCK038",
    ),
    Case(
        text="the activation script, its digest as it was",
        change=lambda lock: lock.add(SCRIPT, "touch /tmp/x"),
        is_redone=False,
        why="`activate` refuses to run it (LCK038); `install` writes its own",
        check="",
        warned="LCK036",
    ),
    Case(
        text="the activation script, and no digest of it",
        change=_both(
            lambda lock: lock.add(SCRIPT, "touch /tmp/x"), _sub(MANIFEST, r'^"activate\.sh" = .*\n', "")
        ),
        why="`activate` refuses to run it (LCK038); `install` writes its own",
        check="",
        warned="LCK038",
    ),
    Case(
        text="the cached index listing: another hash for torch",
        change=_cached(FALSE),
        why="only in the user's own cache; a lock is compared with the embedded catalog",
        check="",
    ),
    Case(
        text="the cached index listing and torch's hash in all three",
        change=_both(_cached(FALSE), _all("torch", FALSE, MANIFEST, REQUIREMENTS, PYLOCK)),
        read="LCK061",
        check="LCK061",
    ),
    Case(
        text="the pylock, its digest as it was",
        change=_all(OTHER, FALSE, PYLOCK),
        is_redone=False,
        check="LCK060",
        read="LCK060",
    ),
    Case(
        text="the pylock deleted",
        change=lambda lock: lock.files.pop(lock.names[PYLOCK]),
        check="",
        why="nothing: the requirements have the same pins",
    ),
    Case(
        text="comments in the requirements",
        change=_sub(REQUIREMENTS, r"^# pip install .*", "# nothing"),
        check="",
        why="nothing",
    ),
    Case(text="the order of the requirements", change=_reordered, check="", why="nothing"),
    Case(text="the line ends of the requirements", change=_crlf, check="", why="nothing"),
    Case(
        text="upload times and sizes in the pylock",
        change=lambda lock: lock.write(
            PYLOCK,
            re.sub(
                r"size = \d+", "size = 1", re.sub("upload-time = 20", "upload-time = 19", lock.read(PYLOCK))
            ),
        ),
        check="",
        why="nothing: uv compares the hash",
    ),
    Case(
        text="dependencies in the pylock",
        change=lambda lock: lock.write(
            PYLOCK, re.sub(r"^dependencies = .*\n", "", lock.read(PYLOCK), flags=re.MULTILINE)
        ),
        check="",
        why="nothing: all packages are listed",
    ),
    Case(
        text="envsmith's own table in the pylock",
        change=_sub(PYLOCK, r"^catalog = .*", 'catalog = "x"'),
        check="",
        why="nothing",
    ),
    Case(
        text="the source of index data in the manifest",
        change=_sub(MANIFEST, r'^catalog = "embedded.*"', 'catalog = "x"'),
        check="",
        why="nothing but the line that names it",
    ),
)
GROUPS = (
    ("Hashes", HASHES),
    ("Packages and versions", PACKAGES),
    ("URLs in the pylock", URLS),
    ("Options in the requirements", OPTIONS),
    ("Manifest", MANIFESTS),
    ("Scripts, cache, and what is not read", OTHERS),
)
CASES = tuple(case for _, cases in GROUPS for case in cases)
