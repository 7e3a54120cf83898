"""Compression of responses with gzip, for clients that take it.

The head of a response waits for the first piece of its body, which decides how the head is changed. Large
pieces are compressed in a worker thread.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any, NoReturn

import anyio
import anyio.lowlevel
import anyio.to_thread

from covet.datastructures.headers import Headers, MutableHeaders
from covet.middleware.isolation import passes_through
from covet.middleware.native import Description, Original, read_size, read_texts
from covet.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["DEFAULT_EXCLUDED_CONTENT_TYPES", "GZipMiddleware", "GZipResponder", "IdentityResponder"]

# What is compressed already, and streams of events, which must not wait in a buffer.
DEFAULT_EXCLUDED_CONTENT_TYPES = (
    "application/grpc",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "audio/*",
    "font/woff",
    "font/woff2",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/event-stream",
    "video/*",
)
_THREAD_MINIMUM_SIZE = 128 * 1024
_ZLIB_DEFAULT = 6  # what zlib takes for -1
_PASSED_ON = ("http.response.early_hint", "http.response.trailers")

# Compression has slots of its own: it must not take those of handlers.
_limiter: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("_gzip_capacity_limiter")


@passes_through
class GZipMiddleware:
    """Compress bodies of at least `minimum_size` bytes.

    `compresslevel` is zlib's: 0 (none) to 9 (smallest). Bodies of `thread_minimum_size` bytes and more are
    compressed in a worker thread; the engine, where it follows these rules itself, compresses them in steps
    between which it serves others, and sends them in chunks, without a `Content-Length`.
    """

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int = 500,
        compresslevel: int = 9,
        thread_minimum_size: int = _THREAD_MINIMUM_SIZE,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size
        self.exclude_content_types = _normalize_content_types(exclude_content_types)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        responder: IdentityResponder
        if "gzip" in Headers(scope=scope).get("Accept-Encoding", ""):
            responder = GZipResponder(
                self.app,
                self.minimum_size,
                compresslevel=self.compresslevel,
                thread_minimum_size=self.thread_minimum_size,
                exclude_content_types=self.exclude_content_types,
            )
        else:
            responder = IdentityResponder(
                self.app, self.minimum_size, exclude_content_types=self.exclude_content_types
            )
        await responder(scope, receive, send)

    def native(self) -> Description | None:
        """Return the rules as data for the engine; None when only this object can follow them.

        Read from the attributes when the application's middleware is built: changes after that are not seen.
        """
        level: object = self.compresslevel
        excluded: object = self.exclude_content_types
        if not _ORIGINAL.describes(self, GZipMiddleware, IdentityResponder, GZipResponder):
            return None
        if type(level) is not int or not -1 <= level <= 9 or type(excluded) is not tuple:
            return None
        try:
            return "gzip", {
                "minimum_size": read_size(self.minimum_size),
                "compresslevel": _ZLIB_DEFAULT if level == zlib.Z_DEFAULT_COMPRESSION else level,
                "thread_minimum_size": read_size(self.thread_minimum_size),
                "exclude_content_types": list(_normalize_content_types(tuple(read_texts(excluded)))),
            }
        except ValueError:
            return None


class IdentityResponder:
    """One response that stays as it is, but says that it could have been another."""

    content_encoding: str

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.exclude_content_types = _normalize_content_types(exclude_content_types)
        self.send: Send = unattached_send
        self.initial_message: Message = {}
        self.started = False
        self.content_encoding_set = False
        self.content_type_is_excluded = False
        self.partial_response = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.send = send
        await self.app(scope, receive, self.send_with_compression)

    @property
    def _untouched(self) -> bool:
        return self.content_encoding_set or self.partial_response or self.content_type_is_excluded

    async def send_with_compression(self, message: Message) -> None:
        """Send a message of the application, changed where compression changes it."""
        kind = message["type"]
        if kind == "http.response.start":
            self._inspect(message)
            if self._untouched:
                await self.send(message)
        elif kind in _PASSED_ON:
            await self.send(message)
        elif kind == "http.response.body" and not self._untouched:
            await self._send_body(message)
        elif kind in ("http.response.body", "http.response.pathsend"):
            if not self._untouched:
                await self.send(self.initial_message)
            await self.send(message)

    def _inspect(self, message: Message) -> None:
        self.initial_message = message
        message.setdefault("headers", [])
        headers = Headers(raw=message["headers"])
        self.content_encoding_set = "content-encoding" in headers
        # RFC 9110, section 14.4: a range counts bytes of the representation that was chosen.
        self.partial_response = message["status"] == 206
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        names = {media_type, media_type.partition("/")[0] + "/*"}
        if media_type.startswith("application/grpc+"):
            names.add("application/grpc")
        self.content_type_is_excluded = not names.isdisjoint(self.exclude_content_types)

    async def _send_body(self, message: Message) -> None:
        body = message.get("body", b"")
        more_body = message.get("more_body", False)
        if self.started:
            message["body"] = await self.apply_compression(body, more_body=more_body)
        else:
            self.started = True
            if more_body or len(body) >= self.minimum_size:
                compressed = await self.apply_compression(body, more_body=more_body)
                self._change_head(None if more_body else len(compressed), changed=compressed != body)
                message["body"] = compressed
            await self.send(self.initial_message)
        await self.send(message)

    def _change_head(self, length: int | None, *, changed: bool) -> None:
        headers = MutableHeaders(raw=self.initial_message["headers"])
        headers.add_vary_header("Accept-Encoding")
        if not changed:
            return
        headers["Content-Encoding"] = self.content_encoding
        # RFC 9112, section 6.2: with trailers the body is chunked and has no length.
        if length is None or self.initial_message.get("trailers", False):
            del headers["Content-Length"]
        else:
            headers["Content-Length"] = str(length)

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        """Return the piece as it is to be sent; the last one ends the stream."""
        return body


class GZipResponder(IdentityResponder):
    """One response that is compressed."""

    content_encoding = "gzip"

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int,
        compresslevel: int = 9,
        *,
        thread_minimum_size: int = _THREAD_MINIMUM_SIZE,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        super().__init__(app, minimum_size, exclude_content_types=exclude_content_types)
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size
        self._compressor: Any = None

    @property
    def compressor(self) -> Any:
        """Return the compressor, which is made when something is compressed."""
        if self._compressor is None:
            self._compressor = zlib.compressobj(self.compresslevel, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return self._compressor

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        """Compress a piece and flush it, so that the client gets it at once."""
        if len(body) < self.thread_minimum_size:
            return self._compress_body(body, more_body)
        return await anyio.to_thread.run_sync(
            self._compress_body, body, more_body, limiter=_get_gzip_capacity_limiter()
        )

    def _compress_body(self, body: bytes, more_body: bool) -> bytes:
        compressed: bytes = self.compressor.compress(body)
        flushed: bytes = self.compressor.flush(zlib.Z_SYNC_FLUSH if more_body else zlib.Z_FINISH)
        return compressed + flushed


def _get_gzip_capacity_limiter() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(40)
        _limiter.set(limiter)
        return limiter


async def unattached_send(message: Message) -> NoReturn:
    """Refuse to send: the responder was not called yet."""
    raise RuntimeError("send awaitable not set")


# Once a configuration, not once a request.
@lru_cache
def _normalize_content_types(content_types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.partition(";")[0].strip().lower() for name in content_types)


_ORIGINAL = Original(GZipMiddleware, IdentityResponder, GZipResponder)
