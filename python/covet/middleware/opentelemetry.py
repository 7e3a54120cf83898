"""Spans of OpenTelemetry for HTTP requests; needs the optional package `opentelemetry-api`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

try:
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode
except ImportError:
    raise ImportError(
        "The `opentelemetry-api` package is required to use `OpenTelemetryMiddleware`."
    ) from None

from covet.datastructures.url import URL
from covet.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["OpenTelemetryMiddleware"]

# The instrumented library as dashboards know it.
_LIBRARY = ("starlette", "1.10.0")
_ACTIVE = "starlette.opentelemetry"


class OpenTelemetryMiddleware:
    """Make a server span of each HTTP request, named after its route.

    `excluded_urls` are regular expressions, in a sequence or separated by commas, searched in the URL.
    Experimental: what it records may change.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        excluded_urls: str | Sequence[str] = (),
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self.app = app
        self._meter_provider = meter_provider
        if isinstance(excluded_urls, str):
            excluded_urls = [part.strip() for part in excluded_urls.split(",")] if excluded_urls else ()
        self._excluded_urls = tuple(re.compile(part) for part in excluded_urls)
        self._tracer_provider = tracer_provider or trace.get_tracer_provider()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get(_ACTIVE):
            await self.app(scope, receive, send)
            return
        # A second middleware further in must not make a second span.
        scope[_ACTIVE] = True
        try:
            url = URL(scope=scope)
            if self._is_excluded(str(url)):
                await self.app(scope, receive, send)
            else:
                await self._trace(scope, receive, send, url)
        finally:
            del scope[_ACTIVE]

    def _is_excluded(self, url: str) -> bool:
        if isinstance(self._tracer_provider, trace.NoOpTracerProvider):
            return True
        return any(pattern.search(url) for pattern in self._excluded_urls)

    async def _trace(self, scope: Scope, receive: Receive, send: Send, url: URL) -> None:
        headers: dict[str, list[str]] = {}
        for name, value in scope.get("headers", []):
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        method = scope.get("method", "").upper()
        opened = self._tracer_provider.get_tracer(*_LIBRARY).start_as_current_span(
            method,
            context=propagate.extract(headers),
            kind=SpanKind.SERVER,
            attributes=dict(_attributes(scope, url, headers)),
        )
        with opened as span:

            async def traced_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _record_status(span, message["status"])
                await send(message)

            try:
                await self.app(scope, receive, traced_send)
            except Exception as exc:
                span.set_attribute("error.type", type(exc).__qualname__)
                raise
            finally:
                template = _route_template(scope)
                if template is not None:
                    span.update_name(f"{method} {template}")
                    span.set_attribute("http.route", template)


def _attributes(scope: Scope, url: URL, headers: dict[str, list[str]]) -> Iterator[tuple[str, str | int]]:
    original = scope.get("method", "")
    yield "http.request.method", original.upper()
    if original != original.upper():
        yield "http.request.method_original", original
    yield "url.path", scope.get("path", "")
    yield "url.scheme", scope.get("scheme", "http")
    if url.query:
        yield "url.query", url.query
    if url.hostname is not None:
        yield "server.address", url.hostname
        server = scope.get("server")
        port = url.port if url.port is not None else server[1] if server is not None else None
        if port is not None:
            yield "server.port", port
    if scope.get("http_version"):
        yield "network.protocol.version", scope["http_version"]
    if scope.get("client") is not None:
        yield "client.address", scope["client"][0]
    if headers.get("user-agent"):
        yield "user_agent.original", headers["user-agent"][0]


def _record_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


def _route_template(scope: Scope) -> str | None:
    """Return the path template of the route; of a mount, the path that leads to it."""
    route: Any = scope.get("route")
    root_path: str = scope.get("root_path", "")
    if hasattr(route, "routes") and hasattr(route, "path"):
        return root_path or "/"
    path_format = getattr(route, "path_format", None)
    if not isinstance(path_format, str):
        return None
    return root_path.rstrip("/") + path_format or "/"
