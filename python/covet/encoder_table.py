"""What `jsonable_encoder` does with classes that are neither plain data nor models: one function for each.

Loaded with the first such object, because pydantic's addresses stand on packages that few applications use.
Users may change `ENCODERS_BY_TYPE`; they know it as `covet.encoders.ENCODERS_BY_TYPE`.
"""

from __future__ import annotations

import datetime
from collections import defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path
from re import Pattern
from types import GeneratorType
from typing import Any
from uuid import UUID

from pydantic.networks import AnyUrl, NameEmail
from pydantic.types import SecretBytes, SecretStr
from pydantic_core import Url

__all__ = [
    "ENCODERS_BY_TYPE",
    "decimal_encoder",
    "encoders_by_class_tuples",
    "generate_encoders_by_class_tuples",
    "isoformat",
]


def isoformat(o: datetime.date | datetime.time) -> str:
    """Return a date or time in ISO 8601."""
    return o.isoformat()


def decimal_encoder(dec_value: Decimal) -> int | float:
    """Return a decimal as an int when it was written without a fraction, else as a float.

    A column `Numeric(x, 0)` holds integers; written as floats they would not survive the way back.
    """
    exponent = dec_value.as_tuple().exponent
    whole = isinstance(exponent, int) and exponent >= 0
    return int(dec_value) if whole else float(dec_value)


ENCODERS_BY_TYPE: dict[type[Any], Callable[[Any], Any]] = {
    bytes: lambda value: value.decode(),
    datetime.date: isoformat,
    datetime.datetime: isoformat,
    datetime.time: isoformat,
    datetime.timedelta: lambda value: value.total_seconds(),
    Decimal: decimal_encoder,
    Enum: lambda value: value.value,
    frozenset: list,
    deque: list,
    GeneratorType: list,
    IPv4Address: str,
    IPv4Interface: str,
    IPv4Network: str,
    IPv6Address: str,
    IPv6Interface: str,
    IPv6Network: str,
    NameEmail: str,
    Path: str,
    Pattern: lambda value: value.pattern,
    SecretBytes: str,
    SecretStr: str,
    set: list,
    UUID: str,
    Url: str,
    AnyUrl: str,
}


def generate_encoders_by_class_tuples(
    type_encoder_map: dict[Any, Callable[[Any], Any]],
) -> dict[Callable[[Any], Any], tuple[Any, ...]]:
    """Return each encoder with the tuple of classes it is for, ready for `isinstance`."""
    classes: dict[Callable[[Any], Any], tuple[Any, ...]] = defaultdict(tuple)
    for cls, encoder in type_encoder_map.items():
        classes[encoder] += (cls,)
    return classes


encoders_by_class_tuples = generate_encoders_by_class_tuples(ENCODERS_BY_TYPE)
