"""The `Authorization` header: in its two parts, and as the schemes that hand it on as it came."""

from __future__ import annotations

from covet.exceptions import HTTPException
from covet.requests import HTTPConnection
from covet.security.base import SecurityBase
from covet.status import HTTP_401_UNAUTHORIZED

__all__ = ["AuthorizationScheme", "get_authorization_scheme_param"]


def get_authorization_scheme_param(authorization_header_value: str | None) -> tuple[str, str]:
    """Return scheme and credentials of a header value, empty strings for what is missing (RFC 9110, 11.4)."""
    scheme, _, param = (authorization_header_value or "").partition(" ")
    return scheme, param.strip()


class AuthorizationScheme(SecurityBase):
    """A scheme that returns the header as it came; without one it raises 401, or returns None."""

    auto_error: bool

    def make_not_authenticated_error(self) -> HTTPException:
        """Return the error for missing credentials; there is no challenge but "Bearer" (RFC 6750, 3)."""
        return HTTPException(
            status_code=HTTP_401_UNAUTHORIZED,
            detail="Not authenticated",
            headers={"WWW-Authenticate": "Bearer"},
        )

    async def __call__(self, request: HTTPConnection) -> str | None:
        authorization: str | None = request.headers.get("Authorization")
        if authorization:
            return authorization
        if self.auto_error:
            raise self.make_not_authenticated_error()
        return None
