"""One entry of OpenAPI's `examples`: users know it as `covet.params.Example`.

Apart from the parameters because pydantic's addresses, which it names, are dear to import.
"""

from __future__ import annotations

from typing import Any

from pydantic import AnyUrl, ConfigDict
from typing_extensions import TypedDict

__all__ = ["Example"]


class Example(TypedDict, total=False):
    """An example of a parameter or a body, with its summary."""

    summary: str | None
    description: str | None
    value: Any | None
    externalValue: AnyUrl | None

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
