"""Security schemes as dependencies: each reads credentials from a connection and describes itself for
OpenAPI.

The names load with their module at first use, because each describes itself with a pydantic model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from covet.late_names import late_names

if TYPE_CHECKING:
    from covet.security.api_key import APIKeyCookie, APIKeyHeader, APIKeyQuery
    from covet.security.http import (
        HTTPAuthorizationCredentials,
        HTTPBasic,
        HTTPBasicCredentials,
        HTTPBearer,
        HTTPDigest,
    )
    from covet.security.oauth2 import (
        OAuth2,
        OAuth2AuthorizationCodeBearer,
        OAuth2PasswordBearer,
        OAuth2PasswordRequestForm,
        OAuth2PasswordRequestFormStrict,
    )
    from covet.security.open_id_connect_url import OpenIdConnect
    from covet.security.scopes import SecurityScopes

__all__ = [
    "APIKeyCookie",
    "APIKeyHeader",
    "APIKeyQuery",
    "HTTPAuthorizationCredentials",
    "HTTPBasic",
    "HTTPBasicCredentials",
    "HTTPBearer",
    "HTTPDigest",
    "OAuth2",
    "OAuth2AuthorizationCodeBearer",
    "OAuth2PasswordBearer",
    "OAuth2PasswordRequestForm",
    "OAuth2PasswordRequestFormStrict",
    "OpenIdConnect",
    "SecurityScopes",
]

_MODULES = {
    "APIKey": "api_key",
    "HTTP": "http",
    "OAuth2": "oauth2",
    "OpenId": "open_id_connect_url",
    "Secur": "scopes",
}
__getattr__, __dir__ = late_names(
    globals(),
    {
        name: f"covet.security.{module}"
        for name in __all__
        for prefix, module in _MODULES.items()
        if name.startswith(prefix)
    },
)
