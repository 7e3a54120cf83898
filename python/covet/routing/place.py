"""A route at one place in the tree of routers: the route's declaration with all that inclusion adds to it.

FastAPI calls it the effective route context, and monitoring tools read it from the scope.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from covet import params
from covet.datastructures.url import URLPath
from covet.routing.api_route import APIRoute, match_api_route, native_plan_of, plan_class
from covet.routing.body_limit import wrap_app_with_body_limit
from covet.routing.declaration import Declared, dependant_of, populate
from covet.routing.fastapi_scope import effective_route_context_var
from covet.routing.frontend import FrontendGroup, no_endpoint
from covet.routing.matching import Match, NoMatchFound
from covet.routing.paths import url_path
from covet.routing.route import BaseRoute
from covet.routing.sessions import request_response
from covet.types import ASGIApp, Scope

if TYPE_CHECKING:
    from covet.routing.plan import RoutePlan

__all__ = ["Place"]


@dataclass(eq=False)
class Place(Declared):
    """Where a route of an included router is; for routes of Starlette's kinds, the copy that is there."""

    original_route: BaseRoute
    starlette_route: BaseRoute | None = None
    app: ASGIApp | None = field(default=None, repr=False)
    frontend_prefix: str = ""
    path: str = ""
    path_format: str = ""
    name: str = ""
    include_in_schema: bool = True
    methods: set[str] = field(default_factory=set)
    dependencies: list[params.Depends] = field(default_factory=list)
    dependency_overrides_provider: Any | None = None

    @classmethod
    def of_api_route(cls, route: APIRoute, path: str, options: dict[str, Any]) -> Place:
        """Work out the place of an API route; its handler is made here, once."""
        place = cls(original_route=route)
        populate(place, path, route.endpoint, options)
        token = effective_route_context_var.set(place)
        try:
            app = request_response(route.get_route_handler())
        finally:
            effective_route_context_var.reset(token)
        place.app = wrap_app_with_body_limit(app, place.max_body_size)
        return place

    @classmethod
    def of_frontend(cls, group: FrontendGroup, context: Any) -> Place:
        """Work out the place of a router's static front end."""
        place = cls(
            original_route=group,
            frontend_prefix=context.prefix,
            dependencies=[*context.dependencies, *group.dependencies],
            dependency_overrides_provider=context.dependency_overrides_provider,
        )
        place.dependant, _, place._embed_body_fields = dependant_of(
            path="", call=no_endpoint, dependencies=place.dependencies
        )
        return place

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell how the route fits a scope at this place."""
        if isinstance(self.original_route, FrontendGroup):
            return self.original_route.matches_with_prefix(scope, self.frontend_prefix)
        if isinstance(self.original_route, APIRoute):
            return match_api_route(self, scope)
        assert self.starlette_route is not None
        return self.starlette_route.matches(scope)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path at this place with exactly these parameters."""
        if isinstance(self.original_route, APIRoute):
            return url_path(self, name, path_params)
        if self.starlette_route is None:
            raise NoMatchFound(name, path_params)
        return self.starlette_route.url_path_for(name, **path_params)

    def foreign_hook(self) -> str | None:
        """Return what keeps the route off the native path, None if nothing does."""
        return self.original_route.foreign_hook() if isinstance(self.original_route, APIRoute) else None

    @property
    def plan(self) -> RoutePlan:
        """What the route does with a request at this place, to look at."""
        return plan_class().of(self, native_plan_of(self))

    @property
    def native_plan(self) -> tuple[Any, ...] | str:
        """What the engine executes at this place, or the reason why there is nothing; private."""
        return native_plan_of(self)
