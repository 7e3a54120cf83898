"""Every model and enumeration that a set of fields mentions, however deep: what the document has schemas
of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from covet.types import ModelNameMap
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField

__all__ = [
    "get_flat_models_from_annotation",
    "get_flat_models_from_field",
    "get_flat_models_from_fields",
    "get_flat_models_from_model",
    "get_model_name_map",
    "normalize_name",
]

ModelSet = set[type[BaseModel] | type[Enum]]


def normalize_name(name: str) -> str:
    """Return a class name with everything replaced that a reference may not contain."""
    return re.sub(r"[^a-zA-Z0-9.\-_]", "_", name)


def get_model_name_map(unique_models: ModelSet) -> ModelNameMap:
    """Return the document's name of each model; of models with one name, one is left."""
    by_name = {normalize_name(model.__name__): model for model in unique_models}
    return {model: name for name, model in by_name.items()}


def _add_class(cls: Any, known: ModelSet) -> None:
    if cls in known:
        return
    known.add(cls)
    if issubclass(cls, BaseModel):
        for info in cls.model_fields.values():
            _add_type(info.annotation, known)


def _add_type(annotation: Any, known: ModelSet) -> None:
    if lenient_issubclass(annotation, (BaseModel, Enum)):
        _add_class(annotation, known)
    elif get_origin(annotation) is not None:
        for argument in get_args(annotation):
            _add_type(argument, known)


def get_flat_models_from_model(model: type[BaseModel], known_models: ModelSet | None = None) -> ModelSet:
    """Add what the attributes of a model mention."""
    known = known_models or set()
    for info in model.model_fields.values():
        _add_type(info.annotation, known)
    return known


def get_flat_models_from_annotation(annotation: Any, known_models: ModelSet) -> ModelSet:
    """Add what stands in the brackets of an annotation."""
    if get_origin(annotation) is not None:
        _add_type(annotation, known_models)
    return known_models


def get_flat_models_from_field(field: ModelField, known_models: ModelSet) -> ModelSet:
    """Add what a field mentions."""
    _add_type(field.field_info.annotation, known_models)
    return known_models


def get_flat_models_from_fields(fields: Sequence[ModelField], known_models: ModelSet) -> ModelSet:
    """Add what several fields mention."""
    for field in fields:
        get_flat_models_from_field(field, known_models)
    return known_models
