"""A response: status, raw header fields and a body, sent by calling it as an ASGI application.

`raw_headers` is the list that is sent; `headers` is a view that writes into it. Subclasses override
`render`, `init_headers` or `__call__`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import anyio.lowlevel

from covet.background import BackgroundTask
from covet.datastructures.headers import MutableHeaders
from covet.datastructures.url import URL
from covet.http_dates import format_http_date
from covet.late_names import late_names
from covet.scope_keys import IN_TASK
from covet.types import Message, Receive, Scope, Send

__all__ = ["HTMLResponse", "JSONResponse", "PlainTextResponse", "RedirectResponse", "Response"]

__getattr__, __dir__ = late_names(globals(), {"SimpleCookie": "http.cookies"})
_HERE = sys.modules[__name__]

RawHeaders = list[tuple[bytes, bytes]]
SameSite = Literal["lax", "strict", "none"]

_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Response:
    """A response whose body is known: text, bytes, a memoryview or nothing."""

    media_type: str | None = None
    charset = "utf-8"
    body: bytes | memoryview

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.body = self.render(content)
        self.init_headers(headers)

    def render(self, content: Any) -> bytes | memoryview:
        """Return the body that `content` stands for."""
        if content is None:
            return b""
        if isinstance(content, bytes):
            return content
        if isinstance(content, memoryview):
            # Its length must be counted in bytes, whatever its items are.
            return content.cast("B") if content.c_contiguous else content.tobytes()
        return content.encode(self.charset)  # type: ignore[no-any-return]

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Set `raw_headers`: the given ones, then length and media type unless they are among them."""
        raw: RawHeaders = []
        names: set[bytes] = set()
        if headers is not None:
            raw = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
            names = {name for name, _ in raw}
        body = getattr(self, "body", None)
        # RFC 9110, section 8.6: 1xx and 204 have no length; a 304 would have to give another one.
        if body is not None and b"content-length" not in names:
            status = self.status_code
            if status >= 200 and status != 204 and status != 304:
                raw.append((b"content-length", b"%d" % len(body)))
        media_type = self.media_type
        if media_type is not None and b"content-type" not in names:
            if media_type.startswith("text/") and "charset=" not in media_type.lower():
                media_type = f"{media_type}; charset={self.charset}"
            raw.append((b"content-type", media_type.encode("latin-1")))
        self.raw_headers = raw

    @property
    def headers(self) -> MutableHeaders:
        """Return the header fields; what is written here is sent."""
        if not hasattr(self, "_headers"):
            self._headers = MutableHeaders(raw=self.raw_headers)
        return self._headers

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime | str | int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie field; `expires` is a date, its text, or seconds from now."""
        cookie = _HERE.SimpleCookie()
        cookie[key] = value
        morsel = cookie[key]
        attributes: dict[str, Any] = {"max-age": max_age, "expires": expires, "path": path, "domain": domain}
        if isinstance(expires, datetime):
            attributes["expires"] = _cookie_date(expires)
        if samesite is not None:
            assert samesite.lower() in ("strict", "lax", "none"), (
                "samesite must be either 'strict', 'lax' or 'none'"
            )
            attributes["samesite"] = samesite
        for name, attribute in attributes.items():
            if attribute is not None:
                morsel[name] = attribute
        if secure:
            morsel["secure"] = True
        if httponly:
            morsel["httponly"] = True
        if partitioned:
            if sys.version_info < (3, 14):
                raise ValueError("Partitioned cookies are only supported in Python 3.14 and above.")
            morsel["partitioned"] = True
        self.raw_headers.append((b"set-cookie", morsel.OutputString().encode("latin-1")))

    def delete_cookie(
        self,
        key: str,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie field that makes the client forget the cookie."""
        self.set_cookie(
            key,
            max_age=0,
            expires=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    def _wrap_websocket_denial_send(self, send: Send) -> Send:
        async def send_denial(message: Message) -> None:
            kind = message["type"]
            if kind in ("http.response.start", "http.response.body"):
                message = {**message, "type": f"websocket.{kind}"}
            await send(message)

        return send_denial

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            send = self._wrap_websocket_denial_send(send)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})
        await self._run_background(scope)

    async def _run_background(self, scope: Scope) -> None:
        """Run the background work; below a function middleware other requests have their turn first."""
        if self.background is None:
            return
        if scope.get(IN_TASK):
            await anyio.lowlevel.checkpoint()
        await self.background()


class HTMLResponse(Response):
    """A response with HTML in its body."""

    media_type = "text/html"


class PlainTextResponse(Response):
    """A response with plain text in its body."""

    media_type = "text/plain"


class JSONResponse(Response):
    """A response whose content is written as JSON, without spaces; NaN and Infinity are refused."""

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type, background)

    def render(self, content: Any) -> bytes:
        """Return `content` as JSON in UTF-8."""
        return _encode_json(content).encode("utf-8")


class RedirectResponse(Response):
    """A response that sends the client to another URL; what a URL may not hold is escaped."""

    def __init__(
        self,
        url: str | URL,
        status_code: int = 307,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(content=b"", status_code=status_code, headers=headers, background=background)
        self.headers["location"] = quote(str(url), safe=":/%#?=@[]!$&'()*+,;")


def _cookie_date(moment: datetime) -> str:
    if moment.utcoffset() is None or moment.utcoffset():
        raise ValueError("usegmt option requires a UTC datetime")
    return format_http_date(moment.timestamp())
