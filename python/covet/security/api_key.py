"""API keys in the query string, a header or a cookie."""

from __future__ import annotations

from typing import ClassVar

from covet.exceptions import StarletteHTTPException
from covet.requests import HTTPConnection
from covet.security.base import SecurityBase
from covet.security.models import APIKey, APIKeyIn
from covet.status import HTTP_401_UNAUTHORIZED

__all__ = ["APIKeyBase", "APIKeyCookie", "APIKeyHeader", "APIKeyQuery"]


class APIKeyBase(SecurityBase):
    """A key called `name` at one place of the request."""

    model: APIKey

    def __init__(
        self,
        location: APIKeyIn,
        name: str,
        description: str | None,
        scheme_name: str | None,
        auto_error: bool,
    ) -> None:
        self.auto_error = auto_error
        self.model = APIKey.model_validate({"in": location, "name": name, "description": description})
        self.scheme_name = scheme_name or type(self).__name__

    def make_not_authenticated_error(self) -> StarletteHTTPException:
        """Return the error for a missing key; "APIKey" is no registered scheme, but 401 needs a challenge."""
        return StarletteHTTPException(
            status_code=HTTP_401_UNAUTHORIZED,
            detail="Not authenticated",
            headers={"WWW-Authenticate": "APIKey"},
        )

    def check_api_key(self, api_key: str | None) -> str | None:
        """Return the key; without one raise, or return None when `auto_error` is off."""
        if api_key:
            return api_key
        if self.auto_error:
            raise self.make_not_authenticated_error()
        return None


class _KeyedPlace(APIKeyBase):
    """A key in one of the mappings that a connection has; which one is the subclass's."""

    _location: ClassVar[APIKeyIn]
    _mapping: ClassVar[str]

    def __init__(
        self,
        *,
        name: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(self._location, name, description, scheme_name, auto_error)

    async def __call__(self, request: HTTPConnection) -> str | None:
        return self.check_api_key(getattr(request, self._mapping).get(self.model.name))


class APIKeyQuery(_KeyedPlace):
    """Read a key from the query string: `Annotated[str, Security(APIKeyQuery(name="api_key"))]`."""

    _location, _mapping = APIKeyIn.query, "query_params"


class APIKeyHeader(_KeyedPlace):
    """Read a key from a header: `Annotated[str, Security(APIKeyHeader(name="x-key"))]`."""

    _location, _mapping = APIKeyIn.header, "headers"


class APIKeyCookie(_KeyedPlace):
    """Read a key from a cookie: `Annotated[str, Security(APIKeyCookie(name="session"))]`."""

    _location, _mapping = APIKeyIn.cookie, "cookies"
