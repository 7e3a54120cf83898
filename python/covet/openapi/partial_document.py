"""One document of several: a part of an application's operations, with an address and pages of its own.

`CovetPy.add_document` makes it and serves it; the application's settings are those of all its documents.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from covet.routing import APIRoute, iter_route_contexts

__all__ = ["PartialDocument"]


@dataclass(eq=False)
class PartialDocument:
    """A document of the operations that `select` chooses or, without it, whose paths begin with `prefix`."""

    app: Any
    name: str
    prefix: str
    openapi_url: str | None
    docs_url: str | None
    redoc_url: str | None
    title: str
    version: str
    description: str
    select: Callable[[Any], bool] | None = None
    swagger_ui_oauth2_redirect_url: str | None = field(init=False)
    _made: tuple[int, dict[str, Any]] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        docs_url = self.docs_url
        self.swagger_ui_oauth2_redirect_url = docs_url and f"{docs_url.rstrip('/')}/oauth2-redirect"

    def openapi(self) -> dict[str, Any]:
        """Return the document; made once, and again after routes have changed."""
        version = self.app.router._get_routes_version()
        if self._made is None or self._made[0] != version:
            self._made = (version, self._make())
        return self._made[1]

    def _make(self) -> dict[str, Any]:
        # Loaded when the first document is made, as for the application's own.
        making = importlib.import_module("covet.openapi.application_document")
        routes = [route for route in iter_route_contexts(self.app.routes) if self._has(route)]
        document: dict[str, Any] = making.application_document(
            self.app,
            title=self.title,
            version=self.version,
            description=self.description,
            routes=routes,
            webhooks=[],
            tags=self._tags(routes),
        )
        return document

    def _has(self, route: Any) -> bool:
        if not isinstance(route.original_route, APIRoute):
            return False
        if self.select is not None:
            return self.select(route)
        path: str = route.path
        return path == self.prefix or path.startswith(f"{self.prefix}/")

    def _tags(self, routes: list[Any]) -> list[dict[str, Any]] | None:
        """Return what is said of the tags that these routes have."""
        given = [tag for route in routes for tag in route.tags]
        used = {str(getattr(tag, "value", tag)) for tag in given}
        return [tag for tag in self.app.openapi_tags or () if tag.get("name") in used] or None
