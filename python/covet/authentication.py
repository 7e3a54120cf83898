"""Who a connection belongs to and what it may do: users, credentials, backends, and `requires`.

`covet.middleware.authentication` sets them; `requires` asks for them in front of an endpoint.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec
from urllib.parse import urlencode

from covet.callables import is_async_callable
from covet.http_exceptions import HTTPException
from covet.requests import HTTPConnection, Request
from covet.responses.base import RedirectResponse, Response
from covet.websockets import WebSocket

__all__ = [
    "AuthCredentials",
    "AuthenticationBackend",
    "AuthenticationError",
    "BaseUser",
    "SimpleUser",
    "UnauthenticatedUser",
    "has_required_scope",
    "requires",
]

P = ParamSpec("P")


def has_required_scope(conn: HTTPConnection, scopes: Sequence[str]) -> bool:
    """Tell whether a connection's credentials hold every scope."""
    return all(scope in conn.auth.scopes for scope in scopes)


def requires(
    scopes: str | Sequence[str], status_code: int = 403, redirect: str | None = None
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Let only connections with these scopes reach an endpoint.

    Others get `status_code`, or a redirect to the route named `redirect`; a WebSocket is closed. The
    endpoint must have a parameter `request` or `websocket`.
    """
    needed = [scopes] if isinstance(scopes, str) else list(scopes)

    def decorator(func: Callable[P, Any]) -> Callable[P, Any]:
        name, place = _connection_parameter(func)

        def refusal(request: Request) -> Response | None:
            return None if has_required_scope(request, needed) else _refuse(request, status_code, redirect)

        if name == "websocket":

            @functools.wraps(func)
            async def guarded_websocket(*args: P.args, **kwargs: P.kwargs) -> None:
                websocket = _connection(WebSocket, name, place, args, kwargs)
                if has_required_scope(websocket, needed):
                    await func(*args, **kwargs)
                else:
                    await websocket.close()

            return guarded_websocket

        if is_async_callable(func):

            @functools.wraps(func)
            async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                refused = refusal(_connection(Request, name, place, args, kwargs))
                return await func(*args, **kwargs) if refused is None else refused

            return guarded_async

        @functools.wraps(func)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            refused = refusal(_connection(Request, name, place, args, kwargs))
            return func(*args, **kwargs) if refused is None else refused

        return guarded

    return decorator


def _connection_parameter(func: Callable[..., Any]) -> tuple[str, int]:
    for place, name in enumerate(inspect.signature(func).parameters):
        if name in ("request", "websocket"):
            return name, place
    raise Exception(f'No "request" or "websocket" argument on function "{func}"')


def _connection(kind: Any, name: str, place: int, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    found = kwargs.get(name, args[place] if place < len(args) else None)
    assert isinstance(found, kind), (
        f"Parameter with name '{name}' is required to be of type "
        f"'{kind.__name__}' not '{type(found).__name__}'"
    )
    return found


def _refuse(request: Request, status_code: int, redirect: str | None) -> Response:
    if redirect is None:
        raise HTTPException(status_code=status_code)
    back = urlencode({"next": str(request.url)})
    return RedirectResponse(url=f"{request.url_for(redirect)}?{back}", status_code=303)


class AuthenticationError(Exception):
    """Say that what a client presents is not valid."""


class AuthenticationBackend:
    """Finds the user of a connection; derive from it and override `authenticate`."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return credentials and user, or None for somebody unknown; raise AuthenticationError."""
        raise NotImplementedError()


class AuthCredentials:
    """What a connection may do."""

    def __init__(self, scopes: Sequence[str] | None = None) -> None:
        self.scopes = list(scopes or ())


class BaseUser:
    """What the framework asks of a user."""

    @property
    def is_authenticated(self) -> bool:
        """Tell whether the user is known."""
        raise NotImplementedError()

    @property
    def display_name(self) -> str:
        """Return the name to show."""
        raise NotImplementedError()

    @property
    def identity(self) -> str:
        """Return what identifies the user."""
        raise NotImplementedError()


class SimpleUser(BaseUser):
    """A user who is a name."""

    def __init__(self, username: str) -> None:
        self.username = username

    @property
    def is_authenticated(self) -> bool:
        """Return True."""
        return True

    @property
    def display_name(self) -> str:
        """Return the name."""
        return self.username

    @property
    def identity(self) -> str:
        """Return the name."""
        return self.username


class UnauthenticatedUser(BaseUser):
    """Somebody unknown."""

    @property
    def is_authenticated(self) -> bool:
        """Return False."""
        return False

    @property
    def display_name(self) -> str:
        """Return nothing."""
        return ""

    @property
    def identity(self) -> str:
        """Return nothing."""
        return ""
