"""`ModelField`: one named value with its pydantic validator and serialiser.

Made for every parameter, body and response while routes are declared; used by `dependencies` to validate, by
`routing` to serialise and by `openapi` to describe. The validator is built at the first use when the
annotation cannot be refused by pydantic, so that declaring a route stays cheap.
"""

from __future__ import annotations

import datetime
import decimal
import types
import uuid
import warnings
from collections.abc import Hashable, Sequence
from copy import copy
from dataclasses import dataclass, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, ForwardRef, Literal, cast, get_args, get_origin, get_type_hints
from weakref import WeakValueDictionary

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic.warnings import UnsupportedFieldAttributeWarning
from pydantic_core import CoreSchema, PydanticUndefined

from covet.exceptions import FastAPIError, PydanticV1NotSupportedError
from covet.types import IncEx
from covet.validation.annotations import (
    annotation_is_pydantic_v1,
    is_union,
    lenient_issubclass,
    sequence_annotation_to_type,
    sequence_types,
)
from covet.validation.declared_alike import declaration_key
from covet.validation.errors import error_with_prefix

__all__ = [
    "ModelField",
    "RequiredParam",
    "Undefined",
    "copy_field_info",
    "create_body_model",
    "create_model_field",
    "evaluate_forwardref",
    "get_cached_model_fields",
    "get_model_fields",
    "serialize_sequence_value",
]

RequiredParam: Any = PydanticUndefined
Undefined: Any = PydanticUndefined

# What a pydantic field knows beside its annotation and metadata; a copy made with `Field(**…)` needs all of
# it.
_FIELD_ATTRIBUTES = (
    "default",
    "default_factory",
    "alias",
    "alias_priority",
    "validation_alias",
    "serialization_alias",
    "title",
    "field_title_generator",
    "description",
    "examples",
    "exclude",
    "exclude_if",
    "discriminator",
    "deprecated",
    "json_schema_extra",
    "frozen",
    "validate_default",
    "repr",
    "init",
    "init_var",
    "kw_only",
)
# What pydantic heeds in the attributes of models only.
_MEANT_FOR_ATTRIBUTES = {"alias", "alias_priority", "validation_alias", "serialization_alias", "repr"}
_NEVER_REFUSED = frozenset(
    {
        bool,
        bytes,
        float,
        int,
        str,
        type(None),
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        decimal.Decimal,
        uuid.UUID,
    }
)
_CONTAINERS = frozenset({list, set, frozenset, dict, tuple})
# Of fields that are declared alike; an adapter lives as long as one of them.
_shared_adapters: WeakValueDictionary[Hashable, TypeAdapter[Any]] = WeakValueDictionary()


def _field_attributes(field_info: FieldInfo) -> dict[str, Any]:
    found = {name: getattr(field_info, name, Undefined) for name in _FIELD_ATTRIBUTES}
    return {name: value for name, value in found.items() if value is not Undefined}


def _model_schema(field_info: FieldInfo) -> CoreSchema | None:
    """Return the schema of the model that a field is, when nothing more is said of it."""
    model = field_info.annotation
    if not lenient_issubclass(model, BaseModel) or field_info.metadata:
        return None
    attributes = _field_attributes(field_info)
    said = {name for name, value in attributes.items() if value is not None or name == "default"}
    said -= _MEANT_FOR_ATTRIBUTES
    schema = vars(model).get("__pydantic_core_schema__")
    # A schema that is no dict stands for one still to be made.
    return schema if not said and type(schema) is dict else None


def _never_refused(annotation: Any) -> bool:
    """Say whether pydantic surely builds a validator for an annotation, so that building may wait."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if annotation in _NEVER_REFUSED:
            return True
        if issubclass(annotation, BaseModel):
            return bool(getattr(annotation, "__pydantic_complete__", False))
        return issubclass(annotation, Enum) and bool(annotation.__members__)
    origin = get_origin(annotation)
    if is_union(origin) or origin in _CONTAINERS:
        return all(_never_refused(arg) for arg in get_args(annotation) if arg is not Ellipsis)
    return False


@dataclass(eq=False)
class ModelField:
    """A pydantic field under a name, for input (`validation`) or output (`serialization`).

    Fields are compared by identity: two parameters of equal type are still two parameters.
    """

    field_info: FieldInfo
    name: str
    mode: Literal["validation", "serialization"] = "validation"
    config: ConfigDict | None = None

    def __post_init__(self) -> None:
        self._adapter: TypeAdapter[Any] | None = None
        simple = not self.field_info.metadata and self.field_info.discriminator is None
        if not simple or not _never_refused(self.field_info.annotation):
            self._adapter = self._build_adapter()

    @property
    def _type_adapter(self) -> TypeAdapter[Any]:
        if self._adapter is None:
            self._adapter = self._build_adapter()
        return self._adapter

    @property
    def core_schema(self) -> CoreSchema:
        """What pydantic makes of the declaration. That of a bare model is the model's own: no validator is
        built for it.
        """
        own = _model_schema(self.field_info) if self.config is None else None
        return self._type_adapter.core_schema if own is None else own

    def _build_adapter(self) -> TypeAdapter[Any]:
        info = self.field_info
        key = None
        if self.config is None:
            key = declaration_key(info.annotation, info.metadata, _field_attributes(info).items())
        if key is None:
            return self._new_adapter()
        known = _shared_adapters.get(key)
        if known is None:
            known = _shared_adapters[key] = self._new_adapter()
        return known

    def _new_adapter(self) -> TypeAdapter[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=UnsupportedFieldAttributeWarning)
            described = Field(**_field_attributes(self.field_info))
            parts = (self.field_info.annotation, *self.field_info.metadata, described)
            return TypeAdapter(cast(Any, Annotated[parts]), config=self.config)

    @property
    def alias(self) -> str:
        """The name by which clients know the value."""
        alias = self.field_info.alias
        return self.name if alias is None else alias

    @property
    def validation_alias(self) -> str | None:
        """The name clients use on input, when it was given as a plain string."""
        alias = self.field_info.validation_alias
        return alias if isinstance(alias, str) and alias else None

    @property
    def serialization_alias(self) -> str | None:
        """The name clients see on output, when one was given."""
        return self.field_info.serialization_alias or None

    @property
    def default(self) -> Any:
        """The value taken when none came, or `Undefined`."""
        return self.get_default()

    def get_default(self) -> Any:
        """Return the default, calling its factory; `Undefined` for a required field."""
        if self.field_info.is_required():
            return Undefined
        return self.field_info.get_default(call_default_factory=True)

    def validate(
        self, value: Any, values: dict[str, Any] | None = None, *, loc: tuple[int | str, ...] = ()
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Return the validated value and no errors, or None and the errors; never raise ValidationError."""
        try:
            return self._type_adapter.validate_python(value, from_attributes=True), []
        except ValidationError as error:
            return None, error_with_prefix(error.errors(include_url=False), loc)

    def serialize(
        self,
        value: Any,
        *,
        mode: Literal["json", "python"] = "json",
        include: IncEx | None = None,
        exclude: IncEx | None = None,
        by_alias: bool = True,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> Any:
        """Return a validated value as plain data."""
        return self._type_adapter.dump_python(
            value,
            mode=mode,
            include=cast(Any, include),
            exclude=cast(Any, exclude),
            by_alias=by_alias,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )

    def serialize_json(
        self,
        value: Any,
        *,
        include: IncEx | None = None,
        exclude: IncEx | None = None,
        by_alias: bool = True,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> bytes:
        """Return a validated value as JSON bytes."""
        return self._type_adapter.dump_json(
            value,
            include=cast(Any, include),
            exclude=cast(Any, exclude),
            by_alias=by_alias,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )


_REFUSED = (
    "Invalid args for response field! Hint: check that {type_} is a valid Pydantic field type. "
    "If you are using a return type annotation that is not a valid Pydantic field "
    "(e.g. Union[Response, dict, None]) you can disable generating the response model from the type "
    "annotation with the path operation decorator parameter response_model=None. "
    "Read more: https://fastapi.tiangolo.com/tutorial/response-model/"
)


def create_model_field(
    name: str,
    type_: Any,
    default: Any | None = Undefined,
    field_info: FieldInfo | None = None,
    alias: str | None = None,
    mode: Literal["validation", "serialization"] = "validation",
) -> ModelField:
    """Make a field of any annotation; raise FastAPIError for what pydantic refuses."""
    if annotation_is_pydantic_v1(type_):
        raise PydanticV1NotSupportedError(
            "pydantic.v1 models are no longer supported by FastAPI."
            f" Please update the response model {type_!r}."
        )
    if field_info is None:
        field_info = FieldInfo(annotation=type_, default=default, alias=alias)
    try:
        return ModelField(mode=mode, name=name, field_info=field_info)
    except PydanticSchemaGenerationError:
        raise FastAPIError(_REFUSED.format(type_=type_)) from None


def evaluate_forwardref(
    value: ForwardRef, globalns: dict[str, Any] | None = None, localns: dict[str, Any] | None = None
) -> Any:
    """Return what a forward reference names, or the reference itself where that is not defined yet."""
    holder = types.SimpleNamespace(__annotations__={"value": value})
    try:
        return get_type_hints(holder, globalns, localns, include_extras=True)["value"]
    except NameError:
        return value


def copy_field_info(*, field_info: FieldInfo, annotation: Any) -> FieldInfo:
    """Return `field_info`, which stood in `Annotated`, with all that the annotation's metadata adds to it."""
    merged = type(field_info).from_annotation(annotation)
    result = copy(field_info)
    for name, value in _field_attributes(merged).items():
        setattr(result, name, value)
    result._attributes_set = merged._attributes_set.copy()
    result.metadata = merged.metadata
    result.annotation = merged.annotation
    return result


def serialize_sequence_value(*, field: ModelField, value: Any) -> Sequence[Any]:
    """Return the items as the kind of sequence that the field's annotation asks for."""
    annotation: Any = field.field_info.annotation
    if is_union(get_origin(annotation)):
        annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
    origin = get_origin(annotation) or annotation
    assert issubclass(origin, sequence_types)
    return cast(Sequence[Any], sequence_annotation_to_type[origin](value))


def create_body_model(
    *, fields: Sequence[ModelField], model_name: str, config: ConfigDict | None = None
) -> type[BaseModel]:
    """Return a model with one attribute for each field: the shape of a body of several parameters."""
    attributes: dict[str, Any] = {
        field.name: (field.field_info.annotation, field.field_info) for field in fields
    }
    model: type[BaseModel] = create_model(model_name, __config__=config, **attributes)
    return model


def get_model_fields(model: type[BaseModel]) -> list[ModelField]:
    """Return a field for each attribute of a model, with the model's configuration where it matters."""
    fields = []
    for name, field_info in model.model_fields.items():
        annotation = field_info.annotation
        own_config = lenient_issubclass(annotation, (BaseModel, dict)) or is_dataclass(annotation)
        config = None if own_config else model.model_config
        fields.append(ModelField(field_info=field_info, name=name, config=config))
    return fields


@lru_cache
def get_cached_model_fields(model: type[BaseModel]) -> list[ModelField]:
    """Return `get_model_fields(model)`, remembered."""
    return get_model_fields(model)
