"""Collections that tell the engine when what plans were made from has changed.

Used by routers, dependants and the application. They behave as plain lists and dicts otherwise, and never
call back into their owners, so that an application that has not served yet can be pickled.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from typing import Any, TypeVar

from covet._engine import bump_generation

__all__ = ["WatchedDict", "WatchedList"]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


def _announced(method: Any) -> Any:
    """Make a mutating method of a built-in count as a change."""

    @wraps(method)
    def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            self.version = getattr(self, "version", 0) + 1
            bump_generation()

    return changed


class WatchedList(list[T]):
    """A list whose `version` grows with every change of its items."""

    version: int

    def __init__(self, items: Iterable[T] = ()) -> None:
        super().__init__(items)
        self.version = 0

    append = _announced(list.append)
    clear = _announced(list.clear)
    extend = _announced(list.extend)
    insert = _announced(list.insert)
    pop = _announced(list.pop)
    remove = _announced(list.remove)
    reverse = _announced(list.reverse)
    sort = _announced(list.sort)
    __delitem__ = _announced(list.__delitem__)
    __iadd__ = _announced(list.__iadd__)
    __imul__ = _announced(list.__imul__)
    __setitem__ = _announced(list.__setitem__)


class WatchedDict(dict[K, V]):
    """A dict whose `version` grows with every change of its items."""

    version: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = 0

    clear = _announced(dict.clear)
    pop = _announced(dict.pop)
    popitem = _announced(dict.popitem)
    setdefault = _announced(dict.setdefault)
    update = _announced(dict.update)
    __delitem__ = _announced(dict.__delitem__)
    __ior__ = _announced(dict.__ior__)
    __setitem__ = _announced(dict.__setitem__)
