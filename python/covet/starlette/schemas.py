"""API schemas from docstrings. Re-exports only."""

from covet.schemas import BaseSchemaGenerator, EndpointInfo, OpenAPIResponse, SchemaGenerator
from covet.starlette.mirror import mirror

__all__ = [
    "BaseSchemaGenerator",
    "EndpointInfo",
    "OpenAPIResponse",
    "SchemaGenerator",
]

mirror(__name__, "covet.schemas")
