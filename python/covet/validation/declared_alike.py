"""When two fields may share a validator: they are declared alike, and all of the declaration is plain data.

Applications declare `limit: int = Query(10, ge=1)` for route after route, and a validator takes as long to
build as many requests to answer. Equality would not do: `1 == True`, `int | str == str | int` and `Ge(1) ==
Ge(1.0)`, but errors and documents tell them apart. So keys are made of types and texts, in their order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from types import GenericAlias, NoneType
from typing import Any, get_args, get_origin

from pydantic_core import PydanticUndefined

from covet.validation.annotations import is_union

__all__ = ["declaration_key"]

_PLAIN = frozenset({NoneType, bool, bytes, float, int, str, type(PydanticUndefined)})
_SCALARS = frozenset({NoneType, bool, bytes, float, int, str})
_CONTAINERS = frozenset({dict, frozenset, list, set, tuple})
# The bounds of annotated_types, which comes with pydantic, and the attribute that each consists of.
_BOUNDS = {
    "Ge": "ge",
    "Gt": "gt",
    "Le": "le",
    "Lt": "lt",
    "MaxLen": "max_length",
    "MinLen": "min_length",
    "MultipleOf": "multiple_of",
}


def declaration_key(
    annotation: Any, metadata: Iterable[Any], attributes: Iterable[tuple[str, Any]]
) -> Hashable | None:
    """Return what fields have in common that are declared alike, and only they; None where that is not sure.

    Args:
        annotation: the type without `Annotated`.
        metadata: the bounds that stood beside it.
        attributes: whatever else pydantic is told of the field.
    """
    parts = [_annotation_key(annotation), *map(_bound_key, metadata)]
    parts += [_value_key(name, value) for name, value in attributes]
    return None if None in parts else tuple(parts)


def _annotation_key(annotation: Any) -> Hashable | None:
    if isinstance(annotation, type) and not isinstance(annotation, GenericAlias):
        return annotation if annotation in _SCALARS or annotation in _CONTAINERS else None
    origin = get_origin(annotation)
    if not is_union(origin) and origin not in _CONTAINERS:
        return None
    arguments = [Ellipsis if each is Ellipsis else _annotation_key(each) for each in get_args(annotation)]
    return None if None in arguments else ("union" if is_union(origin) else origin, *arguments)


def _bound_key(bound: Any) -> Hashable | None:
    kind = type(bound)
    name = _BOUNDS.get(kind.__name__) if kind.__module__ == "annotated_types" else None
    return None if name is None else _value_key(kind.__name__, getattr(bound, name))


def _value_key(name: str, value: Any) -> Hashable | None:
    return (name, type(value), repr(value)) if type(value) in _PLAIN else None
