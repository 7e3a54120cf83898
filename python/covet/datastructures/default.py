"""Defaults that can be told from values: a setting wrapped in `Default` was not chosen by the user."""

from __future__ import annotations

from typing import Any, TypeVar, cast

__all__ = ["Default", "DefaultPlaceholder", "get_value_or_default"]

T = TypeVar("T")


class DefaultPlaceholder:
    """A default value in its wrapper; as true as the value is."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DefaultPlaceholder) and bool(other.value == self.value)


def Default(value: T) -> T:
    """Wrap a default; typed as the value itself, so that signatures stay plain."""
    return cast(T, DefaultPlaceholder(value))


def get_value_or_default(first_item: Any, *extra_items: Any) -> Any:
    """Return the first value that somebody chose, else the first default."""
    for item in (first_item, *extra_items):
        if not isinstance(item, DefaultPlaceholder):
            return item
    return first_item


# Typed as None: "this parameter of a field was not given".
_Unset = Default(None)
