"""The two exceptions that end a connection with an answer, in their framework-neutral form.

`covet.exceptions` derives the API-flavoured ones from these, and `covet.starlette.exceptions` shows
exactly these. Nothing here knows requests or responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

__all__ = ["BodyTooLarge", "HTTPException", "StarletteDeprecationWarning", "WebSocketException"]

_PHRASES: dict[int, str] = {status.value: status.phrase for status in HTTPStatus}


class HTTPException(Exception):
    """Stop the request and answer with `status_code`; `detail` defaults to the standard phrase."""

    def __init__(
        self, status_code: int, detail: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status_code = status_code
        self.detail = _PHRASES.get(status_code, "") if detail is None else detail
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code!r}, detail={self.detail!r})"


class BodyTooLarge(HTTPException):
    """Say that a request's body is larger than the limit in force allows; private to the framework."""

    def __init__(self) -> None:
        super().__init__(status_code=413, detail="Content Too Large")


class WebSocketException(Exception):
    """Stop the session and close the socket with `code` and `reason`."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, reason={self.reason!r})"


class StarletteDeprecationWarning(UserWarning):
    """Announce a name or use that will go; derived from UserWarning so that it is shown by default."""
