"""Path convertors: how a parameter of a path looks, and how it becomes a value and text again.

`CONVERTOR_TYPES` is the live table that `{name:type}` is looked up in when a route is made.
"""

from __future__ import annotations

import math
import uuid
from typing import Any, ClassVar, Generic, TypeVar

from covet._engine import bump_generation

__all__ = [
    "CONVERTOR_TYPES",
    "Convertor",
    "FloatConvertor",
    "IntegerConvertor",
    "PathConvertor",
    "StringConvertor",
    "UUIDConvertor",
    "register_url_convertor",
    "user_convertors",
]

T = TypeVar("T")


class Convertor(Generic[T]):
    """A kind of path parameter: `regex` for its text, and both conversions."""

    regex: ClassVar[str] = ""

    def convert(self, value: str) -> T:
        """Return the value that the text stands for."""
        raise NotImplementedError()

    def to_string(self, value: T) -> str:
        """Return the text of a value."""
        raise NotImplementedError()


class StringConvertor(Convertor[str]):
    """Text of one segment."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Return the text."""
        return value

    def to_string(self, value: str) -> str:
        """Return the text; it must fit into one segment."""
        text = str(value)
        assert "/" not in text, "May not contain path separators"
        assert text, "Must not be empty"
        return text


class PathConvertor(Convertor[str]):
    """The rest of a path, with its slashes."""

    regex = ".*"

    def convert(self, value: str) -> str:
        """Return the text."""
        return str(value)

    def to_string(self, value: str) -> str:
        """Return the text."""
        return str(value)


class IntegerConvertor(Convertor[int]):
    """A number in digits, without a sign."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return the digits."""
        number = int(value)
        assert number >= 0, "Negative integers are not supported"
        return str(number)


class FloatConvertor(Convertor[float]):
    """A number with or without decimals, without a sign."""

    regex = r"[0-9]+(\.[0-9]+)?"

    def convert(self, value: str) -> float:
        """Return the number."""
        return float(value)

    def to_string(self, value: float) -> str:
        """Return the digits, never with an exponent."""
        number = float(value)
        assert number >= 0.0 or math.isnan(number), "Negative floats are not supported"
        assert not math.isnan(number), "NaN values are not supported"
        assert not math.isinf(number), "Infinite values are not supported"
        return f"{number:.20f}".rstrip("0").rstrip(".")


class UUIDConvertor(Convertor[uuid.UUID]):
    """A UUID, with or without dashes."""

    regex = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"

    def convert(self, value: str) -> uuid.UUID:
        """Return the UUID."""
        return uuid.UUID(value)

    def to_string(self, value: uuid.UUID) -> str:
        """Return the usual form."""
        return str(value)


CONVERTOR_TYPES: dict[str, Convertor[Any]] = {
    "str": StringConvertor(),
    "path": PathConvertor(),
    "int": IntegerConvertor(),
    "float": FloatConvertor(),
    "uuid": UUIDConvertor(),
}

_BUILT_IN = {name: type(convertor) for name, convertor in CONVERTOR_TYPES.items()}


def register_url_convertor(key: str, convertor: Convertor[Any]) -> None:
    """Make `{name:key}` use this convertor, in routes made from now on."""
    CONVERTOR_TYPES[key] = convertor
    bump_generation()


def user_convertors() -> list[str]:
    """Return the names of convertors that the engine does not know, or knows differently."""
    return [name for name, convertor in CONVERTOR_TYPES.items() if _BUILT_IN.get(name) is not type(convertor)]
