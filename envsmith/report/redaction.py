"""Redaction of private values in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

HOME, USER, HOST, SECRET, MAIL, PROJECT = "~", "USER", "HOST", "SECRET", "MAIL", "PROJECT"
"""Placeholders of redacted values."""
PUBLIC_HOSTS = (
    "download.pytorch.org",
    "download-r2.pytorch.org",
    "pytorch.org",
    "docs.pytorch.org",
    "github.com",
    "data.pyg.org",
    "aka.ms",
    "localhost",
    "127.0.0.1",
)
"""Public servers, which are not redacted."""
_COMMON = frozenset(
    (
        "admin",
        "administrator",
        "app",
        "azureuser",
        "build",
        "builder",
        "ci",
        "conda",
        "debian",
        "default",
        "docker",
        "ec2-user",
        "git",
        "guest",
        "jenkins",
        "jovyan",
        "linux",
        "local",
        "localhost",
        "mambauser",
        "me",
        "nobody",
        "node",
        "nvidia",
        "python",
        "root",
        "runner",
        "runneradmin",
        "system",
        "test",
        "torch",
        "ubuntu",
        "user",
        "vagrant",
        "vscode",
        "web",
        "windows",
        "workspace",
        "www-data",
    )
)
"""Common names of users and machines, which are not redacted: they identify nobody and are words."""
_MIN_LENGTH = 3
# Scheme and rest of a URL.
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20})://([^\s\"'<>)\]`]+)", re.IGNORECASE)
# A home on Linux, macOS or Windows, with backslashes written once or twice.
_HOMES = re.compile(
    r"(?:/home|/Users|/var/home|[A-Z]:(?:\\{1,2}|/)Users)(?:\\{1,2}|/)[^\s\\/:;,\"'`()<>|]+", re.IGNORECASE
)
# A Windows share: two backslashes, written once or twice, and the server's name.
_SHARE = re.compile(r"(?<![\w\\:~])(\\{2}|\\{4})(?![?.\\])[\w.-]+(?=\\)")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b")
# `user:password@` without a scheme.
_LOGIN = re.compile(r"[^\s/@:\"'=`]+:[^\s/@\"'`]+@(?=[\w.-]+)")
# A password that contains an unquoted slash or @.
_UNQUOTED = re.compile(r"^[^/@:]*:(?!\d+(?:/|$))[^@]*@(?:[^@/]*@)*")
# Tokens with known prefixes: GitHub, GitLab, Hugging Face, package registries, OpenAI, Slack, AWS, JWT, npm, Docker.
_TOKENS = re.compile(
    r"gh[pousr]_\w{16,}|github_pat_\w{16,}|gl(?:pat|dt|rt)-[\w-]{16,}|hf_\w{16,}|pypi-[\w-]{16,}|sk-[\w-]{16,}"
    r"|xox[abeprs]-[\w-]{10,}|A(?:KIA|SIA)[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]*|npm_\w{20,}|dckr_pat_[\w-]{16,}"
)
# A value after the name of a secret, `token=...`, or after `Bearer`.
_NAMED = re.compile(
    r"((?:token|secret|passw(?:or)?d|api[-_]?key|credentials?|authorization|bearer)[\w-]*[\"']?\s*[=:]\s*[\"']?"
    r"(?:(?:bearer|basic|token)\s+)?|\b(?:bearer|basic)\s+)([^\s\"'&,;]+)",
    re.IGNORECASE,
)
# A long mix of capitals, small letters and digits; not a hexadecimal hash, which has no capitals.
_RANDOM = re.compile(r"(?<![\w./+-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[A-Za-z0-9_-]{32,}(?![\w./+-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Known private values; others are recognized by their form."""

    project: str = ""
    """The project's folder; empty to keep it."""
    other_projects: tuple[str, ...] = ()
    """Folders of other projects with environments."""
    homes: tuple[str, ...] = ()
    """Home folders: ``/home/NAME``."""
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    """Names of this machine and of servers."""
    secrets: tuple[str, ...] = ()
    """Values of variables with secrets."""

    def text(self, text: str) -> str:
        """Redact a text."""
        text = _URL.sub(self._url, self._redact_known(text))
        text = _NAMED.sub(rf"\1{SECRET}", text)
        text = _TOKENS.sub(SECRET, text)
        text = _SHARE.sub(lambda match: match[1] + HOST, _HOMES.sub(HOME, text))
        text = _LOGIN.sub("", text)
        text = _MAIL.sub(MAIL, text)
        text = _RANDOM.sub(SECRET, text)
        for names, replacement in ((self.hosts, HOST), (self.users, USER)):
            for name in sorted(filter(is_identifying, names), key=len, reverse=True):
                whole = rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"
                text = re.sub(whole, replacement, text, flags=re.IGNORECASE)
        return text

    def _redact_known(self, text: str) -> str:
        """Redact known folders and secrets, the longest first: one may be part of another."""
        replacement = (
            dict.fromkeys(self.homes, HOME)
            | dict.fromkeys((*self.other_projects, self.project), PROJECT)
            | dict.fromkeys(self.secrets, SECRET)
        )
        known = sorted(filter(None, replacement), key=len, reverse=True)
        if not known:
            return text
        forms = (
            re.escape(item) if replacement[item] == SECRET else rf"{_path(item)}(?![\w.-])" for item in known
        )
        pattern = re.compile("|".join(f"({form})" for form in forms), re.IGNORECASE)
        return pattern.sub(lambda match: replacement[known[(match.lastindex or 1) - 1]], text)

    def value(self, value: object) -> object:
        """Redact plain values, including the keys of tables."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

    def _url(self, match: re.Match[str]) -> str:
        """Redact a URL: remove login, query and fragment, and any server that is not public."""
        scheme, rest = match[1], match[2]
        if scheme.lower() == "file":
            return match[0].partition("?")[0]
        rest = _UNQUOTED.sub("", rest, count=1)
        place, slash, path = rest.partition("/")
        host = place.rpartition("@")[2].partition("?")[0].partition("#")[0]
        name, colon, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
        shown = name if name.lower() in PUBLIC_HOSTS or not name else HOST
        path = path.partition("?")[0].partition("#")[0]
        return f"{scheme}://{shown}{colon}{port}{slash}{path}"


def is_identifying(name: str) -> bool:
    """Return whether a name of a user or machine identifies it: long enough and not a common one."""
    return len(name) >= _MIN_LENGTH and name.lower() not in _COMMON


def _path(folder: str) -> str:
    """Return the pattern of a folder with slashes or backslashes, written once or twice."""
    parts = [part for part in re.split(r"[\\/]+", folder) if part]
    lead = r"(?:/|\\{1,2})" if folder[:1] in ("/", "\\") else ""
    return lead + r"[\\/]+".join(map(re.escape, parts))


def address(value: str) -> tuple[str, str, str]:
    """Return user, password and server of an address, each empty if missing."""
    try:
        parts = urlsplit(value if "://" in value else f"//{value}")
    except ValueError:
        return "", "", ""
    return parts.username or "", parts.password or "", parts.hostname or ""
