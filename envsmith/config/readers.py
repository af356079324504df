"""Problems: what is wrong with what people wrote, gathered so that all of it is reported at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from envsmith.errors import ProfileError


class Problems:
    """Gathers errors while the reading goes on."""

    def __init__(self) -> None:
        self._found: list[ProfileError] = []

    def add(self, error: ProfileError) -> None:
        """Note an error; of an error that has parts, the parts."""
        self._found.extend(part for part in error.parts if isinstance(part, ProfileError))
        if not error.parts:
            self._found.append(error)

    @contextmanager
    def gathering(self, place: str = "") -> Iterator[None]:
        """Note an error raised inside instead of letting it climb.

        Args:
            place: put before the error's own place.
        """
        try:
            yield
        except ProfileError as error:
            if place and not error.parts:
                error.at(place)
            self.add(error)

    def raise_if_any(self) -> None:
        """Report what was gathered.

        Raises:
            ProfileError: when there is a problem: its ``parts`` are the single problems, in the order found;
                the error itself speaks for the only one, or is PRF002 and gives their number.
        """
        if not self._found:
            return
        parts = tuple(self._found)
        if len(parts) == 1:
            only = parts[0]
            raise ProfileError(only.code, only.message, where=only.where, hint=only.hint, parts=parts)
        places = sorted({part.where.partition(":")[0] for part in parts} - {""})
        raise ProfileError(
            "PRF002",
            f"{len(parts)} problems",
            where=", ".join(places),
            hint="each is listed with its place and its own hint",
            parts=parts,
        )
