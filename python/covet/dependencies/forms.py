"""Forms: which parameters are models spread over a form, which union branch a form means, how files become
bytes.

Used by `body` while routes are declared and by `extract` for each request with a form.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Tag

from covet import params
from covet.datastructures.headers import Headers
from covet.datastructures.multidict import ImmutableMultiDict
from covet.datastructures.upload import FormData, UploadFile
from covet.dependencies.param_models import is_json_field, model_type, param_aliases
from covet.validation.annotations import (
    field_annotation_is_sequence,
    is_bytes_or_nonable_bytes_annotation,
    is_bytes_sequence_annotation,
    is_union,
    lenient_issubclass,
    value_is_sequence,
)
from covet.validation.fields import (
    ModelField,
    Undefined,
    get_cached_model_fields,
    serialize_sequence_value,
)

__all__ = [
    "add_form_union_validators",
    "extract_form_body",
    "extract_form_model",
    "file_bytes",
    "form_models",
    "form_union_models",
    "multidict_extras",
    "multidict_value",
]

FormItem = tuple[str, Any, ModelField | None]


def _is_empty_file(value: Any) -> bool:
    # What a browser sends for a file input that was left empty.
    return isinstance(value, UploadFile) and value.filename == "" and value.size == 0


def multidict_value(field: ModelField, values: Mapping[str, Any], alias: str) -> Any:
    """Return what came under a name, all of it for a sequence; `Undefined` for nothing, or an empty form
    field.
    """
    sequence = field_annotation_is_sequence(field.field_info.annotation)
    from_form = isinstance(values, FormData)
    value: Any
    if sequence and isinstance(values, (ImmutableMultiDict, Headers)) and not is_json_field(field):
        value = values.getlist(alias)
        if from_form:
            value = [item for item in value if not _is_empty_file(item)]
    else:
        value = values.get(alias)
    if value is None or (sequence and len(value) == 0):
        return Undefined
    if from_form and ((isinstance(value, str) and value == "") or _is_empty_file(value)):
        return Undefined
    return value


def multidict_extras(received: Mapping[str, Any], known: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield what came under other names: one value as itself, several as a list."""
    if isinstance(received, ImmutableMultiDict):
        items: Any = received.multi_items()
    elif isinstance(received, Headers):
        items = received.items()
    else:
        yield from ((key, value) for key, value in received.items() if key not in known)
        return
    grouped: dict[str, list[Any]] = {}
    for key, value in items:
        if key not in known:
            grouped.setdefault(key, []).append(value)
    for key, values in grouped.items():
        yield key, values[0] if len(values) == 1 else values


def form_union_models(annotation: Any) -> list[type[BaseModel]]:
    """Return the models of `A | B`, nothing for an annotation that has other branches too."""
    if not is_union(get_origin(annotation)):
        return []
    models = []
    for branch in get_args(annotation):
        if branch is type(None):
            continue
        if get_origin(branch) is Annotated:
            branch = get_args(branch)[0]
        if not lenient_issubclass(branch, BaseModel):
            return []
        models.append(branch)
    return models if len(models) > 1 else []


def add_form_union_validators(annotation: Any) -> Any:
    """Return the union with each branch made to read the form in its own way."""
    branches: list[Any] = []
    for branch in get_args(annotation):
        if branch is type(None):
            branches.append(branch)
            continue
        model: Any = branch
        metadata: tuple[Any, ...] = ()
        if get_origin(branch) is Annotated:
            model, *rest = get_args(branch)
            metadata = tuple(rest)
        tags = [item for item in metadata if isinstance(item, Tag)]
        tag = tags[-1] if tags else Tag(model.__name__)
        branches.append(Annotated[branch, BeforeValidator(partial(_as_model_form, model=model)), tag])
    return Union[tuple(branches)]  # noqa: UP007


def _as_model_form(value: Any, *, model: type[BaseModel]) -> Any:
    """Return the form's values as one model expects them: its sequences as lists, all else as single
    values.
    """
    if not isinstance(value, dict):
        return value
    pairs = [
        (key, item)
        for key, items in value.items()
        for item in (items if isinstance(items, list) else [items])
    ]
    form = FormData(pairs)
    normalized = {alias: item for alias, item, _ in _form_items(get_cached_model_fields(model), form)}
    for key, item in value.items():
        if item is None or (isinstance(item, list) and not item):
            normalized[key] = item
    return normalized


def form_models(field: ModelField) -> list[type[BaseModel]]:
    """Return the models whose attributes are spread over the form; empty for a field of its own."""
    info = field.field_info
    if not isinstance(info, params.Form) or info.embed or is_json_field(field):
        return []
    model = model_type(info.annotation)
    return form_union_models(info.annotation) if model is None else [model]


def _form_items(fields: Sequence[ModelField], form: FormData) -> Iterator[FormItem]:
    names: set[str] = set()
    for field in fields:
        for alias, _ in param_aliases(field):
            names.add(alias)
            value = multidict_value(field, form, alias)
            if value is not Undefined:
                yield alias, value, field
                break
    for key, value in multidict_extras(form, names):
        yield key, value, None


async def file_bytes(file: UploadFile) -> bytes:
    """Return what is left of an upload, and leave it where it was for whoever reads it as a file later."""
    position = file.file.tell()
    try:
        return await file.read()
    finally:
        await file.seek(position)


async def _file_value(field: ModelField, value: Any) -> Any:
    """Return what an upload is for a parameter that asks for bytes."""
    annotation = field.field_info.annotation
    if is_bytes_or_nonable_bytes_annotation(annotation) and isinstance(value, UploadFile):
        return await file_bytes(value)
    if is_bytes_sequence_annotation(annotation) and value_is_sequence(value):
        read = [await file_bytes(item) if isinstance(item, UploadFile) else item for item in value]
        return serialize_sequence_value(field=field, value=read)
    return value


async def extract_form_body(fields: Sequence[ModelField], form: FormData) -> AsyncIterator[FormItem]:
    """Yield name, value and field of everything in a form; the field is None for names nobody asked for."""
    for alias, value, field in _form_items(fields, form):
        if field is not None and isinstance(field.field_info, params.File):
            value = await _file_value(field, value)
        yield alias, value, field


def _is_supplied(model: type[BaseModel], form: FormData) -> bool:
    names = {alias for field in get_cached_model_fields(model) for alias, _ in param_aliases(field)}
    takes_any = model.model_config.get("extra") in ("allow", "forbid")
    return bool(names.intersection(form)) or (takes_any and bool(form))


async def extract_form_model(field: ModelField, models: list[type[BaseModel]], form: FormData) -> Any:
    """Return the part of a form that is for a model; `Undefined` when an optional model got nothing."""
    optional = type(None) in get_args(field.field_info.annotation)
    if optional and not any(_is_supplied(model, form) for model in models):
        return Undefined
    # The branches of a union each take the form apart themselves.
    fields = get_cached_model_fields(models[0]) if len(models) == 1 else []
    return {alias: value async for alias, value, _ in extract_form_body(fields, form)}
