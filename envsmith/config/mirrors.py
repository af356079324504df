"""Mirror rules: fetch files from another address than the one in the lock."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from envsmith.errors import ProfileError
from envsmith.model.url import redact_url

VARIABLE = "ENVSMITH_REWRITE"
"""Environment variable with mirror rules, separated by spaces."""
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/\[\]@!$&'()*+,;%-]+", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRule:
    """A server or folder, and its mirror."""

    source: str
    """Address in locks: scheme and host in lower case, without a slash at the end."""
    target: str
    """May contain user and password; for requests only: `str` redacts it."""

    @classmethod
    def parse(cls, text: str) -> MirrorRule:
        """Parse ``https://download.pytorch.org=https://mirror.example/pytorch``.

        Raises:
            ProfileError: PRF044 when a side is not a plain address; the message contains no password.
        """
        source, separator, target = text.strip().partition("=")
        if not separator:
            raise _malformed("has no mirror", source)
        for address in (source, target):
            if not _is_address(address):
                raise _malformed("is not the address of a server or folder", address)
        if "@" in urlsplit(source).netloc:
            raise _malformed("contains a user name", source)
        return cls(source=_normal(source), target=target.rstrip("/"))

    def apply(self, url: str) -> str | None:
        """Return the mirror's address of a file; None if the file is not below the source."""
        mine, theirs = urlsplit(self.source), urlsplit(url)
        if _server(mine) != _server(theirs):
            return None
        inside = theirs.path.removeprefix(mine.path)
        if not theirs.path.startswith(mine.path) or inside[:1] not in ("", "/"):
            return None
        return self.target + urlunsplit(("", "", inside, theirs.query, ""))

    def __str__(self) -> str:
        return f"{self.source}={redact_url(self.target)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRules:
    """Active mirror rules, at most one per source; ``MirrorRules()`` changes no address."""

    rules: tuple[MirrorRule, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> MirrorRules:
        """Parse rules; a later rule for the same source wins: pass settings first, then the variable, then options.

        Raises:
            ProfileError: PRF044 when one is malformed.
        """
        by_source = {rule.source: rule for rule in map(MirrorRule.parse, texts)}
        return cls(rules=tuple(sorted(by_source.values(), key=lambda rule: (-len(rule.source), rule.source))))

    def apply(self, url: str) -> str:
        """Return the address to fetch a lock's URL from: the longest matching source wins, applied once.

        The fetched file must have the lock's hash in any case.
        """
        return next((found for rule in self.rules if (found := rule.apply(url)) is not None), url)

    def unused(self, urls: Collection[str]) -> tuple[MirrorRule, ...]:
        """Return the rules that match none of the addresses."""
        return tuple(rule for rule in self.rules if all(rule.apply(url) is None for url in urls))


def _server(parts: SplitResult) -> tuple[str, str, int]:
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname or "", port or _PORTS.get(parts.scheme, 0)


def _normal(address: str) -> str:
    """Normalise an address: lower case where case is insignificant, no default port, no slash at the end."""
    parts = urlsplit(address)
    scheme, host, port = _server(parts)
    host = f"[{host}]" if ":" in host else host
    netloc = host if _PORTS.get(scheme) == port else f"{host}:{port}"
    return urlunsplit((scheme, netloc, parts.path.rstrip("/"), "", ""))


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return _ADDRESS.fullmatch(text) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _malformed(why: str, address: str) -> ProfileError:
    return ProfileError(
        "PRF044",
        f"a rewrite {why}: {redact_url(address)!r}",
        hint="write it as https://download.pytorch.org=https://mirror.example/pytorch",
    )
