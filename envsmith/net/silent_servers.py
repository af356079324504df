"""Remember which servers gave no answer, so that nobody waits for one of them twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from envsmith.errors import ToolError
from envsmith.model.url import public_url


class SilentServers:
    """The servers that could not be reached. One that answers with an error is there, and is asked again."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    @contextmanager
    def asked(self, url: str) -> Iterator[None]:
        """Ask within this block.

        Raises:
            ToolError: TOL030 at once where the server was silent before.
        """
        server = urlsplit(url).netloc
        if server in self._found:
            raise ToolError("TOL030", "the server could not be reached before", where=public_url(url))
        try:
            yield
        except ToolError as error:
            if error.code in ("TOL030", "TOL031"):
                self._found.add(server)
            raise
