"""Questions about type annotations: is it a sequence, a scalar, an upload, a pydantic v1 model?

Asked once per parameter while routes are declared; nothing here looks at values of requests
except `value_is_sequence`.
"""

from __future__ import annotations

import sys
import types
import typing
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.version import VERSION

from covet.datastructures.upload import UploadFile

__all__ = [
    "PYDANTIC_VERSION_MINOR_TUPLE",
    "annotation_is_pydantic_v1",
    "field_annotation_is_complex",
    "field_annotation_is_scalar",
    "field_annotation_is_scalar_sequence",
    "field_annotation_is_sequence",
    "is_bytes_or_nonable_bytes_annotation",
    "is_bytes_sequence_annotation",
    "is_pydantic_v1_model_class",
    "is_pydantic_v1_model_instance",
    "is_union",
    "is_uploadfile_or_nonable_uploadfile_annotation",
    "is_uploadfile_sequence_annotation",
    "lenient_issubclass",
    "sequence_annotation_to_type",
    "sequence_types",
    "value_is_sequence",
]

T = TypeVar("T")

PYDANTIC_VERSION_MINOR_TUPLE = tuple(int(part) for part in VERSION.split(".")[:2])

sequence_annotation_to_type: dict[Any, type[Any]] = {
    Sequence: list,
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    deque: deque,
}
sequence_types: tuple[type[Any], ...] = tuple(sequence_annotation_to_type)

_SUBSCRIPTED: tuple[Any, ...] = (typing._GenericAlias, types.GenericAlias, types.UnionType)  # type: ignore[attr-defined]


def lenient_issubclass(cls: Any, class_or_tuple: type[T] | tuple[type[T], ...] | None) -> TypeGuard[type[T]]:
    """Say whether `cls` is a subclass, where anything that is no class simply is not."""
    try:
        return isinstance(cls, type) and issubclass(cls, class_or_tuple)  # type: ignore[arg-type]
    except TypeError:
        if isinstance(cls, _SUBSCRIPTED):
            return False
        raise


def is_union(origin: Any) -> bool:
    """Say whether an origin is that of `X | Y` or `Union[X, Y]`."""
    return origin is Union or origin is types.UnionType


def _any_branch(annotation: Any, question: Callable[[Any], bool]) -> bool:
    return any(question(branch) for branch in get_args(annotation))


def _is_bare_sequence(annotation: Any) -> bool:
    return not lenient_issubclass(annotation, (str, bytes)) and lenient_issubclass(annotation, sequence_types)


def field_annotation_is_sequence(annotation: Any) -> bool:
    """Say whether values of this annotation may come as several items (list, set, tuple …)."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return field_annotation_is_sequence(get_args(annotation)[0])
    if is_union(origin):
        return _any_branch(annotation, field_annotation_is_sequence)
    return _is_bare_sequence(annotation) or _is_bare_sequence(origin)


def value_is_sequence(value: Any) -> bool:
    """Say whether a value is a sequence of items rather than text or bytes."""
    return isinstance(value, sequence_types) and not isinstance(value, (str, bytes))


def _is_bare_complex(annotation: Any) -> bool:
    return (
        lenient_issubclass(annotation, (BaseModel, Mapping, UploadFile))
        or _is_bare_sequence(annotation)
        or is_dataclass(annotation)
    )


def field_annotation_is_complex(annotation: Any) -> bool:
    """Say whether an annotation needs more than one string to be written (so it belongs in a body)."""
    origin = get_origin(annotation)
    if is_union(origin):
        return _any_branch(annotation, field_annotation_is_complex)
    if origin is Annotated:
        return field_annotation_is_complex(get_args(annotation)[0])
    if _is_bare_complex(annotation) or _is_bare_complex(origin):
        return True
    return hasattr(origin, "__pydantic_core_schema__") or hasattr(origin, "__get_pydantic_core_schema__")


def field_annotation_is_scalar(annotation: Any) -> bool:
    """Say whether one string can carry the value."""
    return annotation is Ellipsis or not field_annotation_is_complex(annotation)


def field_annotation_is_scalar_sequence(annotation: Any) -> bool:
    """Say whether repeated strings can carry the value."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return field_annotation_is_scalar_sequence(get_args(annotation)[0])
    if is_union(origin):
        sequences = [field_annotation_is_scalar_sequence(branch) for branch in get_args(annotation)]
        scalars = [field_annotation_is_scalar(branch) for branch in get_args(annotation)]
        return any(sequences) and all(map(bool.__or__, sequences, scalars))
    return field_annotation_is_sequence(annotation) and all(
        map(field_annotation_is_scalar, get_args(annotation))
    )


def _is_or_may_be(annotation: Any, cls: type[Any]) -> bool:
    if lenient_issubclass(annotation, cls):
        return True
    return is_union(get_origin(annotation)) and _any_branch(
        annotation, lambda arg: lenient_issubclass(arg, cls)
    )


def _is_sequence_of(annotation: Any, question: Callable[[Any], bool]) -> bool:
    if is_union(get_origin(annotation)):
        return _any_branch(annotation, lambda arg: _is_sequence_of(arg, question))
    return field_annotation_is_sequence(annotation) and all(map(question, get_args(annotation)))


def is_bytes_or_nonable_bytes_annotation(annotation: Any) -> bool:
    """Say whether the annotation is `bytes`, perhaps beside other types."""
    return _is_or_may_be(annotation, bytes)


def is_uploadfile_or_nonable_uploadfile_annotation(annotation: Any) -> bool:
    """Say whether the annotation is `UploadFile`, perhaps beside other types."""
    return _is_or_may_be(annotation, UploadFile)


def is_bytes_sequence_annotation(annotation: Any) -> bool:
    """Say whether the annotation is a sequence of `bytes`, perhaps beside other types."""
    return _is_sequence_of(annotation, is_bytes_or_nonable_bytes_annotation)


def is_uploadfile_sequence_annotation(annotation: Any) -> bool:
    """Say whether the annotation is a sequence of `UploadFile`, perhaps beside other types."""
    return _is_sequence_of(annotation, is_uploadfile_or_nonable_uploadfile_annotation)


def _v1_model() -> type[Any] | None:
    # Nobody can own a v1 model unless its module is loaded; importing it here would cost every start-up.
    module = sys.modules.get("pydantic.v1.main")
    return getattr(module, "BaseModel", None)


def is_pydantic_v1_model_instance(obj: Any) -> bool:
    """Say whether an object is a model of pydantic's old interface."""
    base = _v1_model()
    return base is not None and isinstance(obj, base)


def is_pydantic_v1_model_class(cls: Any) -> bool:
    """Say whether a class is a model of pydantic's old interface."""
    base = _v1_model()
    return base is not None and lenient_issubclass(cls, base)


def annotation_is_pydantic_v1(annotation: Any) -> bool:
    """Say whether a model of pydantic's old interface hides in an annotation."""
    if _v1_model() is None:
        return False
    if is_pydantic_v1_model_class(annotation):
        return True
    if is_union(get_origin(annotation)) and _any_branch(annotation, is_pydantic_v1_model_class):
        return True
    return field_annotation_is_sequence(annotation) and _any_branch(annotation, annotation_is_pydantic_v1)
