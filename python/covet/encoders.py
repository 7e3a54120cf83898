"""`jsonable_encoder`: any object as what `json.dumps` accepts.

Used for every answer without a response model and for every document; the native JSON writer gives the same
bytes.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import PurePath
from types import GeneratorType
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel
from pydantic_core import PydanticUndefinedType

from covet.cycles import cycle_in
from covet.exceptions import PydanticV1NotSupportedError
from covet.late_names import late_names
from covet.types import IncEx
from covet.validation.annotations import is_pydantic_v1_model_instance

if TYPE_CHECKING:
    from covet.encoder_table import (
        ENCODERS_BY_TYPE,
        decimal_encoder,
        generate_encoders_by_class_tuples,
        isoformat,
    )

__all__ = [
    "ENCODERS_BY_TYPE",
    "decimal_encoder",
    "generate_encoders_by_class_tuples",
    "isoformat",
    "jsonable_encoder",
]


_TABLE_NAMES = (
    "ENCODERS_BY_TYPE",
    "decimal_encoder",
    "encoders_by_class_tuples",
    "generate_encoders_by_class_tuples",
    "isoformat",
)
__getattr__, __dir__ = late_names(globals(), dict.fromkeys(_TABLE_NAMES, "covet.encoder_table"))
# Looked up here at each use: users replace the tables as well as their entries.
_HERE = sys.modules[__name__]
# Classes of optional packages: they can only come when their module is loaded.
_FOREIGN = (("pydantic.color", "Color"), ("pydantic_extra_types.color", "Color"))
_PLAIN = (str, int, float, type(None))
_SEQUENCES = (list, set, frozenset, GeneratorType, tuple, deque)
_NOT_ENCODED = object()


@dataclasses.dataclass(slots=True)
class _Encoding:
    """The options of one call, handed down to the parts of the object."""

    by_alias: bool
    exclude_unset: bool
    exclude_defaults: bool
    exclude_none: bool
    custom: Mapping[Any, Callable[[Any], Any]]
    sqlalchemy_safe: bool

    def encode(self, obj: Any, include: Any = None, exclude: Any = None) -> Any:
        """Return an object as plain data."""
        if self.custom:
            encoded = self._by_custom(obj)
            if encoded is not _NOT_ENCODED:
                return encoded
        if type(obj) in _PLAIN:
            return obj
        include = _as_set(include)
        exclude = _as_set(exclude)
        if isinstance(obj, BaseModel):
            return self._model(obj, include, exclude)
        if dataclasses.is_dataclass(obj):
            assert not isinstance(obj, type)
            return self.encode(dataclasses.asdict(obj), include, exclude)
        if isinstance(obj, Enum):
            return obj.value
        if isinstance(obj, PurePath):
            return str(obj)
        if isinstance(obj, _PLAIN):
            return obj
        if isinstance(obj, PydanticUndefinedType):
            return None
        if isinstance(obj, dict):
            return self._dict(obj, include, exclude)
        if isinstance(obj, _SEQUENCES):
            return [self.encode(item, include, exclude) for item in obj]
        encoded = _by_type(obj)
        return self._attributes(obj, include, exclude) if encoded is _NOT_ENCODED else encoded

    def _by_custom(self, obj: Any) -> Any:
        if type(obj) in self.custom:
            return self.custom[type(obj)](obj)
        for cls, encoder in self.custom.items():
            if isinstance(obj, cls):
                return encoder(obj)
        return _NOT_ENCODED

    def _model(self, obj: BaseModel, include: Any, exclude: Any) -> Any:
        data = obj.model_dump(
            mode="json",
            include=include,
            exclude=exclude,
            by_alias=self.by_alias,
            exclude_unset=self.exclude_unset,
            exclude_none=self.exclude_none,
            exclude_defaults=self.exclude_defaults,
        )
        plain = _Encoding(True, False, self.exclude_defaults, self.exclude_none, {}, self.sqlalchemy_safe)
        return plain.encode(data)

    def _dict(self, obj: dict[Any, Any], include: Any, exclude: Any) -> dict[Any, Any]:
        allowed = set(obj)
        if include is not None:
            allowed &= set(include)
        if exclude is not None:
            allowed -= set(exclude)
        return {
            self.encode(key): self.encode(value)
            for key, value in obj.items()
            if key in allowed
            and (value is not None or not self.exclude_none)
            and not (self.sqlalchemy_safe and isinstance(key, str) and key.startswith("_sa"))
        }

    def _attributes(self, obj: Any, include: Any, exclude: Any) -> Any:
        if is_pydantic_v1_model_instance(obj):
            raise PydanticV1NotSupportedError(
                f"pydantic.v1 models are no longer supported by FastAPI. Please update the model {obj!r}."
            )
        try:
            data = dict(obj)
        except Exception as not_pairs:
            try:
                data = vars(obj)
            except Exception as no_attributes:
                raise ValueError([not_pairs, no_attributes]) from no_attributes
        return self.encode(data, include, exclude)


def _as_set(selection: Any) -> Any:
    return selection if selection is None or isinstance(selection, (set, dict)) else set(selection)


def _by_type(obj: Any) -> Any:
    encoder = _HERE.ENCODERS_BY_TYPE.get(type(obj))
    if encoder is not None:
        return encoder(obj)
    for encoder, classes in _HERE.encoders_by_class_tuples.items():
        if isinstance(obj, classes):
            return encoder(obj)
    for module, name in _FOREIGN:
        cls = getattr(sys.modules.get(module), name, None)
        if cls is not None and isinstance(obj, cls):
            return str(obj)
    return _NOT_ENCODED


def jsonable_encoder(
    obj: Any,
    include: IncEx | None = None,
    exclude: IncEx | None = None,
    by_alias: bool = True,
    exclude_unset: bool = False,
    exclude_defaults: bool = False,
    exclude_none: bool = False,
    custom_encoder: dict[Any, Callable[[Any], Any]] | None = None,
    sqlalchemy_safe: bool = True,
) -> Any:
    """Return `obj` as data that JSON has words for: dicts, lists, strings, numbers, booleans and None.

    Models and dataclasses become dicts; the options are those of pydantic's `model_dump`. `custom_encoder`
    maps classes to functions that go before everything else; `sqlalchemy_safe` leaves out SQLAlchemy's own
    attributes.

        jsonable_encoder({"when": datetime.date(2024, 1, 2)}) == {"when": "2024-01-02"}
    """
    encoding = _Encoding(
        by_alias, exclude_unset, exclude_defaults, exclude_none, custom_encoder or {}, sqlalchemy_safe
    )
    try:
        return encoding.encode(obj, cast(Any, include), cast(Any, exclude))
    except (RecursionError, ValueError) as error:
        refused = _refused_cycle(obj, error)
        if refused is None:
            raise
        # Without the thousand frames of the way down.
        raise refused from None


def _refused_cycle(obj: Any, error: Exception) -> Exception | None:
    """Return an error of the same class that says where an object contains itself."""
    if not isinstance(error, RecursionError) and "Circular reference" not in str(error):
        return None
    cycle = cycle_in(obj)
    if cycle is None:
        return None
    return type(error)(
        f"{type(obj).__name__} contains itself and cannot be written as JSON: {cycle}. Leave that member out "
        "(a response model without it does so), or break the cycle"
    )
