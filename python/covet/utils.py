"""FastAPI's names for what is defined elsewhere; re-exports only."""

from covet.datastructures.default import get_value_or_default
from covet.dependencies.parameter import get_path_param_names
from covet.openapi.merging import deep_dict_update
from covet.openapi.operation_ids import generate_operation_id_for_path
from covet.responses.bodyless import is_body_allowed_for_status_code
from covet.routing.operation_id import generate_unique_id
from covet.validation.fields import create_model_field

__all__ = [
    "create_model_field",
    "deep_dict_update",
    "generate_operation_id_for_path",
    "generate_unique_id",
    "get_path_param_names",
    "get_value_or_default",
    "is_body_allowed_for_status_code",
]
