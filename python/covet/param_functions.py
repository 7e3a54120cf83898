"""The functions by which signatures declare parameters: `q: str = Query(max_length=5)`.

Each makes the class of the same name in `covet.params`; they are functions so that type checkers accept the
result as the default of a parameter of any type. They hold no logic.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, Unpack

from covet import params
from covet.params import ParamOptions, param_signature
from covet.validation.fields import Undefined

__all__ = ["Body", "Cookie", "Depends", "File", "Form", "Header", "Path", "Query", "Security"]


def Path(default: Any = ..., **options: Unpack[ParamOptions]) -> Any:
    """Declare a value of the path: `item_id: Annotated[int, Path(ge=1)]`."""
    return params.Path(default, **options)


def Query(default: Any = Undefined, **options: Unpack[ParamOptions]) -> Any:
    """Declare a value of the query string: `q: Annotated[str | None, Query(max_length=50)] = None`."""
    return params.Query(default, **options)


def Header(
    default: Any = Undefined, *, convert_underscores: bool = True, **options: Unpack[ParamOptions]
) -> Any:
    """Declare a value of the headers: `x_token: Annotated[str, Header()]` reads `x-token`."""
    return params.Header(default, convert_underscores=convert_underscores, **options)


def Cookie(default: Any = Undefined, **options: Unpack[ParamOptions]) -> Any:
    """Declare a value of the cookies: `session: Annotated[str | None, Cookie()] = None`."""
    return params.Cookie(default, **options)


def Body(
    default: Any = Undefined,
    *,
    embed: bool | None = None,
    media_type: str = params.Body._media_type,
    **options: Unpack[ParamOptions],
) -> Any:
    """Declare the body, or with `embed` one key of it: `importance: Annotated[int, Body()]`."""
    return params.Body(default, embed=embed, media_type=media_type, **options)


def Form(
    default: Any = Undefined, *, media_type: str = params.Form._media_type, **options: Unpack[ParamOptions]
) -> Any:
    """Declare a field of a form: `username: Annotated[str, Form()]`."""
    return params.Form(default, media_type=media_type, **options)


def File(
    default: Any = Undefined, *, media_type: str = params.File._media_type, **options: Unpack[ParamOptions]
) -> Any:
    """Declare an uploaded file: `data: Annotated[bytes, File()]`."""
    return params.File(default, media_type=media_type, **options)


def Depends(
    dependency: Callable[..., Any] | None = None,
    *,
    use_cache: bool = True,
    scope: Literal["function", "request"] | None = None,
    max_concurrency: int | None = None,
) -> Any:
    """Declare a value made by calling `dependency`: `user: Annotated[User, Depends(current_user)]`.

    Without a dependency the parameter's type is called. See `covet.params.Depends` for the options.
    """
    return params.Depends(dependency, use_cache, scope, max_concurrency=max_concurrency)


def Security(
    dependency: Callable[..., Any] | None = None,
    *,
    scopes: Sequence[str] | None = None,
    use_cache: bool = True,
) -> Any:
    """Declare a dependency that asks for OAuth2 scopes: `Security(current_user, scopes=["items"])`."""
    return params.Security(dependency, use_cache, scopes=scopes)


_EXTRA: dict[Callable[..., Any], list[tuple[str, Any, str]]] = {
    Header: [("convert_underscores", True, "title")],
    Body: [("embed", None, "alias"), ("media_type", params.Body._media_type, "alias")],
    Form: [("media_type", params.Form._media_type, "alias")],
    File: [("media_type", params.File._media_type, "alias")],
}
for _function in (Path, Query, Header, Cookie, Body, Form, File):
    _default = inspect.signature(_function).parameters["default"].default
    _function.__signature__ = param_signature(_default, _EXTRA.get(_function, ()), method=False)  # type: ignore[attr-defined]
