"""What a server under reload answers while the application cannot be served: what is wrong with it.

An old version is never served in its place: whoever looks at an answer must be able to trust that it comes
from the code in the editor.
"""

import html
import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .settings import ASGIApp, BrokenApplication, Load, SettingsError

__all__ = ["ErrorPage", "Forgiving"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NOT_STORED = (b"cache-control", b"no-store")
HIDDEN = "The server's terminal says what is wrong. (It is shown here under `covet dev` only.)"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<noscript><meta http-equiv="refresh" content="2"></noscript>
<title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;padding:0 1rem}}
h1{{font-size:1.4rem}}pre{{font-size:.9rem;overflow-x:auto;white-space:pre-wrap}}</style>
<h1>{title}</h1>
<pre>{text}</pre>
<p>The next change of a file loads the application again; this page follows.</p>
<script>new EventSource(location.href).onerror = () => location.replace(location.href)</script>
</html>
"""


@dataclass(frozen=True)
class ErrorPage:
    """An ASGI application that answers everything with 500 and `text`, or with the title where not `shown`.

    An event stream stays open until the next version takes over: so the page in a browser follows at once,
    and an EventSource of the application, which never comes back after a 500, finds its stream again.
    """

    stands_in: ClassVar[bool] = True  # how a worker tells it from an application

    title: str
    text: str
    shown: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; close a WebSocket with 1012 (service restart); take part in the lifespan."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1012, "reason": self.title})
        else:
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            await (
                _wait(receive, send) if "text/event-stream" in accept else self._answer(scope, accept, send)
            )

    async def _answer(self, scope: Scope, accept: str, send: Send) -> None:
        kind, body = self._body(accept)
        headers = [(b"content-type", kind), NOT_STORED, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _body(self, accept: str) -> tuple[bytes, bytes]:
        text = self.text if self.shown else HIDDEN
        if "text/html" in accept:
            page = PAGE.format(title=html.escape(self.title), text=html.escape(text))
            return b"text/html; charset=utf-8", page.encode("utf-8", "backslashreplace")
        if "json" in accept:
            return b"application/json", json.dumps({"detail": self.title, "error": text}).encode()
        return b"text/plain; charset=utf-8", f"{self.title}\n\n{text}\n".encode("utf-8", "backslashreplace")


async def _wait(receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), NOT_STORED]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b": wait\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


class Forgiving:
    """A `load` that gives an error page when the application is broken, because the next edit may mend it.

    What no edit can mend, such as a name on the command line that means nothing, still ends the first start.
    """

    def __init__(self, load: Load, shown: bool) -> None:
        self.started = False
        self._load = load
        self._shown = shown

    def __call__(self) -> ASGIApp:
        """Load the application, or what stands in for it.

        Raises:
            SettingsError: there is no such application, and none has been served yet.
        """
        try:
            return self._load()
        except SettingsError as error:
            if not self.started and not isinstance(error, BrokenApplication):
                raise
            print(f"error: {error}", file=sys.stderr, flush=True)
            return self.page("The application cannot be loaded", str(error))

    def page(self, title: str, text: str) -> ErrorPage:
        """Return the page for another mishap."""
        return ErrorPage(title, text, self._shown)
