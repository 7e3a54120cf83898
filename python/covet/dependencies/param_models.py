"""Pydantic models as groups of parameters: `filters: Annotated[Filters, Query()]`; and the names fields
answer to.

Used by the extraction of values, by forms and by the document. Nothing here looks at requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, Json

from covet import params
from covet.dependencies.models import Dependant, UsesScopesCache, cache_key
from covet.types import DependencyCacheKey
from covet.validation.annotations import is_union, lenient_issubclass
from covet.validation.fields import ModelField, get_cached_model_fields

__all__ = [
    "flat_fields",
    "get_flat_params",
    "get_validation_alias",
    "is_json_field",
    "model_type",
    "param_aliases",
    "param_model",
    "walk_dependants",
]


def is_json_field(field: ModelField) -> bool:
    """Say whether the value comes as JSON in a string (`Json`)."""
    return any(type(item) is Json for item in field.field_info.metadata)


def model_type(annotation: Any) -> type[BaseModel] | None:
    """Return the model of `Model` or `Model | None`."""
    if is_union(get_origin(annotation)):
        branches = get_args(annotation)
        if len(branches) == 2 and type(None) in branches:
            annotation = next(branch for branch in branches if branch is not type(None))
    return annotation if lenient_issubclass(annotation, BaseModel) else None


def param_model(field: ModelField) -> type[BaseModel] | None:
    """Return the model whose attributes are the real parameters, None for a parameter of its own."""
    annotation: Any = field.field_info.annotation
    if isinstance(field.field_info, (params.Query, params.Header, params.Cookie)):
        annotation = model_type(annotation)
    if lenient_issubclass(annotation, BaseModel) and not is_json_field(field):
        return annotation
    return None


def flat_fields(fields: Sequence[ModelField]) -> list[ModelField]:
    """Return the fields with each group of parameters replaced by its members."""
    flat: list[ModelField] = []
    for field in fields:
        model = param_model(field)
        flat.extend([field] if model is None else get_cached_model_fields(model))
    return flat


def walk_dependants(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a dependant and all below it, in order, each cached one once."""
    # A list, because a callable that ends a walk need not be hashable.
    visited: list[DependencyCacheKey] = []
    scopes: UsesScopesCache = {}
    waiting = [dependant]
    while waiting:
        current = waiting.pop()
        key = cache_key(current, scopes)
        if key not in visited:
            visited.append(key)
            yield current
            waiting.extend(reversed(current.dependencies))


def get_flat_params(dependant: Dependant) -> list[ModelField]:
    """Return every parameter of path, query, headers and cookies that a dependant needs, groups opened."""
    everything = list(walk_dependants(dependant))
    groups = ("path_params", "query_params", "header_params", "cookie_params")
    return flat_fields([field for group in groups for each in everything for field in getattr(each, group)])


def get_validation_alias(field: ModelField) -> str:
    """Return the name a field is read under."""
    return field.validation_alias or field.alias


def param_aliases(field: ModelField, *, convert_underscores: bool = False) -> list[tuple[str, str]]:
    """Return the names a field answers to, in order: as pydantic knows it and as the request spells it."""
    alias = get_validation_alias(field)
    spelled = alias
    if convert_underscores and alias == field.name:
        spelled = alias.replace("_", "-")
    aliases = [(alias, spelled)]
    declared = field.field_info.validation_alias
    if isinstance(field.field_info, params.Path) or isinstance(declared, AliasPath):
        return aliases
    if isinstance(declared, AliasChoices):
        if any(isinstance(choice, AliasPath) for choice in declared.choices):
            return aliases
        aliases = [(choice, choice) for choice in cast(list[str], declared.choices)]
    return _with_own_name(field, aliases, convert_underscores)


def _with_own_name(
    field: ModelField, aliases: list[tuple[str, str]], convert_underscores: bool
) -> list[tuple[str, str]]:
    """Add the field's own name where its model's configuration accepts it."""
    config = field.config or {}
    only_name = config.get("validate_by_alias") is False
    if not only_name and not config.get("validate_by_name", config.get("populate_by_name", False)):
        return aliases
    own = (field.name, field.name.replace("_", "-") if convert_underscores else field.name)
    if only_name:
        return [own]
    return aliases if field.name in [alias for alias, _ in aliases] else [*aliases, own]
