"""Cross-origin resource sharing (Fetch standard, section 3.2): answers preflights, marks other responses.

`Vary: Origin` is on every response, since every one could have been another.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection

from covet.datastructures.headers import Headers, MutableHeaders
from covet.middleware.isolation import passes_through
from covet.middleware.native import Description, NotPlainError, Original, read_fields, read_texts
from covet.responses.base import PlainTextResponse, Response
from covet.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CORSMiddleware"]

ALL_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
SAFELISTED_HEADERS = {"Accept", "Accept-Language", "Content-Language", "Content-Type"}
_PREFLIGHT_VARY = (
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, "
    "Access-Control-Request-Private-Network"
)
# Fields of a preflight's answer that depend on the request, and those that every response has.
_ANSWERED = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Private-Network",
)
_FRAMING = ("Content-Length", "Content-Type")


@passes_through
class CORSMiddleware:
    """Let pages of other origins use the application, as far as the options say; nothing by default."""

    def __init__(
        self,
        app: ASGIApp,
        allow_origins: Collection[str] = (),
        allow_methods: Collection[str] = ("GET",),
        allow_headers: Collection[str] = (),
        allow_credentials: bool = False,
        allow_origin_regex: str | None = None,
        allow_private_network: bool = False,
        expose_headers: Collection[str] = (),
        max_age: int = 600,
    ) -> None:
        listed_headers = sorted(SAFELISTED_HEADERS | set(allow_headers))
        self.app = app
        self.allow_origins = allow_origins
        self.allow_methods = ALL_METHODS if "*" in allow_methods else allow_methods
        self.allow_headers = [header.lower() for header in listed_headers]
        self.allow_all_origins = "*" in allow_origins
        self.allow_all_headers = "*" in allow_headers
        self.allow_credentials = allow_credentials
        self.preflight_explicit_allow_origin = not self.allow_all_origins or allow_credentials
        self.allow_origin_regex = None if allow_origin_regex is None else re.compile(allow_origin_regex)
        self.allow_private_network = allow_private_network
        self.simple_headers = self._simple_headers(expose_headers)
        self.preflight_headers = self._preflight_headers(listed_headers, max_age)

    def _simple_headers(self, expose_headers: Collection[str]) -> dict[str, str]:
        headers: dict[str, str] = {}
        if self.allow_all_origins:
            headers["Access-Control-Allow-Origin"] = "*"
        if self.allow_credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if expose_headers:
            headers["Access-Control-Expose-Headers"] = ", ".join(expose_headers)
        return headers

    def _preflight_headers(self, listed_headers: list[str], max_age: int) -> dict[str, str]:
        headers = {"Vary": _PREFLIGHT_VARY}
        if not self.preflight_explicit_allow_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Allow-Methods"] = ", ".join(self.allow_methods)
        headers["Access-Control-Max-Age"] = str(max_age)
        if not self.allow_all_headers:
            headers["Access-Control-Allow-Headers"] = ", ".join(listed_headers)
        if self.allow_credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if is_preflight and "origin" in headers:
            await self.preflight_response(request_headers=headers)(scope, receive, send)
        else:
            await self.simple_response(scope, receive, send, request_headers=headers)

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether pages of an origin may use the application."""
        if self.allow_all_origins:
            return True
        if self.allow_origin_regex is not None and self.allow_origin_regex.fullmatch(origin):
            return True
        return origin in self.allow_origins

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a browser that asks before it sends."""
        headers = dict(self.preflight_headers)
        failures: list[str] = []
        origin = request_headers["origin"]
        if not self.is_allowed_origin(origin):
            failures.append("origin")
        elif self.preflight_explicit_allow_origin:
            headers["Access-Control-Allow-Origin"] = origin
        if request_headers["access-control-request-method"] not in self.allow_methods:
            failures.append("method")
        asked = request_headers.get("access-control-request-headers")
        if asked is not None:
            if self.allow_all_headers:
                headers["Access-Control-Allow-Headers"] = asked
            elif any(name.strip() not in self.allow_headers for name in asked.lower().split(",")):
                failures.append("headers")
        if "access-control-request-private-network" in request_headers:
            if self.allow_private_network:
                headers["Access-Control-Allow-Private-Network"] = "true"
            else:
                failures.append("private-network")
        # The browser enforces the policy anyway; the status and the text are for the developer.
        if failures:
            return PlainTextResponse(
                "Disallowed CORS " + ", ".join(failures), status_code=400, headers=headers
            )
        return PlainTextResponse("OK", status_code=200, headers=headers)

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """Run the application and mark its response."""
        marked = functools.partial(self.send, send=send, request_headers=request_headers)
        await self.app(scope, receive, marked)

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """Send a message, with CORS fields if it is the head of the response."""
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            origin = request_headers.get("origin")
            if origin is not None:
                headers.update(self.simple_headers)
            # A wildcard is of no use with credentials, nor can it stand for a list of origins.
            explicit = self.allow_credentials if self.allow_all_origins else True
            if origin is not None and explicit and self.is_allowed_origin(origin):
                self.allow_explicit_origin(headers, origin)
            else:
                headers.add_vary_header("Origin")
        await send(message)

    def native(self) -> Description | None:
        """Return the rules as data for the engine; None when only this object can follow them.

        Read from the attributes when the application's middleware is built: changes after that are not seen,
        except those of the list or set of origins itself.
        """
        if not _ORIGINAL.describes(self, CORSMiddleware):
            return None
        try:
            return "cors", {
                "allow_origins": _live(self.allow_origins),
                "allow_all_origins": bool(self.allow_all_origins),
                "allow_origin_regex": _predicate(self.allow_origin_regex),
                "allow_methods": read_texts(self.allow_methods),
                "allow_headers": read_texts(self.allow_headers),
                "allow_all_headers": bool(self.allow_all_headers),
                "allow_credentials": bool(self.allow_credentials),
                "allow_private_network": bool(self.allow_private_network),
                "preflight_explicit_allow_origin": bool(self.preflight_explicit_allow_origin),
                "simple_headers": read_fields(self.simple_headers),
                "preflight_headers": _preflight_fields(self.preflight_headers),
            }
        except ValueError:
            return None

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        """Name the origin in the response."""
        headers["Access-Control-Allow-Origin"] = origin
        headers.add_vary_header("Origin")


def _live(origins: Collection[str]) -> Collection[str]:
    """Return the list or set itself, which the engine asks each time; of what cannot change a copy."""
    texts = read_texts(origins)
    return origins if isinstance(origins, (list, set)) else tuple(texts)


def _predicate(pattern: object) -> Callable[[str], object] | None:
    if pattern is None:
        return None
    if not isinstance(pattern, re.Pattern) or not isinstance(pattern.pattern, str):
        raise NotPlainError(f"{pattern!r} is no compiled pattern for text")
    return pattern.fullmatch


def _preflight_fields(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    for name in headers:
        spelled = name.title()
        # In another spelling it would become a second field beside that of the answer.
        if spelled in _FRAMING or (spelled in _ANSWERED and spelled != name):
            raise NotPlainError(f"{name!r} is a field of its own")
    return read_fields(headers)


_ORIGINAL = Original(CORSMiddleware)
