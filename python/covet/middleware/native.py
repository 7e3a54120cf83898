"""What a middleware says of itself so that the engine can follow the same rules without Python.

A description is a name and plain data, made from the attributes as they are now. There is none where the
engine might answer differently: in subclasses, where a method was replaced, with values of other kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Description", "NotPlainError", "Original", "read_fields", "read_size", "read_texts"]

Description = tuple[str, dict[str, Any]]


class NotPlainError(ValueError):
    """An attribute has a value that only Python understands."""


class Original:
    """The classes that a middleware consists of, as they are now: its own first.

    _ORIGINAL = Original(MyMiddleware)
    ...
    if _ORIGINAL.describes(self, MyMiddleware): ...
    """

    def __init__(self, *classes: type[Any]) -> None:
        self._classes = classes
        self._attributes = [_behaviour(cls) for cls in classes]

    def describes(self, middleware: object, *classes: type[Any]) -> bool:
        """Tell whether the object is of the first class itself, and nothing of any class was replaced since.

        `classes` are those which the caller's module names now.
        """
        return (
            classes == self._classes
            and type(middleware) is classes[0]
            and self._attributes[0].keys().isdisjoint(vars(middleware))
            and all(map(_is_same, self._attributes, map(_behaviour, classes)))
        )


def _behaviour(cls: type[Any]) -> dict[str, Any]:
    return {name: value for name, value in vars(cls).items() if name == "__call__" or name[:2] != "__"}


def _is_same(then: dict[str, Any], now: dict[str, Any]) -> bool:
    # By identity: the wrappers of monitoring tools are equal to what they wrap.
    return then.keys() == now.keys() and all(now[name] is value for name, value in then.items())


def read_texts(values: object) -> list[str]:
    """Return the items of a built-in collection of built-in strings.

    Raises:
        NotPlainError: it is something else, for example a collection that decides when it is asked.
        UnicodeEncodeError: a string holds half of a surrogate pair.
    """
    if type(values) not in (list, tuple, set, frozenset):
        raise NotPlainError(f"{values!r} is no list, tuple or set")
    texts: list[str] = []
    for value in values:  # type: ignore[attr-defined]
        if type(value) is not str:
            raise NotPlainError(f"{value!r} is no str")
        value.encode("utf-8")
        texts.append(value)
    return texts


def read_fields(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return header fields as they are sent: names in lower case.

    Raises:
        NotPlainError: a name or value is no string.
        UnicodeEncodeError: a name or value is not Latin-1.
    """
    names, values = read_texts(list(headers)), read_texts(list(headers.values()))
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in zip(names, values, strict=True)
    ]


def read_size(value: object) -> int:
    """Return a number of bytes.

    Raises:
        NotPlainError: it is no whole number, or none that a machine can count to.
    """
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise NotPlainError(f"{value!r} is no size")
    return value
