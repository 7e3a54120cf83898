"""From a callable to its `Dependant`: signatures are read and each parameter is given its source.

Called while routes are declared, and for dependencies that replace others in tests. The kinds of a single
parameter are decided in `parameter`.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from typing import Any, ForwardRef, Literal, get_args, get_origin

from covet import params
from covet.background import BackgroundTasks
from covet.callables import described
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.models import Dependant, computed_scope
from covet.dependencies.parameter import PathNames, analyze_param
from covet.dependency_limit import DependencyLimit
from covet.exceptions import DependencyScopeError
from covet.requests import HTTPConnection, Request
from covet.responses import Response
from covet.security.scopes import SecurityScopes
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField, evaluate_forwardref
from covet.websockets import WebSocket

if sys.version_info >= (3, 14):
    from annotationlib import Format

__all__ = [
    "add_non_field_param_to_dependency",
    "add_param_to_fields",
    "get_dependant",
    "get_parameterless_sub_dependant",
    "get_stream_item_type",
    "get_typed_annotation",
    "get_typed_return_annotation",
    "get_typed_signature",
]

DependencyScope = Literal["function", "request"]

_STREAMS = {AsyncIterable, AsyncIterator, AsyncGenerator, Iterable, Iterator, Generator}
# Annotations whose value is not read from the request; the first that fits wins.
_SPECIAL: tuple[tuple[type[Any], str], ...] = (
    (Request, "request_param_name"),
    (WebSocket, "websocket_param_name"),
    (HTTPConnection, "http_connection_param_name"),
    (Response, "response_param_name"),
    (BackgroundTasks, "background_tasks_param_name"),
    (SecurityScopes, "security_scopes_param_name"),
)


def _signature(call: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(call, eval_str=True)
    except NameError:
        # A name under TYPE_CHECKING, or defined later: the annotations stay as they are written.
        if sys.version_info >= (3, 14):
            return inspect.signature(call, annotation_format=Format.FORWARDREF)
        return inspect.signature(call)


def get_typed_annotation(annotation: Any, globalns: dict[str, Any]) -> Any:
    """Return what an annotation that is still a string names, as far as it can be found."""
    if not isinstance(annotation, str):
        return annotation
    evaluated = evaluate_forwardref(ForwardRef(annotation), globalns, globalns)
    return None if evaluated is type(None) else evaluated


def _globals_of(call: Callable[..., Any]) -> dict[str, Any]:
    return getattr(inspect.unwrap(call), "__globals__", {})


def get_typed_signature(call: Callable[..., Any]) -> inspect.Signature:
    """Return the parameters of a callable with their annotations evaluated."""
    globalns = _globals_of(call)
    parameters = [
        inspect.Parameter(
            name=param.name,
            kind=param.kind,
            default=param.default,
            annotation=get_typed_annotation(param.annotation, globalns),
        )
        for param in _signature(call).parameters.values()
    ]
    return inspect.Signature(parameters)


def get_typed_return_annotation(call: Callable[..., Any]) -> Any:
    """Return the evaluated return annotation of a callable, None without one."""
    annotation = _signature(call).return_annotation
    if annotation is inspect.Signature.empty:
        return None
    return get_typed_annotation(annotation, _globals_of(call))


def get_stream_item_type(annotation: Any) -> Any | None:
    """Return X of `AsyncIterable[X]` and its like, Any where X is not said, None for anything else."""
    if get_origin(annotation) not in _STREAMS:
        return None
    arguments = get_args(annotation)
    return arguments[0] if arguments else Any


def add_non_field_param_to_dependency(
    *, param_name: str, type_annotation: Any, dependant: Dependant
) -> bool | None:
    """Note the parameter that receives the request, the response …; None for a parameter read from the
    request.
    """
    for cls, attribute in _SPECIAL:
        if lenient_issubclass(type_annotation, cls):
            # Not a change of anything a plan was made from: the dependant is not finished yet.
            object.__setattr__(dependant, attribute, param_name)
            return True
    return None


def add_param_to_fields(*, field: ModelField, dependant: Dependant) -> None:
    """File a field under the part of the request it comes from."""
    source = getattr(field.field_info, "in_", None)
    fields = {
        params.ParamTypes.path: dependant.path_params,
        params.ParamTypes.query: dependant.query_params,
        params.ParamTypes.header: dependant.header_params,
        params.ParamTypes.cookie: dependant.cookie_params,
    }
    assert source in fields, f"non-body parameters must be in path, query, header or cookie: {field.name}"
    list.append(fields[source], field)


def _check_scope(dependant: Dependant, depends: params.Depends) -> None:
    """Refuse a dependency that is closed before the generator that uses it."""
    generators = (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)
    outlives = call_kind(dependant.call) in generators and computed_scope(dependant) == "request"
    if outlives and depends.scope == "function":
        name = getattr(dependant.call, "__name__", "<unnamed_callable>")
        raise DependencyScopeError(
            f'The dependency "{name}" has a scope of "request", '
            'it cannot depend on dependencies with scope "function".'
        )


def _own_scopes(depends: params.Depends) -> list[str]:
    return list(depends.scopes or []) if isinstance(depends, params.Security) else []


def get_parameterless_sub_dependant(*, depends: params.Depends, path: str) -> Dependant:
    """Return the dependant of an entry of `dependencies=[…]`, whose value nobody receives."""
    assert callable(depends.dependency), "A parameter-less dependency must have a callable dependency"
    return get_dependant(
        path=path,
        call=depends.dependency,
        scope=depends.scope,
        concurrency=depends._concurrency,
        own_oauth_scopes=_own_scopes(depends),
    )


def get_dependant(
    *,
    path: str,
    call: Callable[..., Any],
    name: str | None = None,
    own_oauth_scopes: list[str] | None = None,
    parent_oauth_scopes: list[str] | None = None,
    use_cache: bool = True,
    scope: DependencyScope | None = None,
    concurrency: DependencyLimit | None = None,
) -> Dependant:
    """Analyse a callable and everything it depends on."""
    dependant = Dependant(
        call=call,
        name=name,
        path=path,
        use_cache=use_cache,
        scope=scope,
        concurrency=concurrency,
        own_oauth_scopes=own_oauth_scopes,
        parent_oauth_scopes=parent_oauth_scopes,
    )
    scopes = (parent_oauth_scopes or []) + (own_oauth_scopes or [])
    path_names = PathNames.of(path)
    signature = get_typed_signature(call)
    _warn_of_hidden_signature(call, signature)
    for param in signature.parameters.values():
        try:
            _add_parameter(dependant, param, path_names, scopes)
        except Exception as refused:
            refused.add_note(f"parameter {param.name!r} of {described(call)}")
            raise
    return dependant


def _warn_of_hidden_signature(call: Callable[..., Any], signature: inspect.Signature) -> None:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    names = [param.name for param in signature.parameters.values() if param.kind in variable]
    if names:
        listed = " and ".join(names)
        warnings.warn(
            f"{described(call)} takes any arguments, so requests need the query parameters {listed}. "
            "If it is the wrapper in a decorator, put @functools.wraps(function) on it: "
            "then the parameters of the function that it wraps are read",
            stacklevel=2,
        )


def _add_parameter(
    dependant: Dependant, param: inspect.Parameter, path_names: PathNames, scopes: Sequence[str]
) -> None:
    details = analyze_param(
        param_name=param.name,
        annotation=param.annotation,
        value=param.default,
        path_param_names=path_names,
    )
    if details.depends is not None:
        depends = details.depends
        assert depends.dependency
        _check_scope(dependant, depends)
        below = get_dependant(
            path=dependant.path or "",
            call=depends.dependency,
            name=param.name,
            own_oauth_scopes=_own_scopes(depends),
            parent_oauth_scopes=list(scopes),
            use_cache=depends.use_cache,
            scope=depends.scope,
            concurrency=depends._concurrency,
        )
        list.append(dependant.dependencies, below)
    elif add_non_field_param_to_dependency(
        param_name=param.name, type_annotation=details.type_annotation, dependant=dependant
    ):
        assert details.field is None, f"Cannot specify multiple FastAPI annotations for {param.name!r}"
    else:
        assert details.field is not None
        if isinstance(details.field.field_info, params.Body):
            list.append(dependant.body_params, details.field)
        else:
            add_param_to_fields(field=details.field, dependant=dependant)
