"""`Dependant`: a callable with the fields and dependencies that its parameters became.

Made by `signature`, read by `resolve`, `plan` and `openapi`. Other libraries subclass it, copy it and
change it after routes exist: every change makes plans stale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from covet._engine import bump_generation
from covet.dependencies.kinds import CallKind, call_kind, unwrapped, without_partial
from covet.dependency_limit import DependencyLimit
from covet.security.base import SecurityBase
from covet.types import DependencyCacheKey
from covet.validation.fields import ModelField
from covet.watched import WatchedList

__all__ = [
    "Dependant",
    "cache_key",
    "computed_scope",
    "is_security_scheme",
    "oauth_scopes",
    "security_scheme",
    "uses_scopes",
]


@dataclass
class Dependant:
    """What a callable needs, by where it comes from."""

    path_params: list[ModelField] = field(default_factory=list)
    query_params: list[ModelField] = field(default_factory=list)
    header_params: list[ModelField] = field(default_factory=list)
    cookie_params: list[ModelField] = field(default_factory=list)
    body_params: list[ModelField] = field(default_factory=list)
    dependencies: list[Dependant] = field(default_factory=list)
    name: str | None = None
    call: Callable[..., Any] | None = None
    request_param_name: str | None = None
    websocket_param_name: str | None = None
    http_connection_param_name: str | None = None
    response_param_name: str | None = None
    background_tasks_param_name: str | None = None
    security_scopes_param_name: str | None = None
    own_oauth_scopes: list[str] | None = None
    parent_oauth_scopes: list[str] | None = None
    use_cache: bool = True
    path: str | None = None
    scope: Literal["function", "request"] | None = None
    concurrency: DependencyLimit | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        changed = name in self.__dict__
        if type(value) is list and name in _WATCHED:
            value = WatchedList(value)
        object.__setattr__(self, name, value)
        if changed:
            self.__dict__.pop("_cached", None)
            bump_generation()


_WATCHED = frozenset(
    {"path_params", "query_params", "header_params", "cookie_params", "body_params", "dependencies"}
)
UsesScopesCache = dict[int, tuple[Dependant, bool]]


def oauth_scopes(dependant: Dependant) -> list[str]:
    """Return the scopes asked for by the dependants above and by this one, without repetition."""
    scopes = list(dependant.parent_oauth_scopes or [])
    scopes += [scope for scope in dict.fromkeys(dependant.own_oauth_scopes or []) if scope not in scopes]
    return scopes


def is_security_scheme(dependant: Dependant) -> bool:
    """Say whether the callable is one of `covet.security`'s schemes."""
    return dependant.call is not None and isinstance(unwrapped(dependant.call), SecurityBase)


def security_scheme(dependant: Dependant) -> SecurityBase:
    """Return the scheme that the callable is."""
    scheme = unwrapped(dependant.call)
    assert isinstance(scheme, SecurityBase)
    return scheme


def uses_scopes(dependant: Dependant, cache: UsesScopesCache | None = None) -> bool:
    """Say whether the result may depend on the scopes asked for, here or anywhere below."""
    if cache is None:
        cache = {}
    known = cache.get(id(dependant))
    if known is not None and known[0] is dependant:
        return known[1]
    result = (
        bool(dependant.own_oauth_scopes)
        or dependant.security_scopes_param_name is not None
        or is_security_scheme(dependant)
        or any(uses_scopes(below, cache) for below in dependant.dependencies)
    )
    cache[id(dependant)] = (dependant, result)
    return result


def computed_scope(dependant: Dependant) -> str | None:
    """Return when a generator is closed: as declared, else with the request."""
    if dependant.scope:
        return dependant.scope
    generators = (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)
    return "request" if call_kind(dependant.call) in generators else None


def cache_key(dependant: Dependant, cache: UsesScopesCache | None = None) -> DependencyCacheKey:
    """Return what one request remembers a dependency's value under."""
    scopes = tuple(sorted(set(oauth_scopes(dependant)))) if uses_scopes(dependant, cache) else ()
    return dependant.call, scopes, computed_scope(dependant) or ""


# FastAPI's own names for the questions above; libraries and tests import them.


def _get_oauth_scopes(*, dependant: Dependant) -> list[str]:
    return oauth_scopes(dependant)


def _uses_scopes(*, dependant: Dependant, cache: UsesScopesCache | None = None) -> bool:
    return uses_scopes(dependant, cache)


def _get_cache_key(
    *, dependant: Dependant, uses_scopes_cache: UsesScopesCache | None = None
) -> DependencyCacheKey:
    return cache_key(dependant, uses_scopes_cache)


def _is_security_scheme(*, dependant: Dependant) -> bool:
    return is_security_scheme(dependant)


def _get_security_scheme(*, dependant: Dependant) -> SecurityBase:
    return security_scheme(dependant)


def _get_computed_scope(*, dependant: Dependant) -> str | None:
    return computed_scope(dependant)


def _is_gen_callable(call: Callable[..., Any] | None) -> bool:
    return call_kind(call) is CallKind.GENERATOR


def _is_async_gen_callable(call: Callable[..., Any] | None) -> bool:
    return call_kind(call) is CallKind.ASYNC_GENERATOR


def _is_coroutine_callable(call: Callable[..., Any] | None) -> bool:
    return call_kind(call) is CallKind.COROUTINE


def _unwrapped_call(call: Callable[..., Any] | None) -> Any:
    return call if call is None else unwrapped(call)


def _impartial(func: Callable[..., Any]) -> Callable[..., Any]:
    return cast(Callable[..., Any], without_partial(func))


_UsesScopesCache = UsesScopesCache
