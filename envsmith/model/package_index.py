"""Package indexes besides PyPI and PyTorch's, as a project or a command line names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from envsmith.errors import ProfileError
from envsmith.model.url import check_address, redact_url

# As in uv: letters, digits and single separators.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
MIRROR_VARIABLES = ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")
"""Variables that name a mirror of PyPI; the first that is set counts."""
_FORM = "write it like company=https://packages.example/simple"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageIndex:
    """An index that may serve every package outside of the torch family; the first that has a package is the one."""

    name: str
    url: str
    """Without credentials."""
    is_default: bool = False
    """Whether it is asked last, in place of PyPI."""

    @property
    def variable(self) -> str:
        """Beginning of the variables of uv with its credentials: ``UV_INDEX_COMPANY``."""
        return f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', self.name.upper())}"

    @classmethod
    def checked(cls, url: str, name: str = "", *, is_default: bool = False) -> PackageIndex:
        """Return the index at an address, named after its host unless a name is given.

        Raises:
            ProfileError: PRF015 for an address that may not be in a lock, PRF054 for an invalid name or a password.
        """
        host = re.sub(r"[^A-Za-z0-9]+", "-", urlsplit(redact_url(url)).netloc).strip("-")
        index = cls(name=name or host or "index", url=url, is_default=is_default)
        if "@" in urlsplit(url).netloc:
            raise ProfileError(
                "PRF054",
                f"the address of the index {index.name} contains a user or password, which a lock must not",
                hint=f"write it without, and set {index.variable}_USERNAME and {index.variable}_PASSWORD",
            )
        if not _NAME.fullmatch(index.name):
            raise ProfileError("PRF054", f"invalid name of an index: {index.name[:40]!r}", hint=_FORM)
        check_address(url)
        return index

    @classmethod
    def parse(cls, text: str) -> PackageIndex:
        """Parse ``NAME URL`` or ``NAME URL default``, as in a manifest.

        Raises:
            ProfileError: PRF054 when it is malformed, PRF015 for an address that may not be in a lock.
        """
        name, _, rest = text.partition(" ")
        url, _, rest = rest.partition(" ")
        if rest not in ("", "default"):
            raise ProfileError("PRF054", f"invalid index {text[:80]!r}", hint=_FORM)
        return cls.checked(url, name, is_default=bool(rest))

    @classmethod
    def typed(cls, text: str) -> PackageIndex:
        """Parse ``NAME=URL``, or a URL alone, as typed.

        Raises:
            ProfileError: PRF015, PRF054.
        """
        name, equals, url = text.partition("=")
        return cls.checked(url, name) if equals and "://" not in name else cls.checked(text)

    def __str__(self) -> str:
        return f"{self.name} {self.url}{' default' if self.is_default else ''}"
