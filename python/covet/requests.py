"""What comes in: `HTTPConnection` over any scope, and `Request` with the body of an HTTP request.

Everything is read from the scope when asked for and kept on the object; two objects over one scope see
the same state. A body is read from the given `receive` only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, NoReturn, cast

import anyio

from covet.concurrency import AwaitableOrContextManager, AwaitableOrContextManagerWrapper
from covet.datastructures.headers import Headers
from covet.datastructures.multidict import QueryParams
from covet.datastructures.state import State
from covet.datastructures.upload import FormData
from covet.datastructures.url import URL, Address
from covet.formparsers.options import parse_options_header
from covet.held_body import held_body
from covet.http_exceptions import HTTPException
from covet.late_names import late_names
from covet.scope_keys import GIVEN_BODY_LIMIT, HELD_BODY
from covet.types import Message, Receive, Scope, Send

if TYPE_CHECKING or sys.version_info < (3, 13):
    from typing_extensions import TypeVar
else:
    from typing import TypeVar

__all__ = ["ClientDisconnect", "HTTPConnection", "Request", "cookie_parser"]

SERVER_PUSH_HEADERS_TO_COPY = {
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "user-agent",
}

__getattr__, __dir__ = late_names(
    globals(),
    {
        "FormParser": "covet.formparsers.parsers",
        "MultiPartException": "covet.formparsers.parsers",
        "MultiPartParser": "covet.formparsers.parsers",
        "_unquote": "http.cookies",
    },
)
_HERE = sys.modules[__name__]

StateT = TypeVar("StateT", bound=Mapping[str, Any] | State, default=State)


def cookie_parser(cookie_string: str) -> dict[str, str]:
    """Read a Cookie field as browsers write it, which is looser than RFC 6265.

    A chunk without `=` is a value with an empty name; quoted values are unescaped.
    """
    cookies: dict[str, str] = {}
    for chunk in cookie_string.split(";"):
        name, found, value = chunk.partition("=")
        if not found:
            name, value = "", chunk
        name, value = name.strip(), value.strip()
        if name or value:
            cookies[name] = _HERE._unquote(value) if value[:1] == '"' else value
    return cookies


class ClientDisconnect(Exception):
    """Say that the client left before its request was read or its response was sent."""


class HTTPConnection(Mapping[str, Any], Generic[StateT]):
    """What requests and WebSockets have in common; as a mapping it is the scope."""

    scope: Scope

    def __init__(self, scope: Scope, receive: Receive | None = None) -> None:
        assert scope["type"] in ("http", "websocket")
        self.scope = scope

    def __getitem__(self, key: str) -> Any:
        return self.scope[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scope)

    def __len__(self) -> int:
        return len(self.scope)

    # A mapping would be compared by content; a connection is equal to itself only.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def app(self) -> Any:
        """Return the application that is answering."""
        return self.scope["app"]

    @property
    def url(self) -> URL:
        """Return the URL that was asked for."""
        if not hasattr(self, "_url"):
            self._url = URL(scope=self.scope)
        return self._url

    @property
    def base_url(self) -> URL:
        """Return the URL of the application's root, also from inside a mount."""
        if not hasattr(self, "_base_url"):
            root_path = self.scope.get("app_root_path", self.scope.get("root_path", ""))
            path = root_path if root_path.endswith("/") else root_path + "/"
            base = {**self.scope, "path": path, "query_string": b"", "root_path": root_path}
            self._base_url = URL(scope=base)
        return self._base_url

    @property
    def headers(self) -> Headers:
        """Return the header fields."""
        if not hasattr(self, "_headers"):
            self._headers = Headers(scope=self.scope)
        return self._headers

    @property
    def query_params(self) -> QueryParams:
        """Return the parsed query."""
        if not hasattr(self, "_query_params"):
            self._query_params = QueryParams(self.scope["query_string"])
        return self._query_params

    @property
    def path_params(self) -> dict[str, Any]:
        """Return the values that the route took from the path."""
        return cast("dict[str, Any]", self.scope.get("path_params", {}))

    @property
    def cookies(self) -> dict[str, str]:
        """Return the cookies of all Cookie fields."""
        if not hasattr(self, "_cookies"):
            cookies: dict[str, str] = {}
            for value in self.headers.getlist("cookie"):
                cookies.update(cookie_parser(value))
            self._cookies = cookies
        return self._cookies

    @property
    def client(self) -> Address | None:
        """Return the address of the peer, if the server knows it."""
        peer = self.scope.get("client")
        return None if peer is None else Address(*peer)

    @property
    def session(self) -> dict[str, Any]:
        """Return the session that SessionMiddleware keeps."""
        assert "session" in self.scope, "SessionMiddleware must be installed to access request.session"
        session = self.scope["session"]
        # Somebody's own session middleware may put a plain dict here.
        if hasattr(session, "mark_accessed"):
            session.mark_accessed()
        return cast("dict[str, Any]", session)

    @property
    def auth(self) -> Any:
        """Return the credentials that AuthenticationMiddleware found."""
        assert "auth" in self.scope, "AuthenticationMiddleware must be installed to access request.auth"
        return self.scope["auth"]

    @property
    def user(self) -> Any:
        """Return the user that AuthenticationMiddleware found."""
        assert "user" in self.scope, "AuthenticationMiddleware must be installed to access request.user"
        return self.scope["user"]

    @property
    def state(self) -> StateT:
        """Return the state of this request; it begins as a copy of the lifespan's."""
        if not hasattr(self, "_state"):
            self._state = State(self.scope.setdefault("state", {}))
        return cast(StateT, self._state)

    def url_for(self, name: str, /, **path_params: Any) -> URL:
        """Return the absolute URL of a named route."""
        resolver = self.scope.get("router") or self.scope.get("app")
        if resolver is None:
            raise RuntimeError(
                "The `url_for` method can only be used inside a Starlette application or with a router."
            )
        return cast(URL, resolver.url_path_for(name, **path_params).make_absolute_url(base_url=self.base_url))


async def empty_receive() -> NoReturn:
    """Refuse to receive: the request was made without a channel."""
    raise RuntimeError("Receive channel has not been made available")


async def empty_send(message: Message) -> NoReturn:
    """Refuse to send: the request was made without a channel."""
    raise RuntimeError("Send channel has not been made available")


class Request(HTTPConnection[StateT]):
    """An HTTP request; its body may be read once as a stream, or kept by reading it whole."""

    _form: FormData | None

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        assert scope["type"] == "http"
        self.scope = scope
        self._receive = receive
        self._send = send
        self._stream_consumed = False
        self._is_disconnected = False
        self._form = None

    @property
    def method(self) -> str:
        """Return the method in upper case."""
        return cast(str, self.scope["method"])

    @property
    def receive(self) -> Receive:
        """Return the channel that the body comes from."""
        return self._receive

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body piece by piece and an empty piece at the end."""
        if hasattr(self, "_body"):
            yield self._body
            yield b""
            return
        if self._stream_consumed:
            raise RuntimeError(
                "Stream consumed: the body was read by request.stream() already and was not kept. "
                "Read it with `await request.body()` where it is needed twice"
            )
        while not self._stream_consumed:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnect()
            if message["type"] == "http.request":
                body = message.get("body", b"")
                self._stream_consumed = not message.get("more_body", False)
                if body:
                    yield body
        yield b""

    async def body(self) -> bytes:
        """Return the whole body; later calls return it again."""
        if not hasattr(self, "_body"):
            limit = self._held_limit()
            chunks: list[bytes] = []
            size = 0
            async with aclosing(self.stream()) as stream:
                async for chunk in stream:
                    size += len(chunk)
                    if limit is not None and size > limit:
                        held_body.exceeded(limit)
                    chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    def _held_limit(self) -> int | None:
        # Where a `max_body_size` is in force, its own `receive` has counted already.
        if GIVEN_BODY_LIMIT in self.scope:
            return None
        limit: int | None = self.scope.get(HELD_BODY)
        declared = self.headers.get("content-length", "") if limit is not None else ""
        if limit is not None and declared.isdecimal() and int(declared) > limit:
            held_body.exceeded(limit)
        return limit

    async def json(self) -> Any:
        """Return the body read as JSON."""
        if not hasattr(self, "_json"):
            self._json = json.loads(await self.body())
        return self._json

    async def _get_form(
        self,
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> FormData:
        if self._form is None:
            media_type, _ = parse_options_header(self.headers.get("Content-Type"))
            if media_type not in (b"multipart/form-data", b"application/x-www-form-urlencoded"):
                self._form = FormData()
                return self._form
            try:
                async with aclosing(self.stream()) as stream:
                    parser: Any
                    if media_type == b"multipart/form-data":
                        parser = _HERE.MultiPartParser(
                            self.headers,
                            stream,
                            max_files=max_files,
                            max_fields=max_fields,
                            max_part_size=max_part_size,
                        )
                    else:
                        parser = _HERE.FormParser(
                            self.headers, stream, max_fields=max_fields, max_part_size=max_part_size
                        )
                    self._form = await parser.parse()
            except _HERE.MultiPartException as exc:
                if "app" in self.scope:
                    raise HTTPException(status_code=400, detail=exc.message) from exc
                raise
        return self._form

    def form(
        self,
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> AwaitableOrContextManager[FormData]:
        """Return the form in the body; as a context manager it closes the files at the end."""
        return AwaitableOrContextManagerWrapper(
            self._get_form(max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)
        )

    async def close(self) -> None:
        """Close the files of the form, if it was read."""
        if self._form is not None:
            await self._form.close()

    async def is_disconnected(self) -> bool:
        """Tell whether the client has left, without waiting."""
        if not self._is_disconnected:
            message: Message = {}
            # A message that is there already comes before the cancellation can act.
            with anyio.CancelScope() as scope:
                scope.cancel()
                message = await self._receive()
            self._is_disconnected = message.get("type") == "http.disconnect"
        return self._is_disconnected

    async def send_push_promise(self, path: str) -> None:
        """Promise a push of `path`, if the server can."""
        if "http.response.push" not in self.scope.get("extensions", {}):
            return
        copied = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name in SERVER_PUSH_HEADERS_TO_COPY
            for value in self.headers.getlist(name)
        ]
        await self._send({"type": "http.response.push", "path": path, "headers": copied})

    async def send_early_hints(self, link: str, /, *additional_links: str) -> None:
        """Send Link values in a 103 (RFC 8297), if the server can."""
        if "http.response.early_hint" in self.scope.get("extensions", {}):
            links = [value.encode("latin-1") for value in (link, *additional_links)]
            await self._send({"type": "http.response.early_hint", "links": links})
