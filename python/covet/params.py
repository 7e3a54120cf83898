"""What a parameter of a handler can declare: `Query()`, `Path()`, `Header()`, `Cookie()`, `Body()`, `Form()`,
`File()`, `Depends()` and `Security()` as classes of plain data.

Written in signatures by users, through the functions of `covet.param_functions`; read by
`covet.dependencies`. All share one table of options, from which their signatures are made.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from pydantic import AliasChoices, AliasPath, Discriminator
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict, deprecated

from covet.datastructures.default import _Unset
from covet.dependency_limit import DependencyLimit
from covet.exceptions import FastAPIDeprecationWarning
from covet.late_names import late_names
from covet.validation.fields import Undefined

if TYPE_CHECKING:
    from covet.param_example import Example

__all__ = [
    "Body",
    "Cookie",
    "Depends",
    "Example",
    "File",
    "Form",
    "Header",
    "Param",
    "ParamOptions",
    "ParamTypes",
    "Path",
    "Query",
    "Security",
    "param_signature",
]


__getattr__, __dir__ = late_names(globals(), {"Example": "covet.param_example"})


class ParamTypes(Enum):
    """Where a parameter comes from."""

    query = "query"
    header = "header"
    path = "path"
    cookie = "cookie"


class ParamOptions(TypedDict, total=False):
    """What every parameter declaration accepts, beside its default.

    The bounds, lengths and `pattern` become pydantic constraints; `alias` is the name clients use;
    `openapi_examples`, `example`, `deprecated`, `include_in_schema` and `json_schema_extra` only concern
    the generated document. `regex` and `example` are deprecated in favour of `pattern` and `examples`.
    """

    default_factory: Callable[[], Any] | None
    annotation: Any | None
    alias: str | None
    alias_priority: int | None
    validation_alias: str | AliasPath | AliasChoices | None
    serialization_alias: str | None
    title: str | None
    description: str | None
    gt: float | None
    ge: float | None
    lt: float | None
    le: float | None
    min_length: int | None
    max_length: int | None
    pattern: str | re.Pattern[str] | None
    regex: str | None
    discriminator: str | Discriminator | None
    strict: bool | None
    validate_default: bool | None
    union_mode: Literal["smart", "left_to_right"] | None
    fail_fast: bool | None
    multiple_of: float | None
    allow_inf_nan: bool | None
    max_digits: int | None
    decimal_places: int | None
    examples: list[Any] | None
    example: Any | None
    openapi_examples: dict[str, Example] | None
    deprecated: deprecated | str | bool | None
    include_in_schema: bool
    json_schema_extra: dict[str, Any] | Callable[[dict[str, Any]], None] | None


# The options in the order of their signature, with the defaults that are not "not given".
_DEFAULTS: dict[str, Any] = dict.fromkeys(ParamOptions.__annotations__, _Unset) | {
    "annotation": None,
    "gt": None,
    "ge": None,
    "lt": None,
    "le": None,
    "min_length": None,
    "max_length": None,
    "pattern": None,
    "regex": None,
    "openapi_examples": None,
    "include_in_schema": True,
}
# Options that pydantic's FieldInfo takes under the same name.
_PYDANTIC_OPTIONS = [
    name for name in _DEFAULTS if name not in {"regex", "example", "openapi_examples", "include_in_schema"}
]


def _option(name: str, default: Any) -> inspect.Parameter:
    annotation = ParamOptions.__annotations__.get(name, Any)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


# All signatures share these; making them anew for each would take a third of this module's import.
_PARAMETERS = {name: _option(name, default) for name, default in _DEFAULTS.items()}


def param_signature(
    default: Any,
    extra: Iterable[tuple[str, Any, str]] = (),
    *,
    method: bool = True,
) -> inspect.Signature:
    """Return the signature of a declaration; `extra` are options of its own: name, default, what it stands
    before.
    """
    names = [name for name in _DEFAULTS if method or name != "annotation"]
    options = [(name, _DEFAULTS[name]) for name in names]
    for name, value, before in extra:
        index = next(i for i, (known, _) in enumerate(options) if known == before)
        options.insert(index, (name, value))
    first = inspect.Parameter(
        "default", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=Any
    )
    parameters = [first, *(_PARAMETERS.get(name) or _option(name, value) for name, value in options)]
    if method:
        parameters.insert(0, inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD))
    return inspect.Signature(parameters)


def _warn(message: str) -> None:
    # The user's own line is where the declaration function was called: covet's frames are skipped.
    warnings.warn(message, category=FastAPIDeprecationWarning, stacklevel=6)


def _field_arguments(declaration: FieldInfo, default: Any, options: ParamOptions) -> dict[str, Any]:
    """Return what FieldInfo gets of a declaration, after the options that are not pydantic's were set on
    it.
    """
    unknown = options.keys() - _DEFAULTS.keys()
    if unknown:
        name = type(declaration).__name__
        raise TypeError(f"{name}.__init__() got an unexpected keyword argument {min(unknown)!r}")
    given: dict[str, Any] = {**_DEFAULTS, **options}
    if given["example"] is not _Unset:
        _warn("`example` has been deprecated, please use `examples` instead")
    if given["regex"] is not None:
        _warn("`regex` has been deprecated, please use `pattern` instead")
    for name in ("example", "include_in_schema", "openapi_examples"):
        setattr(declaration, name, given[name])
    given["pattern"] = given["pattern"] or given["regex"]
    alias = given["alias"]
    if given["serialization_alias"] in (_Unset, None) and isinstance(alias, str):
        given["serialization_alias"] = alias
    if given["validation_alias"] in (_Unset, None):
        given["validation_alias"] = alias
    arguments = {name: given[name] for name in _PYDANTIC_OPTIONS if given[name] is not _Unset}
    return {"default": default, **arguments}


class Param(FieldInfo):  # type: ignore[misc]
    """A value from the path, query, headers or cookies."""

    in_: ParamTypes
    example: Any
    include_in_schema: bool
    openapi_examples: dict[str, Example] | None

    def __init__(self, default: Any = Undefined, **options: Unpack[ParamOptions]) -> None:
        super().__init__(**_field_arguments(self, default, options))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.default})"


class Path(Param):  # type: ignore[misc]
    """A value from the path; always required."""

    in_ = ParamTypes.path

    def __init__(self, default: Any = ..., **options: Unpack[ParamOptions]) -> None:
        assert default is ..., "Path parameters cannot have a default value"
        self.in_ = self.in_
        super().__init__(default, **options)


class Query(Param):  # type: ignore[misc]
    """A value from the query string."""

    in_ = ParamTypes.query

    def __init__(self, default: Any = Undefined, **options: Unpack[ParamOptions]) -> None:
        super().__init__(default, **options)


class Header(Param):  # type: ignore[misc]
    """A value from the headers; underscores of the name stand for hyphens unless told otherwise."""

    in_ = ParamTypes.header

    def __init__(
        self, default: Any = Undefined, *, convert_underscores: bool = True, **options: Unpack[ParamOptions]
    ) -> None:
        self.convert_underscores = convert_underscores
        super().__init__(default, **options)


class Cookie(Param):  # type: ignore[misc]
    """A value from the cookies."""

    in_ = ParamTypes.cookie

    def __init__(self, default: Any = Undefined, **options: Unpack[ParamOptions]) -> None:
        super().__init__(default, **options)


class Body(FieldInfo):  # type: ignore[misc]
    """A value from the body; `embed` asks for it under its own name even when it is the only one."""

    _media_type: ClassVar[str] = "application/json"
    example: Any
    include_in_schema: bool
    openapi_examples: dict[str, Example] | None

    def __init__(
        self,
        default: Any = Undefined,
        *,
        embed: bool | None = None,
        media_type: str | None = None,
        **options: Unpack[ParamOptions],
    ) -> None:
        self.embed = embed
        self.media_type = self._media_type if media_type is None else media_type
        super().__init__(**_field_arguments(self, default, options))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.default})"


class Form(Body):  # type: ignore[misc]
    """A field of a form."""

    _media_type = "application/x-www-form-urlencoded"

    def __init__(
        self, default: Any = Undefined, *, media_type: str | None = None, **options: Unpack[ParamOptions]
    ) -> None:
        super().__init__(default, media_type=media_type, **options)


class File(Form):  # type: ignore[misc]
    """An uploaded file of a form."""

    _media_type = "multipart/form-data"

    def __init__(
        self, default: Any = Undefined, *, media_type: str | None = None, **options: Unpack[ParamOptions]
    ) -> None:
        super().__init__(default, media_type=media_type, **options)


def _announce_signatures() -> None:
    """Give each declaration the signature that its options amount to."""
    plain = param_signature(Undefined)
    signatures = {
        Param: plain,
        Path: param_signature(...),
        Query: plain,
        Header: param_signature(Undefined, [("convert_underscores", True, "title")]),
        Cookie: plain,
        Body: param_signature(
            Undefined, [("embed", None, "alias"), ("media_type", Body._media_type, "alias")]
        ),
        Form: param_signature(Undefined, [("media_type", Form._media_type, "alias")]),
        File: param_signature(Undefined, [("media_type", File._media_type, "alias")]),
    }
    for declaration, signature in signatures.items():
        vars(declaration)["__init__"].__signature__ = signature


_announce_signatures()


def _not_callable(given: Any) -> str:
    """Say what is wrong with a dependency that was called instead of named."""
    if inspect.iscoroutine(given) or inspect.isgenerator(given) or inspect.isasyncgen(given):
        name = given.__qualname__
        if inspect.iscoroutine(given):
            given.close()  # nobody will await it
        return (
            f"Depends({name}()) calls {name} here, once. Leave the parentheses out, Depends({name}): "
            "it is called for each request"
        )
    return (
        f"Depends() takes a callable, not {given!r:.80}. If a call made it, as in Depends(get_settings()), "
        "leave the parentheses out"
    )


@dataclass(frozen=True)
class Depends:
    """A value made by calling `dependency`, whose own parameters are filled the same way.

    `use_cache=False` calls it again for each place that asks; `scope` says whether a generator is closed when
    the handler returns ("function") or when the response was sent ("request"); `max_concurrency` bounds how
    many calls of it run at once.
    """

    dependency: Callable[..., Any] | None = None
    use_cache: bool = True
    scope: Literal["function", "request"] | None = None
    max_concurrency: int | None = field(default=None, kw_only=True)
    _concurrency: DependencyLimit | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.dependency is not None and not callable(self.dependency):
            raise TypeError(_not_callable(self.dependency))
        wanted = self.max_concurrency
        if wanted is None:
            object.__setattr__(self, "_concurrency", None)
            return
        if type(wanted) is not int or wanted < 1:
            raise ValueError("max_concurrency must be a positive integer or None")
        if self._concurrency is None or self._concurrency.max_concurrency != wanted:
            object.__setattr__(self, "_concurrency", DependencyLimit(wanted))


@dataclass(frozen=True)
class Security(Depends):
    """A dependency that also asks for OAuth2 scopes."""

    scopes: Sequence[str] | None = None
