"""Refuses requests for hosts that the application does not answer for."""

from __future__ import annotations

from collections.abc import Sequence

from covet.datastructures.headers import Headers
from covet.datastructures.url import URL
from covet.hosts import parse_host_header
from covet.middleware.isolation import passes_through
from covet.responses.base import PlainTextResponse, RedirectResponse, Response
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["TrustedHostMiddleware"]

ENFORCE_DOMAIN_WILDCARD = "Domain wildcard patterns must be like '*.example.com'."


@passes_through
class TrustedHostMiddleware:
    """Let requests pass whose host is among `allowed_hosts`: names, `*.example.com`, or `*`.

    With `www_redirect` a host that is allowed with `www.` only is redirected there.
    """

    def __init__(
        self, app: ASGIApp, allowed_hosts: Sequence[str] | None = None, www_redirect: bool = True
    ) -> None:
        patterns = ["*"] if allowed_hosts is None else list(allowed_hosts)
        for pattern in patterns:
            assert "*" not in pattern[1:], ENFORCE_DOMAIN_WILDCARD
            assert pattern[:1] != "*" or pattern == "*" or pattern.startswith("*."), ENFORCE_DOMAIN_WILDCARD
        self.app = app
        self.allowed_hosts = [pattern.lower() for pattern in patterns]
        self.allow_any = "*" in patterns
        self.www_redirect = www_redirect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.allow_any or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        parsed = parse_host_header(Headers(scope=scope).get("host"))
        host = None if parsed is None else parsed.host.lower()
        if host is not None and self._allows(host):
            await self.app(scope, receive, send)
        else:
            await self._refusal(scope, host)(scope, receive, send)

    def _allows(self, host: str) -> bool:
        for pattern in self.allowed_hosts:
            if host == pattern or (pattern[0:1] == "*" and host.endswith(pattern[1:])):
                return True
        return False

    def _refusal(self, scope: Scope, host: str | None) -> Response:
        if host is not None and self.www_redirect and f"www.{host}" in self.allowed_hosts:
            url = URL(scope=scope)
            return RedirectResponse(url=str(url.replace(netloc="www." + url.netloc)))
        return PlainTextResponse("Invalid host header", status_code=400)
