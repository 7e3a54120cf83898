"""Sessions in a signed cookie: readable by the client, changed by nobody but the application.

Needs the optional package `itsdangerous`.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any, Literal

try:
    import itsdangerous
    from itsdangerous.exc import BadSignature
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError("SessionMiddleware needs itsdangerous: pip install itsdangerous") from exc

from covet.datastructures.headers import MutableHeaders
from covet.datastructures.secret import Secret
from covet.middleware.isolation import passes_through
from covet.requests import HTTPConnection
from covet.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Session", "SessionMiddleware"]


class Session(dict[str, Any]):
    """A dict that knows whether it was looked at and whether it was changed."""

    accessed: bool = False
    modified: bool = False

    def mark_accessed(self) -> None:
        """Note that the response depends upon the session."""
        self.accessed = True

    def mark_modified(self) -> None:
        """Note that the session must be written; needed after changes inside of its values."""
        self.accessed = True
        self.modified = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.mark_modified()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.mark_modified()
        super().__delitem__(key)

    def clear(self) -> None:
        """Remove everything."""
        self.mark_modified()
        super().clear()

    def pop(self, key: str, *args: Any) -> Any:
        """Remove a key and return its value."""
        if key in self:
            self.mark_modified()
        return super().pop(key, *args)

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key and return it with its value."""
        item = super().popitem()
        self.mark_modified()
        return item

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, which becomes `default` if it is missing."""
        if key not in self:
            self.mark_modified()
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several keys."""
        self.mark_modified()
        super().update(*args, **kwargs)

    def __ior__(self, other: Any, /) -> Session:  # type: ignore[override,misc]
        self.mark_modified()
        return super().__ior__(other)


@passes_through
class SessionMiddleware:
    """Keep `request.session` in the cookie `session_cookie`, signed with `secret_key`.

    `max_age` is in seconds; None makes it last as long as the browser runs.
    """

    def __init__(
        self,
        app: ASGIApp,
        secret_key: str | Secret,
        session_cookie: str = "session",
        max_age: int | None = 14 * 24 * 60 * 60,
        path: str = "/",
        same_site: Literal["lax", "strict", "none"] = "lax",
        https_only: bool = False,
        domain: str | None = None,
        partitioned: bool = False,
    ) -> None:
        self.app = app
        self.signer = itsdangerous.TimestampSigner(str(secret_key))
        self.session_cookie = session_cookie
        self.max_age = max_age
        self.path = path
        flags = ["httponly", f"samesite={same_site}"]
        if https_only:
            flags.append("secure")
        if domain is not None:
            flags.append(f"domain={domain}")
        if partitioned:
            flags.append("partitioned")
        self.security_flags = "; ".join(flags)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        loaded = self._load(HTTPConnection(scope))
        scope["session"] = Session() if loaded is None else loaded
        had_session = loaded is not None

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                self._write(scope["session"], MutableHeaders(scope=message), had_session)
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _load(self, connection: HTTPConnection) -> Session | None:
        """Return the session in the request's cookie, None if there is none with a valid signature."""
        cookie = connection.cookies.get(self.session_cookie)
        if cookie is None:
            return None
        try:
            return Session(
                json.loads(b64decode(self.signer.unsign(cookie.encode("utf-8"), max_age=self.max_age)))
            )
        except BadSignature:
            return None

    def _write(self, session: Session, headers: MutableHeaders, had_session: bool) -> None:
        if session.accessed:
            headers.add_vary_header("Cookie")
        if not session.modified:
            return
        if session:
            data = self.signer.sign(b64encode(json.dumps(session).encode("utf-8"))).decode("utf-8")
            lasting = "" if self.max_age is None else f"Max-Age={self.max_age}; "
            headers.append("Set-Cookie", self._cookie(data, lasting))
        elif had_session:
            headers.append("Set-Cookie", self._cookie("null", "expires=Thu, 01 Jan 1970 00:00:00 GMT; "))

    def _cookie(self, data: str, lasting: str) -> str:
        return f"{self.session_cookie}={data}; path={self.path}; {lasting}{self.security_flags}"
