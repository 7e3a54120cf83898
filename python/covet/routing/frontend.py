"""`app.frontend("/", directory="dist")`: a front end's files at the lowest priority, after every route.

One group for each router; of several front ends the one with the longest path answers. The router's
dependencies run first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from covet import params
from covet.datastructures.url import URLPath
from covet.dependencies.models import Dependant
from covet.dependencies.resolve import SolvedDependency, solve_dependencies
from covet.exceptions import RequestValidationError
from covet.http_exceptions import HTTPException
from covet.requests import Request
from covet.route_path import get_route_path
from covet.routing.declaration import dependant_of
from covet.routing.fastapi_scope import (
    FRONTEND_PATH,
    FRONTEND_SPECIFICITY,
    SCOPE_KEY,
    effective_context,
    update_scope,
)
from covet.routing.frontend_files import Fallback, FrontendFiles, PathLike
from covet.routing.matching import Match, NoMatchFound
from covet.routing.route import BaseRoute
from covet.types import Receive, Scope, Send

__all__ = ["FrontendGroup", "FrontendRoute", "join_frontend_paths", "no_endpoint", "normalize_frontend_path"]

_STACKS = ("fastapi_inner_astack", "fastapi_function_astack")


def no_endpoint() -> None:
    """Stand in for a handler where only dependencies are run."""


def normalize_frontend_path(path: str) -> str:
    """Return a path without its last slash; raise AssertionError for one that does not begin with a slash."""
    if not path:
        raise AssertionError("A frontend path cannot be empty")
    if not path.startswith("/"):
        raise AssertionError("A frontend path must start with '/'")
    return path if path == "/" else path.rstrip("/")


def join_frontend_paths(prefix: str, path: str) -> str:
    """Return a front end's path below a router's prefix."""
    if not prefix:
        return path
    return prefix if path == "/" else prefix + path


def _specificity(path: str) -> int:
    return 0 if path == "/" else len(path)


class FrontendRoute(BaseRoute):
    """One directory at one path."""

    def __init__(
        self, path: str, *, directory: PathLike, fallback: Fallback = "auto", check_dir: bool
    ) -> None:
        if fallback not in ("auto", "index.html", "404.html", None):
            raise AssertionError("fallback must be 'auto', 'index.html', '404.html', or None")
        self.path = normalize_frontend_path(path)
        self.methods = {"GET", "HEAD"}
        self.app = FrontendFiles(directory=directory, fallback=fallback, check_dir=check_dir)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is below the path."""
        return self.matches_with_path(scope, self.path)

    def matches_with_path(self, scope: Scope, path: str) -> tuple[Match, Scope]:
        """Tell whether a request is below the path, prefixes included."""
        below = None if scope["type"] != "http" else _below(path, get_route_path(scope))
        if below is None:
            return Match.NONE, {}
        found = {SCOPE_KEY: {FRONTEND_PATH: below, FRONTEND_SPECIFICITY: _specificity(path)}}
        return (Match.FULL if scope["method"] in self.methods else Match.PARTIAL), found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file."""
        response = await self.app.get_response_for_scope(scope)
        await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise NoMatchFound: files have no names."""
        raise NoMatchFound(name, path_params)


def _below(path: str, route_path: str) -> str | None:
    """Return what of a request's path is below the front end's, None if it is elsewhere."""
    if path == "/":
        return route_path.lstrip("/")
    if route_path == path:
        return ""
    return route_path.removeprefix(f"{path}/") if route_path.startswith(f"{path}/") else None


class FrontendGroup(BaseRoute):
    """The front ends of one router, behind its dependencies."""

    def __init__(
        self,
        *,
        dependencies: Sequence[params.Depends] | None = None,
        dependency_overrides_provider: Any | None = None,
    ) -> None:
        self.routes: list[FrontendRoute] = []
        self.dependencies = list(dependencies or [])
        self.dependency_overrides_provider = dependency_overrides_provider
        self.dependant, _, self._embed_body_fields = dependant_of(
            path="", call=no_endpoint, dependencies=self.dependencies
        )

    def add_frontend_route(
        self, path: str, *, directory: PathLike, fallback: Fallback = "auto", check_dir: bool
    ) -> None:
        """Add a directory at a path."""
        route = FrontendRoute(path, directory=directory, fallback=fallback, check_dir=check_dir)
        self.routes.append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a front end answers."""
        return self.matches_with_prefix(scope, "")

    def matches_with_prefix(self, scope: Scope, prefix: str) -> tuple[Match, Scope]:
        """Tell whether a front end answers, its path below a prefix."""
        match, child_scope, _ = self._find(scope, prefix)
        return match, child_scope

    def _find(self, scope: Scope, prefix: str) -> tuple[Match, Scope, FrontendRoute | None]:
        """Return the front end with the longest path; one that has the method goes before one that has
        not.
        """
        best: tuple[Match, Scope, FrontendRoute | None] = Match.NONE, {}, None
        rank = (Match.NONE.value, -1)
        for route in self.routes:
            path = join_frontend_paths(prefix, route.path)
            match, child_scope = route.matches_with_path(scope, path)
            if match is not Match.NONE and (match.value, _specificity(path)) > rank:
                rank = match.value, _specificity(path)
                best = match, child_scope, route
        return best

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the dependencies and answer with a file."""
        place: Any = effective_context(scope)
        here: Any = self if place is None or place.original_route is not self else place
        match, child_scope, route = self._find(scope, getattr(here, "frontend_prefix", ""))
        if route is None:
            raise HTTPException(status_code=404)
        update_scope(scope, child_scope)
        if match is not Match.FULL or not here.dependant.dependencies:
            await route.handle(scope, receive, send)
            return
        request = Request(scope, receive, send)
        async with _solved(
            request, here.dependant, here.dependency_overrides_provider, here._embed_body_fields
        ) as solved:
            response = await route.app.get_response_for_scope(scope)
            if response.background is None:
                response.background = solved.background_tasks
            response.headers.raw.extend(solved.response.headers.raw)
            await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise NoMatchFound: files have no names."""
        raise NoMatchFound(name, path_params)


@asynccontextmanager
async def _solved(
    request: Request, dependant: Dependant, provider: Any, embed_body_fields: bool
) -> AsyncGenerator[SolvedDependency, None]:
    """Run dependencies with exit stacks of their own; what was in the scope before is put back."""
    scope = request.scope
    outer = {name: scope[name] for name in _STACKS if name in scope}
    try:
        async with AsyncExitStack() as request_stack:
            scope["fastapi_inner_astack"] = request_stack
            async with AsyncExitStack() as function_stack:
                scope["fastapi_function_astack"] = function_stack
                solved = await solve_dependencies(
                    request=request,
                    dependant=dependant,
                    dependency_overrides_provider=provider,
                    async_exit_stack=request_stack,
                    embed_body_fields=embed_body_fields,
                )
                if solved.errors:
                    raise RequestValidationError(solved.errors)
                yield solved
    finally:
        for name in _STACKS:
            scope.pop(name, None)
        scope.update(outer)
