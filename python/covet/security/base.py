"""What makes a dependency a security scheme: `covet.openapi` lists every dependency of this class."""

from __future__ import annotations

from typing import Any

__all__ = ["SecurityBase"]


class SecurityBase:
    """A scheme: `model` describes it in the document under the name `scheme_name`."""

    model: Any
    scheme_name: str
