"""Validation errors as the list of dicts that a 422 answer carries.

Called by `ModelField` and by the extraction of parameters; it never raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["error_with_prefix", "get_missing_field_error"]

Location = tuple[int | str, ...]


def error_with_prefix(errors: Sequence[Any], prefix: Location) -> list[dict[str, Any]]:
    """Put where the value came from in front of where in the value the error is."""
    return [{**error, "loc": prefix + error.get("loc", ())} for error in errors]


def get_missing_field_error(loc: Location) -> dict[str, Any]:
    """Return the error of a required value that did not come."""
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": None}
