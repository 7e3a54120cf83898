"""What a route does, to look at: `print(route.plan)`, `route.plan.parameters`, `covet routes --schema`.

Made from the route's dependant when somebody asks, never while a request is answered. The tuple that the
engine executes is `route.native_plan`, which is private and changes between releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema

from covet.callables import location_of, name_of
from covet.datastructures.default import DefaultPlaceholder
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.models import Dependant, cache_key, computed_scope
from covet.dependencies.param_models import param_aliases, param_model
from covet.dependencies.resolve import overriding_dependant
from covet.types import DependencyCacheKey
from covet.validation.fields import ModelField, get_cached_model_fields

__all__ = ["PlannedBody", "PlannedCall", "PlannedParameter", "PlannedResponse", "RoutePlan"]

_SOURCES = ("path", "query", "header", "cookie")
_BOUNDS = (
    "ge",
    "gt",
    "le",
    "lt",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
    "max_digits",
    "decimal_places",
    "strict",
)
_WORDS = {
    CallKind.COROUTINE: "async",
    CallKind.THREAD: "thread",
    CallKind.GENERATOR: "generator",
    CallKind.ASYNC_GENERATOR: "async generator",
}


def _type_name(annotation: Any) -> str:
    if isinstance(annotation, type) and not getattr(annotation, "__args__", None):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _schema(source: ModelField | None) -> dict[str, Any] | None:
    if source is None:
        return None
    try:
        return source._type_adapter.json_schema(mode=source.mode)
    except PydanticInvalidForJsonSchema:
        return None


def _bounds(source: ModelField) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in source.field_info.metadata:
        for name in _BOUNDS:
            value = getattr(item, name, None)
            if value is not None:
                found[name] = value
    return found


@dataclass(frozen=True)
class PlannedParameter:
    """A value taken from the path, the query string, a header or a cookie.

    `source` is one of those four, `name` is how requests spell it, `asked_by` is the callable it is for.
    `default` says nothing when the parameter is `required`, and is None where a factory makes it.
    """

    source: str
    name: str
    type: str
    required: bool
    default: Any
    bounds: dict[str, Any]
    asked_by: str
    _field: ModelField = field(repr=False, compare=False)

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the value; None for a type that has none."""
        return _schema(self._field)

    def __str__(self) -> str:
        default = "" if self.required else f" = {self.default!r}"
        bounds = "".join(f", {name}={value!r}" for name, value in self.bounds.items())
        return f"{self.name}: {self.type}{default}{bounds}"


@dataclass(frozen=True)
class PlannedCall:
    """A dependency or, as the last one, the endpoint.

    `kind` is "async" (awaited on the event loop), "thread", "generator", "async generator", or "inline" (a
    blocking function on the loop). `closed` says when the code after a generator's `yield` runs: "function"
    or "request", None for what is no generator. `overrides` is what the callable stands in for.
    """

    name: str
    location: str
    kind: str
    closed: str | None
    cached: bool
    given_as: str | None
    overrides: str | None

    def __str__(self) -> str:
        words = [self.kind]
        if self.closed:
            words.append(
                "closed after the handler" if self.closed == "function" else "closed after the answer"
            )
        if not self.cached:
            words.append("not cached")
        if self.overrides:
            words.append(f"instead of {self.overrides}")
        return f"{self.name} ({', '.join(words)}) {self.location}"


@dataclass(frozen=True)
class PlannedBody:
    """The body: its media type, and the model or type that it is validated by."""

    media_type: str
    type: str
    required: bool
    _field: ModelField = field(repr=False, compare=False)

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the body; None for a type that has none."""
        return _schema(self._field)

    def __str__(self) -> str:
        return f"{self.type} ({self.media_type}{'' if self.required else ', optional'})"


@dataclass(frozen=True)
class PlannedResponse:
    """The answer: status code (None for the response class's own), media type, class, and the model if any.

    A stream of JSON lines or events has the type of its items.
    """

    status_code: int | None
    media_type: str | None
    response_class: str
    type: str | None
    _field: ModelField | None = field(repr=False, compare=False)

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the model; None without one."""
        return _schema(self._field)

    def __str__(self) -> str:
        return (
            f"{self.status_code or 200} {self.type or 'any value'} ({self.media_type or self.response_class})"
        )


@dataclass(frozen=True)
class RoutePlan:
    """What one route does with a request, in order: take parameters and body, make the calls, answer.

    `reason` is why the route stays on the Python path; None means that its good case runs natively. A
    WebSocket route has neither methods nor a body nor a response.
    """

    methods: tuple[str, ...]
    path: str
    parameters: tuple[PlannedParameter, ...]
    body: PlannedBody | None
    calls: tuple[PlannedCall, ...]
    response: PlannedResponse | None
    reason: str | None

    @property
    def native(self) -> bool:
        """Whether the engine executes the plan, as long as a request is all right."""
        return self.reason is None

    @property
    def dependencies(self) -> tuple[PlannedCall, ...]:
        """The calls before the endpoint, in the order in which they run."""
        return self.calls[:-1]

    @classmethod
    def of(cls, route: Any, native_plan: tuple[Any, ...] | str) -> RoutePlan:
        """Describe a route, or a route at its place in the tree of routers."""
        overrides = getattr(route.dependency_overrides_provider, "dependency_overrides", None) or {}
        walk = _Walk(overrides)
        walk.visit(route.dependant)
        walk.end(route.dependant.call, inline=route.inline)
        return cls(
            methods=tuple(sorted(route.methods)),
            path=route.path,
            parameters=tuple(walk.parameters),
            body=_body(route),
            calls=tuple(walk.calls),
            response=_response(route),
            reason=native_plan if isinstance(native_plan, str) else None,
        )

    @classmethod
    def of_websocket(cls, route: Any) -> RoutePlan:
        """Describe a WebSocket route."""
        walk = _Walk({})
        walk.visit(route.dependant)
        walk.end(route.dependant.call, inline=False)
        parameters, calls = tuple(walk.parameters), tuple(walk.calls)
        return cls((), route.path, parameters, None, calls, None, "a WebSocket")

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain data, JSON Schemas included."""
        return {
            "methods": list(self.methods),
            "path": self.path,
            "native": self.native,
            "reason": self.reason,
            "parameters": [_plain(parameter) for parameter in self.parameters],
            "body": None if self.body is None else _plain(self.body),
            "calls": [_plain(call) for call in self.calls],
            "response": None if self.response is None else _plain(self.response),
        }

    def __str__(self) -> str:
        lines = [f"{','.join(self.methods) or 'WS'} {self.path}"]
        lines += [f"  {each.source:<9}{each}" for each in self.parameters]
        if self.body is not None:
            lines.append(f"  body     {self.body}")
        lines += [f"  call {number:<4}{call}" for number, call in enumerate(self.calls, 1)]
        if self.response is not None:
            lines.append(f"  answer   {self.response}")
        lines.append("  runs     natively" if self.native else f"  runs     in Python: {self.reason}")
        return "\n".join(lines)


def _plain(part: Any) -> dict[str, Any]:
    shown = {name: value for name, value in vars(part).items() if not name.startswith("_")}
    if "default" in shown and not isinstance(shown["default"], (str, int, float, bool, type(None))):
        shown["default"] = repr(shown["default"])
    if "bounds" in shown:
        shown["bounds"] = {name: _plain_bound(value) for name, value in shown["bounds"].items()}
    if hasattr(part, "schema"):
        shown["schema"] = part.schema
    return shown


def _plain_bound(value: Any) -> Any:
    return value if isinstance(value, (str, int, float)) else str(value)


class _Walk:
    """A walk down the dependants in the order in which a request goes: what is below is called first."""

    def __init__(self, overrides: Any) -> None:
        self.overrides = overrides
        self.parameters: list[PlannedParameter] = []
        self.calls: list[PlannedCall] = []
        self.called: list[DependencyCacheKey] = []

    def visit(self, dependant: Dependant) -> None:
        """Add what a dependant needs: first its dependencies, then its own parameters."""
        for declared in dependant.dependencies:
            used = declared
            if self.overrides:
                call: Any = self.overrides.get(declared.call, declared.call)
                used = overriding_dependant(declared, call)
            before = len(self.parameters)
            self.visit(used)
            key = cache_key(declared)
            if declared.use_cache and key in self.called:
                del self.parameters[before:]  # read for the first call already
                continue
            self.called.append(key)
            self._depend(declared, used)
        for source in _SOURCES:
            for each in getattr(dependant, f"{source}_params"):
                self.parameters += _parameters(source, each, name_of(dependant.call))

    def _depend(self, declared: Dependant, used: Dependant) -> None:
        kind = call_kind(used.call)
        generator = kind in (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)
        self.calls.append(
            PlannedCall(
                name=name_of(used.call),
                location=location_of(used.call),
                kind=_WORDS[kind],
                closed=computed_scope(declared) if generator else None,
                cached=declared.use_cache,
                given_as=declared.name,
                overrides=None if used.call is declared.call else name_of(declared.call),
            )
        )

    def end(self, call: Any, *, inline: bool) -> None:
        """Add the endpoint, which comes last."""
        kind = call_kind(call)
        word = "inline" if inline and kind is CallKind.THREAD else _WORDS[kind]
        self.calls.append(PlannedCall(name_of(call), location_of(call), word, None, True, None, None))


def _parameters(source: str, declared: ModelField, asked_by: str) -> Iterator[PlannedParameter]:
    """Yield a parameter, or the members of a model of parameters."""
    model = param_model(declared)
    hyphens = source == "header" and getattr(declared.field_info, "convert_underscores", True)
    for each in [declared] if model is None else get_cached_model_fields(model):
        names = param_aliases(each, convert_underscores=hyphens and model is not None)
        info = each.field_info
        required = info.is_required()
        yield PlannedParameter(
            source=source,
            name=names[0][1],
            type=_type_name(info.annotation),
            required=required,
            default=None if required or info.default_factory else info.default,
            bounds=_bounds(each),
            asked_by=asked_by,
            _field=each,
        )


def _body(route: Any) -> PlannedBody | None:
    declared: ModelField | None = route.body_field
    if declared is None:
        return None
    info: Any = declared.field_info
    return PlannedBody(
        media_type=getattr(info, "media_type", "application/json"),
        type=_type_name(info.annotation),
        required=info.is_required(),
        _field=declared,
    )


def _response(route: Any) -> PlannedResponse:
    chosen = route.response_class
    by_default = isinstance(chosen, DefaultPlaceholder)
    cls = chosen.value if by_default else chosen
    declared: ModelField | None = route.response_field or route.stream_item_field
    media_type = cls.media_type
    if route.is_sse_stream:
        media_type = "text/event-stream"
    elif route.is_json_stream:
        media_type = "application/jsonl"
    return PlannedResponse(
        status_code=route.status_code,
        media_type=media_type,
        response_class=cls.__name__,
        type=None if declared is None else _type_name(declared.field_info.annotation),
        _field=declared,
    )
