"""OpenID Connect by its discovery address: the scheme for documents; checking tokens is left to the
application.
"""

from __future__ import annotations

from covet.security.authorization import AuthorizationScheme
from covet.security.models import OpenIdConnect as OpenIdConnectModel

__all__ = ["OpenIdConnect"]


class OpenIdConnect(AuthorizationScheme):
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
