"""Places of a package other than an index: a repository, a folder, or an archive, as text in its requirement.

The text is the URL of a direct reference (PEP 508), with paths relative to the project:
``git+https://host/x.git@v1#subdirectory=lib``, ``./libs/x#editable=true``, ``https://host/x-1.0.tar.gz``.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from packaging.requirements import Requirement

from envsmith.errors import ProfileError, redact

Kind = Literal["git", "folder", "file", "url", "workspace"]
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tgz|tar\.(?:gz|bz2|xz))", re.IGNORECASE)
_SCHEMES = ("https", "http", "ssh", "file", "git")
# Safe in a requirement, in TOML and as one argument of git.
_SAFE = re.compile(r"[A-Za-z0-9._~:/\[\]!&()*+,=%@#-]+")
_WORKSPACE = "workspace:"
_PROJECT = "${PROJECT_ROOT}"
_REVISION = re.compile(r"[A-Za-z0-9._/+=~^{}-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """Place of a package."""

    kind: Kind
    place: str
    """Address of a repository or archive, or path relative to the project, with slashes; name of a workspace member."""
    revision: str = ""
    """Branch, tag or commit; empty for the default branch."""
    subdirectory: str = ""
    sha256: str = ""
    """Of an archive; empty if it is not known yet."""
    is_editable: bool = False
    is_virtual: bool = False
    """Whether only the dependencies are installed (``package = false``)."""
    is_own: bool = False
    """Whether it is the project itself, whose requirements are locked anyway."""
    is_named: bool = True
    """False if the name in the requirement is a guess: the place decides it."""

    @classmethod
    def parse(cls, text: str) -> PackageSource:
        """Parse a place as tools write it; paths are relative to the project, or absolute.

        Raises:
            ProfileError: PRF020 when it is malformed, PRF021 for another version control than git, PRF056 when it
                contains a login or a query, which may be a token.
        """
        address, _, fragment = text.partition("#")
        given = dict(part.partition("=")[::2] for part in fragment.split("&") if part)
        flags = {key: given.get(key) == "true" for key in ("editable", "virtual", "own", "unnamed")}
        found = cls._of(address)
        sha256 = given.get("sha256", "").lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise _malformed(text, "invalid hash")
        subdirectory = _inside(unquote(given.get("subdirectory", "")), text)
        return replace(
            found,
            sha256=sha256,
            subdirectory=subdirectory,
            is_editable=flags["editable"],
            is_virtual=flags["virtual"],
            is_own=flags["own"],
            is_named=not flags["unnamed"],
        )

    @classmethod
    def _of(cls, address: str) -> PackageSource:
        if address.startswith(_WORKSPACE):
            return cls(kind="workspace", place=address.removeprefix(_WORKSPACE))
        if re.match(r"(?:hg|svn|bzr)\+", address):
            raise ProfileError(
                "PRF021", f"{_shown(address)} is not in git", hint="require a version of an index"
            )
        if address.startswith(("git+", "git://")) or re.match(r"[a-z]+://[^#]*\.git(?:@[^/]*)?/?$", address):
            return _git(address.removeprefix("git+"))
        if address.startswith("file:"):
            path = re.sub(r"^file:(?://(?=/|\$))?", "", address)
            return cls.of_path(unquote(path.replace(f"/{_PROJECT}", _PROJECT)))
        if re.match(r"https?://", address):
            check_url(address)
            return cls(kind="url", place=address)
        if "://" in address:
            raise _malformed(address, "unknown scheme")
        return cls.of_path(unquote(address))

    @classmethod
    def of_path(cls, path: str) -> PackageSource:
        """Return the source for the path of a folder or archive, as written."""
        path = path.replace(_PROJECT, ".").replace("\\", "/")
        if not path or "\0" in path or path.startswith("~"):
            raise _malformed(path, "invalid path")
        path = posixpath.normpath(path)
        if not path.startswith(("/", "..", "./")) and path != "." and not re.match(r"[A-Za-z]:/", path):
            path = f"./{path}"
        return cls(kind="file" if is_archive(path) else "folder", place=path)

    @classmethod
    def of_git(cls, url: str, revision: str = "", subdirectory: str = "") -> PackageSource:
        """Return the source for a repository."""
        found = _git(url.removeprefix("git+"))
        _check_revision(revision)
        return replace(
            found, revision=revision or found.revision, subdirectory=_inside(subdirectory, subdirectory)
        )

    def below(self, folder: str) -> PackageSource:
        """Return a source that a package in a folder of the project names: its paths are relative to the folder."""
        if self.kind not in ("folder", "file") or self.place.startswith("/"):
            return self
        return replace(self, place=self.of_path(posixpath.join(folder, self.place)).place)

    @property
    def is_pinned(self) -> bool:
        """Whether it names one content: a commit, or a file by its hash."""
        return bool(self.sha256) or (self.kind == "git" and bool(COMMIT.fullmatch(self.revision)))

    @property
    def folder(self) -> str:
        """Path of the folder of a package, for ``kind == "folder"``."""
        return posixpath.normpath(posixpath.join(self.place, self.subdirectory))

    def __str__(self) -> str:
        fragments = {
            "subdirectory": quote(self.subdirectory),
            "sha256": self.sha256,
            "editable": "true" if self.is_editable else "",
            "virtual": "true" if self.is_virtual else "",
            "own": "true" if self.is_own else "",
            "unnamed": "" if self.is_named else "true",
        }
        more = "&".join(f"{key}={value}" for key, value in fragments.items() if value)
        return f"{self.address}#{more}" if more else self.address

    @property
    def address(self) -> str:
        """The text without subdirectory, hash and flags."""
        if self.kind == "git":
            return f"git+{self.place}" + (f"@{self.revision}" if self.revision else "")
        if self.kind == "workspace":
            return f"{_WORKSPACE}{self.place}"
        return self.place if self.kind == "url" else quote(self.place, safe="/._-~+:")

    @property
    def line(self) -> str:
        """The line of a requirements file for a package that has no name in it: a folder or a file."""
        place = self.of_path(self.folder if self.kind == "folder" else self.place).place
        folder = quote(place, safe="/._-~+:")
        # pip and uv take a path as it is, and undo quoting in URLs alone.
        folder = folder if folder == place else f"file:{folder}"
        return f"-e {folder}" if self.is_editable else folder

    def guessed_name(self) -> str:
        """Return the name that the place suggests."""
        last = (self.subdirectory or self.place).rstrip("/").rpartition("/")[2].removesuffix(".git")
        name = re.sub(r"[^A-Za-z0-9._-]|^[._-]+|[._-]+$", "", _ARCHIVE.sub("", unquote(last)).split("-")[0])
        return name or "unnamed"


def is_archive(path: str) -> bool:
    """Return whether a path or URL ends like an archive or wheel."""
    return bool(_ARCHIVE.search(path[-8:]) and _ARCHIVE.search(path, max(0, len(path) - 8)))


def is_wheel_url(url: str) -> bool:
    """Return whether a URL is that of a wheel on a server: uv reads these itself."""
    return url.startswith(("http://", "https://")) and url.partition("#")[0].endswith(".whl")


def without_url(requirement: Requirement) -> Requirement:
    """Return a requirement by name; uv has the package from us."""
    copy = Requirement(str(requirement))
    if not (copy.url and is_wheel_url(copy.url)):
        copy.url = None
    return copy


def _git(address: str) -> PackageSource:
    if re.match(r"[^/:@]+@[^/:]+:", address):  # git@host:path, as git itself writes it
        user, _, rest = address.partition("@")
        host, _, path = rest.partition(":")
        address = f"ssh://{user}@{host}/{path}"
    head, _, path = address.partition("://")
    path, _, revision = path.rpartition("@") if "@" in path.partition("/")[2] else (path, "", "")
    url = f"{head}://{path}"
    if head not in _SCHEMES or not path:
        raise _malformed(url, f"use {', '.join(_SCHEMES[:4])}")
    check_url(url)
    _check_revision(revision)
    return PackageSource(kind="git", place=url, revision=revision)


def _check_revision(revision: str) -> None:
    if revision and (revision.startswith("-") or not _REVISION.fullmatch(revision)):
        raise ProfileError(
            "PRF020", f"invalid revision {revision[:40]!r}", hint="use a branch, a tag or a commit"
        )


def check_url(url: str) -> None:
    """Check that a URL has no login, no query and only safe characters.

    Raises:
        ProfileError: PRF020 when it is malformed, PRF056 for a login or query.
    """
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError as error:
        raise _malformed(url, "malformed URL") from error
    is_login = bool(password or (user and parts.scheme != "ssh"))
    if is_login or parts.query:
        what = "a login" if is_login else "a query, which may contain a token"
        raise ProfileError(
            "PRF056",
            f"{_shown(url)} contains {what}; locks must not contain credentials",
            hint="remove it from the URL; for a login use the netrc file or `uv auth login`",
        )
    if not _SAFE.fullmatch(url):
        raise ProfileError(
            "PRF020", f"{_shown(url)} has characters that a URL must quote", hint="quote them as %XX"
        )
    if (
        url.startswith("-")
        or (parts.scheme != "file" and not parts.hostname)
        or (parts.hostname or "").startswith("-")
    ):
        raise _malformed(url, "malformed URL")


def _inside(subdirectory: str, text: str) -> str:
    if not subdirectory:
        return ""
    found = posixpath.normpath(subdirectory.replace("\\", "/"))
    if found.startswith(("/", "..", "-")) or "\0" in found:
        raise _malformed(text, "the subdirectory is outside the repository")
    return "" if found == "." else found


def _shown(text: str) -> str:
    text = redact(text)
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _malformed(text: str, reason: str) -> ProfileError:
    return ProfileError(
        "PRF020",
        f"invalid requirement {_shown(text)}: {reason}",
        hint="write name @ git+https://HOST/REPOSITORY@REVISION, name @ https://HOST/FILE or ./FOLDER",
    )
