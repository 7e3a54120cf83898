"""Form parsers. Re-exports only."""

from covet.formparsers.parsers import (
    FormMessage,
    FormParser,
    MultiPartException,
    MultiPartParser,
    MultipartPart,
    SpooledTemporaryFile,
    parse_options_header,
)
from covet.starlette.mirror import mirror

__all__ = [
    "FormMessage",
    "FormParser",
    "MultiPartException",
    "MultiPartParser",
    "MultipartPart",
    "SpooledTemporaryFile",
    "parse_options_header",
]

mirror(__name__, "covet.formparsers.parsers")
