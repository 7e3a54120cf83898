"""FastAPI's names for how the document is made; re-exports only."""

from covet.openapi.document import get_fields_from_routes, get_openapi
from covet.openapi.operation_ids import generate_operation_id
from covet.openapi.operations import (
    status_code_ranges,
    validation_error_definition,
    validation_error_response_definition,
)

__all__ = [
    "generate_operation_id",
    "get_fields_from_routes",
    "get_openapi",
    "status_code_ranges",
    "validation_error_definition",
    "validation_error_response_definition",
]
