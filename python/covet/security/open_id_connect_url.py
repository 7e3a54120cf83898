"""OpenID Connect by its discovery address: the scheme for documents; checking tokens is left to the
application.
"""

from __future__ import annotations

from covet.exceptions import StarletteHTTPException
from covet.requests import HTTPConnection
from covet.security.base import SecurityBase
from covet.security.models import OpenIdConnect as OpenIdConnectModel
from covet.status import HTTP_401_UNAUTHORIZED

__all__ = ["OpenIdConnect"]


class OpenIdConnect(SecurityBase):
    """Return the Authorization header as it came, and describe the scheme."""

    model: OpenIdConnectModel

    def __init__(
        self,
        *,
        openIdConnectUrl: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.model = OpenIdConnectModel(openIdConnectUrl=openIdConnectUrl, description=description)
        self.scheme_name = scheme_name or type(self).__name__
        self.auto_error = auto_error

    def make_not_authenticated_error(self) -> StarletteHTTPException:
        """Return the error for missing credentials."""
        return StarletteHTTPException(
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
