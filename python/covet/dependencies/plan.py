"""A route as data for the engine, or the reason why only Python can run it.

`route.plan` calls `compile_plan`; `covet-python/src/plan` executes the result. The rule for everything
here: a plan may only say what gives the same answer, and the same calls in the same order, as
`solve_dependencies` and the request handler. Whatever is not certain is a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from covet.callables import name_of
from covet.dependencies.body import flat_body_params
from covet.dependencies.exits import EXITS, opener
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.late_body import body_taker
from covet.dependencies.models import Dependant, cache_key
from covet.dependencies.plan_body import TakenLate, plan_body
from covet.dependencies.plan_params import plan_param
from covet.dependencies.plan_response import plan_response
from covet.dependencies.reasons import NotNative
from covet.dependencies.resolve import overriding_dependant
from covet.types import DependencyCacheKey
from covet.validation.fields import ModelField

__all__ = ["compile_plan"]

Plan = tuple[Any, ...]
Overrides = Mapping[Any, Callable[..., Any]]

# Slots of values that are not read from the request.
_REQUEST, _RESPONSE, _BACKGROUND, _CONNECTION, _EXITS = -1, -2, -3, -4, -5
_SOURCES = ((0, "path_params"), (1, "query_params"), (2, "header_params"), (3, "cookie_params"))
# Kinds of calls.
_ASYNC, _POOL, _INLINE, _POOL_CLASS = 0, 1, 2, 3
# How a body is read whose values Python makes, and the source of those values.
_LATE_BODY, _FROM_BODY = 3, 4
# Flags of a plan.
_UNTYPED_JSON = 1
_OPENS_GENERATORS = 2


def compile_plan(route: Any, overrides: Overrides | None = None) -> Plan | str:
    """Return the plan of a route (or of a route in its place) under dependency overrides, or why there is
    none.
    """
    try:
        return _Compiler(route, overrides or {}).plan()
    except NotNative as reason:
        return str(reason)


class _Result:
    """The value of a call whose slot is known once all parameters are."""

    def __init__(self, index: int) -> None:
        self.index = index


class _Body:
    """The value of the body."""


class _Compiler:
    """One route on its way to a plan; walks the dependants as `resolve` does."""

    def __init__(self, route: Any, overrides: Overrides) -> None:
        self.route = route
        self.overrides = overrides
        self.params: list[tuple[Any, ...]] = []
        self.calls: list[tuple[Any, int, tuple[str, ...], tuple[Any, ...], bool]] = []
        self.results: dict[DependencyCacheKey, _Result] = {}
        self.gives_response = False
        self.opens_generators = False
        self.gives_background = False
        self.cancels = False
        self.body_param: ModelField | None = None
        self.taken_late: list[ModelField] = []

    def plan(self) -> Plan:
        """Return the finished tuple."""
        self._check_route()
        dependant: Dependant = self.route.dependant
        body = self._plan_body(dependant)
        arguments = self._arguments(dependant)
        self._add_call(dependant.call, arguments, _endpoint_kind(self.route, dependant), False)
        if self.cancels and (self.opens_generators or self.gives_background):
            # The engine cancels the whole task, in which these would still have to run.
            raise NotNative("what follows a handler that is cancelled when its client leaves")
        response = plan_response(self.route, self.gives_response)
        first_result = len(self.params) + 1

        def slot(value: Any) -> Any:
            if isinstance(value, _Result):
                return first_result + value.index
            return len(self.params) if isinstance(value, _Body) else value

        calls = tuple(
            (call, kind, names, tuple(slot(value) for value in values), cacheable)
            for call, kind, names, values, cacheable in self.calls
        )
        flags = 0 if bool(self.route.strict_content_type) else _UNTYPED_JSON
        flags |= _OPENS_GENERATORS if self.opens_generators else 0
        return tuple(self.params), calls, body, response, flags

    def _check_route(self) -> None:
        route = self.route
        hook = route.foreign_hook()
        if hook is not None:
            raise NotNative(hook)
        kind = call_kind(route.dependant.call)
        if (
            kind in (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)
            or route.is_sse_stream
            or route.is_json_stream
        ):
            raise NotNative("the handler yields")
        if kind is not call_kind(route.endpoint):
            raise NotNative("dependant.call was replaced by another kind of callable")
        application = route.dependency_overrides_provider
        if route.max_body_size not in (None, getattr(application, "max_body_size", None)):
            raise NotNative("a max_body_size of its own")
        cancels = getattr(getattr(application, "router", None), "cancel_on_disconnect", None)
        if route.cancel_on_disconnect is not None and route.cancel_on_disconnect != bool(cancels):
            raise NotNative("a cancel_on_disconnect of its own")
        self.cancels = bool(cancels)

    def _plan_body(self, dependant: Dependant) -> tuple[int, Any, str] | None:
        if self.route.body_field is None:
            return None
        fields = flat_body_params(dependant)
        try:
            planned = plan_body(fields, bool(self.route._embed_body_fields))
        except TakenLate:
            if len(fields) != len(dependant.body_params):
                raise
            self.taken_late = fields
            media_type: str = getattr(fields[0].field_info, "media_type", "application/json")
            return _LATE_BODY, body_taker(self.route, fields), media_type
        self.body_param = fields[0]
        return planned

    def _used(self, declared: Dependant) -> Dependant:
        if not self.overrides:
            return declared
        call: Any = self.overrides.get(declared.call, declared.call)
        return overriding_dependant(declared, call)

    def _arguments(self, dependant: Dependant) -> dict[str, Any]:
        """Plan everything that a dependant's callable is given; return slot by name."""
        values: dict[str, Any] = {}
        for declared in dependant.dependencies:
            result = self._dependency(declared)
            if declared.name is not None:
                values[declared.name] = result
        for source, group in _SOURCES:
            for field in getattr(dependant, group):
                values[field.name] = len(self.params)
                self.params.append(plan_param(source, field))
        for field in dependant.body_params:
            if any(field is late for late in self.taken_late):
                values[field.name] = len(self.params)
                self.params.append((_FROM_BODY, field.name, 0, None, True, None, 0))
            elif field is self.body_param:
                values[field.name] = _Body()
            else:
                raise NotNative("an overriding dependency takes the body")
        if dependant.security_scopes_param_name:
            raise NotNative(f"{name_of(dependant.call)} asks for the security scopes")
        given = (
            (dependant.http_connection_param_name, _CONNECTION),
            (dependant.request_param_name, _REQUEST),
            (dependant.background_tasks_param_name, _BACKGROUND),
            (dependant.response_param_name, _RESPONSE),
        )
        values.update({name: slot for name, slot in given if name})
        self.gives_response = self.gives_response or bool(dependant.response_param_name)
        self.gives_background = self.gives_background or bool(dependant.background_tasks_param_name)
        return values

    def _dependency(self, declared: Dependant) -> _Result:
        """Plan a dependency and what it needs; one that has its value already is not called again."""
        used = self._used(declared)
        before = len(self.params)
        # First what is below, as in `resolve`: an uncached dependency there runs for each that asks.
        arguments = self._arguments(used)
        key = cache_key(declared)
        if declared.use_cache and key in self.results:
            # Its parameters were read for the first call, from the same request by the same rules.
            self._forget_params(before)
            return self.results[key]
        result = self._add_dependency(declared, used, arguments)
        self.results.setdefault(key, result)
        return result

    def _add_dependency(self, declared: Dependant, used: Dependant, arguments: dict[str, Any]) -> _Result:
        call: Any = used.call
        if used.concurrency is not None:
            raise NotNative(f"{name_of(call)} has a max_concurrency")
        kind = call_kind(call)
        if kind in (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR):
            self.opens_generators = True
            call = opener(call, function_scope=declared.scope == "function")
            return self._add_call(call, {EXITS: _EXITS, **arguments}, _ASYNC, declared.use_cache)
        return self._add_call(call, arguments, _dependency_kind(call, kind), declared.use_cache)

    def _forget_params(self, before: int) -> None:
        """Drop parameters that only an uncalled dependency asked for, unless a call below it uses them."""
        used = {value for _, _, _, values, _ in self.calls for value in values if type(value) is int}
        while len(self.params) > before and len(self.params) - 1 not in used:
            self.params.pop()

    def _add_call(self, call: Any, arguments: dict[str, Any], kind: int, cacheable: bool) -> _Result:
        result = _Result(len(self.calls))
        self.calls.append((call, kind, tuple(arguments), tuple(arguments.values()), cacheable))
        return result


def _dependency_kind(call: Any, kind: CallKind) -> int:
    if kind is CallKind.COROUTINE:
        return _ASYNC
    return _POOL_CLASS if isinstance(call, type) else _POOL


def _endpoint_kind(route: Any, dependant: Dependant) -> int:
    if call_kind(dependant.call) is CallKind.COROUTINE:
        return _ASYNC
    return _INLINE if route.inline else _POOL
