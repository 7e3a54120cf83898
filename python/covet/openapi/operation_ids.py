"""Operation ids as they once were made; kept for the libraries that call these functions."""

from __future__ import annotations

import re
import warnings
from typing import Any

from covet.exceptions import FastAPIDeprecationWarning

__all__ = ["generate_operation_id", "generate_operation_id_for_path"]


def _deprecated(name: str) -> None:
    warnings.warn(
        f"{name}() was deprecated, it is not used internally, and will be removed soon",
        category=FastAPIDeprecationWarning,
        stacklevel=3,
    )


def generate_operation_id_for_path(*, name: str, path: str, method: str) -> str:
    """Return an operation id of a name, a path and a method. Deprecated."""
    _deprecated("fastapi.utils.generate_operation_id_for_path")
    word = re.sub(r"\W", "_", f"{name}{path}")
    return f"{word}_{method.lower()}"


def generate_operation_id(*, route: Any, method: str) -> str:
    """Return the operation id of a route. Deprecated."""
    _deprecated("fastapi.openapi.utils.generate_operation_id")
    if route.operation_id:
        return str(route.operation_id)
    return generate_operation_id_for_path(name=route.name, path=route.path_format, method=method)
