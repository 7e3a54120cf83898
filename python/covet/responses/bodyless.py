"""Statuses whose responses have no body (RFC 9110, section 6.4.1)."""

from __future__ import annotations

__all__ = ["is_body_allowed_for_status_code"]

_RANGES = frozenset({"default", "1XX", "2XX", "3XX", "4XX", "5XX"})


def is_body_allowed_for_status_code(status_code: int | str | None) -> bool:
    """Say whether an answer with this status, or status range of a document, may have a body."""
    if status_code is None or status_code in _RANGES:
        return True
    code = int(status_code)
    return code >= 200 and code not in (204, 205, 304)
