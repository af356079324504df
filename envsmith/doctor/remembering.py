"""A property that is found out once, also where that fails: what hangs is not asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, overload

from envsmith.errors import EnvsmithError

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class Remembered(Generic[Owner, Value]):
    """Like ``functools.cached_property``, with an EnvsmithError remembered as well.

    Args:
        ask: finds it out.
    """

    def __init__(self, ask: Callable[[Owner], Value]) -> None:
        self._ask = ask
        self._key = f"remembered {ask.__name__}"
        self.__doc__ = ask.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Owner]) -> Remembered[Owner, Value]: ...

    @overload
    def __get__(self, instance: Owner, owner: type[Owner]) -> Value: ...

    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Value | Remembered[Owner, Value]:
        """Return the value.

        Raises:
            EnvsmithError: as it was raised when it was first asked for.
        """
        if instance is None:
            return self
        known = vars(instance)
        if self._key not in known:
            known[self._key] = self._answer(instance)
        found = known[self._key]
        if isinstance(found, EnvsmithError):
            raise found
        return found  # type: ignore[no-any-return]

    def _answer(self, instance: Owner) -> Value | EnvsmithError:
        try:
            return self._ask(instance)
        except EnvsmithError as error:
            return error


def quietly(ask: Callable[[], Value | None]) -> Value | None:
    """Return what is found out, None where it cannot be."""
    try:
        return ask()
    except EnvsmithError:
        return None
