"""The `Authorization` header in its two parts; read by every scheme that uses it."""

from __future__ import annotations

__all__ = ["get_authorization_scheme_param"]


def get_authorization_scheme_param(authorization_header_value: str | None) -> tuple[str, str]:
    """Return scheme and credentials of a header value, empty strings for what is missing (RFC 9110, 11.4)."""
    scheme, _, param = (authorization_header_value or "").partition(" ")
    return scheme, param.strip()
