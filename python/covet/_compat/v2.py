"""FastAPI's names for what it does with pydantic v2; re-exports only."""

from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import Url
from pydantic_core.core_schema import with_info_plain_validator_function

from covet.dependencies.parameter import is_scalar_field
from covet.openapi.flat_models import (
    get_flat_models_from_annotation,
    get_flat_models_from_field,
    get_flat_models_from_fields,
    get_flat_models_from_model,
    get_model_name_map,
    normalize_name,
)
from covet.openapi.schemas import GenerateJsonSchema, get_definitions, get_schema_from_model_field
from covet.validation.errors import error_with_prefix as _regenerate_error_with_loc
from covet.validation.errors import get_missing_field_error
from covet.validation.fields import (
    ModelField,
    RequiredParam,
    Undefined,
    copy_field_info,
    create_body_model,
    evaluate_forwardref,
    get_cached_model_fields,
    get_model_fields,
    serialize_sequence_value,
)

__all__ = [
    "FieldInfo",
    "GenerateJsonSchema",
    "ModelField",
    "PydanticSchemaGenerationError",
    "PydanticUndefinedAnnotation",
    "RequiredParam",
    "Undefined",
    "Url",
    "ValidationError",
    "_regenerate_error_with_loc",
    "copy_field_info",
    "create_body_model",
    "evaluate_forwardref",
    "get_cached_model_fields",
    "get_definitions",
    "get_flat_models_from_annotation",
    "get_flat_models_from_field",
    "get_flat_models_from_fields",
    "get_flat_models_from_model",
    "get_missing_field_error",
    "get_model_fields",
    "get_model_name_map",
    "get_schema_from_model_field",
    "is_scalar_field",
    "normalize_name",
    "serialize_sequence_value",
    "with_info_plain_validator_function",
]
