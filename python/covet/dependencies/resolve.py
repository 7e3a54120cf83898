"""Fill a dependant for one request: run what it depends on, take its parameters, collect errors.

`solve_dependencies` is what the Python path calls for every request, and what monitoring tools and other
frameworks replace or call themselves, with a hand-made request whose scope holds the two exit stacks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import anyio

from covet._engine import generation
from covet.background import BackgroundTasks
from covet.concurrency import contextmanager_in_threadpool, run_in_threadpool
from covet.dependencies.extract import request_body_to_args, request_params_to_args
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.models import Dependant, UsesScopesCache, cache_key, oauth_scopes
from covet.dependencies.signature import get_dependant
from covet.dependency_limit import limited, shielded_exit
from covet.requests import Request
from covet.responses import Response
from covet.security.scopes import SecurityScopes
from covet.types import DependencyCacheKey
from covet.validation.fields import Undefined
from covet.websockets import WebSocket

__all__ = ["SolvedDependency", "overriding_dependant", "solve_dependencies"]

_REMEMBERED = 64

Overrides = dict[Callable[..., Any], Callable[..., Any]]


@dataclass
class SolvedDependency:
    """The arguments of a callable, or the errors because of which there are none."""

    values: dict[str, Any]
    errors: list[Any]
    background_tasks: BackgroundTasks | None
    response: Response
    dependency_cache: dict[DependencyCacheKey, Any]


def blank_response() -> Response:
    """Return the response that handlers and dependencies may set headers and a status on."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment]
    return response


def overriding_dependant(dependant: Dependant, call: Callable[..., Any]) -> Dependant:
    """Return the dependant of the callable that stands in for another; analysed once for each pair."""
    known: dict[int, tuple[Callable[..., Any], Dependant]] = dependant.__dict__.setdefault("_overriding", {})
    found = known.get(id(call))
    if found is None:
        if len(known) >= _REMEMBERED:
            known.clear()
        instead = get_dependant(
            path=dependant.path or "",
            call=call,
            name=dependant.name,
            parent_oauth_scopes=oauth_scopes(dependant),
            scope=dependant.scope,
            concurrency=dependant.concurrency,
        )
        found = known[id(call)] = (call, instead)
    return found[1]


def _remembered_key(dependant: Dependant) -> DependencyCacheKey:
    """Return the cache key of a dependant, computed anew only after something changed."""
    now = generation()
    known: tuple[int, DependencyCacheKey] | None = dependant.__dict__.get("_cached")
    if known is None or known[0] != now:
        known = (now, cache_key(dependant))
        dependant.__dict__["_cached"] = known
    return known[1]


def _exit_stack(connection: Request | WebSocket, name: str) -> AsyncExitStack:
    stack = connection.scope.get(name)
    assert isinstance(stack, AsyncExitStack), f"{name} not found in request scope"
    return stack


@dataclass
class _Solving:
    """What one request's calls of `solve_dependencies` share."""

    request: Request | WebSocket
    body: Any
    response: Response
    overrides_provider: Any
    cache: dict[DependencyCacheKey, Any]
    embed_body_fields: bool
    background_tasks: BackgroundTasks | None

    async def solve(self, dependant: Dependant) -> tuple[dict[str, Any], list[Any]]:
        """Return the arguments for a dependant's callable and the errors found on the way."""
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for below in dependant.dependencies:
            await self._solve_below(below, values, errors)
        self._take_params(dependant, values, errors)
        if dependant.body_params:
            found, body_errors = await request_body_to_args(
                dependant.body_params, self.body, self.embed_body_fields
            )
            values.update(found)
            errors.extend(body_errors)
        self._give(dependant, values)
        return values, errors

    async def _solve_below(self, declared: Dependant, values: dict[str, Any], errors: list[Any]) -> None:
        used = declared
        # Looked up for each dependency: one may install an override for those after it.
        overrides: Overrides | None = getattr(self.overrides_provider, "dependency_overrides", None)
        if overrides:
            call = overrides.get(cast(Any, declared.call), declared.call)
            # Every dependency is analysed by its own name again, so that what it replaces has no say.
            used = overriding_dependant(declared, cast(Any, call))
        arguments, found = await self.solve(used)
        if found:
            errors.extend(found)
            return
        key = _remembered_key(declared)
        if declared.use_cache and key in self.cache:
            solved = self.cache[key]
        else:
            solved = await self._call(declared, used, arguments)
        if declared.name is not None:
            values[declared.name] = solved
        self.cache.setdefault(key, solved)

    async def _call(self, declared: Dependant, used: Dependant, arguments: dict[str, Any]) -> Any:
        call = cast(Callable[..., Any], used.call)
        kind = call_kind(call)
        if kind in (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR):
            name = "fastapi_function_astack" if declared.scope == "function" else "fastapi_inner_astack"
            return await self._enter(used, _exit_stack(self.request, name), arguments)
        if used.concurrency is None:
            return await _run(call, kind, arguments)
        async with used.concurrency.get_semaphore():
            return await _run(call, kind, arguments)

    async def _enter(self, used: Dependant, stack: AsyncExitStack, arguments: dict[str, Any]) -> Any:
        """Run a generator to its `yield`; the rest runs when the stack is closed."""
        call = cast(Callable[..., Any], used.call)
        if call_kind(call) is CallKind.ASYNC_GENERATOR:
            manager = shielded_exit(asynccontextmanager(call)(**arguments), self._cleanup_scope())
        else:
            manager = contextmanager_in_threadpool(contextmanager(call)(**arguments))
        if used.concurrency is not None:
            manager = limited(manager, used.concurrency)
        return await stack.enter_async_context(manager)

    def _cleanup_scope(self) -> anyio.CancelScope:
        """Return the request's one cancel scope around the clean-up of its async generators."""
        request_stack = _exit_stack(self.request, "fastapi_inner_astack")
        scopes: dict[AsyncExitStack, anyio.CancelScope] = self.request.scope.setdefault(
            "fastapi_async_cleanup_scopes", {}
        )
        scope = scopes.get(request_stack)
        if scope is None:
            scope = scopes[request_stack] = request_stack.enter_context(anyio.CancelScope())
            request_stack.callback(scopes.pop, request_stack)
        return scope

    def _take_params(self, dependant: Dependant, values: dict[str, Any], errors: list[Any]) -> None:
        request = self.request
        sources: tuple[tuple[list[Any], str], ...] = (
            (dependant.path_params, "path_params"),
            (dependant.query_params, "query_params"),
            (dependant.header_params, "headers"),
            (dependant.cookie_params, "cookies"),
        )
        for fields, source in sources:
            if fields:
                found, params_errors = request_params_to_args(fields, getattr(request, source))
                values.update(found)
                errors.extend(params_errors)

    def _give(self, dependant: Dependant, values: dict[str, Any]) -> None:
        """Add the arguments that are not read from the request."""
        request = self.request
        if dependant.http_connection_param_name:
            values[dependant.http_connection_param_name] = request
        if dependant.request_param_name and isinstance(request, Request):
            values[dependant.request_param_name] = request
        elif dependant.websocket_param_name and isinstance(request, WebSocket):
            values[dependant.websocket_param_name] = request
        if dependant.background_tasks_param_name:
            if self.background_tasks is None:
                self.background_tasks = BackgroundTasks()
            values[dependant.background_tasks_param_name] = self.background_tasks
        if dependant.response_param_name:
            values[dependant.response_param_name] = self.response
        if dependant.security_scopes_param_name:
            values[dependant.security_scopes_param_name] = SecurityScopes(scopes=oauth_scopes(dependant))


async def _run(call: Callable[..., Any], kind: CallKind, arguments: dict[str, Any]) -> Any:
    if kind is CallKind.COROUTINE:
        return await call(**arguments)
    return await run_in_threadpool(call, **arguments)


async def solve_dependencies(
    *,
    request: Request | WebSocket,
    dependant: Dependant,
    body: Any = Undefined,
    background_tasks: BackgroundTasks | None = None,
    response: Response | None = None,
    dependency_overrides_provider: Any | None = None,
    dependency_cache: dict[DependencyCacheKey, Any] | None = None,
    async_exit_stack: AsyncExitStack,
    embed_body_fields: bool,
    _uses_scopes_cache: UsesScopesCache | None = None,
) -> SolvedDependency:
    """Return the arguments of a dependant's callable for one request.

    Dependencies run in order of declaration, each once per request unless `use_cache=False`; one with
    errors is not called. The scope must hold the exit stacks `fastapi_inner_astack` (closed after the
    response was sent) and `fastapi_function_astack` (closed when the handler has returned).
    """
    _exit_stack(request, "fastapi_inner_astack")
    _exit_stack(request, "fastapi_function_astack")
    solving = _Solving(
        request=request,
        body=body,
        response=blank_response() if response is None else response,
        overrides_provider=dependency_overrides_provider,
        cache={} if dependency_cache is None else dependency_cache,
        embed_body_fields=embed_body_fields,
        background_tasks=background_tasks,
    )
    values, errors = await solving.solve(dependant)
    return SolvedDependency(
        values=values,
        errors=errors,
        background_tasks=solving.background_tasks,
        response=solving.response,
        dependency_cache=solving.cache,
    )
