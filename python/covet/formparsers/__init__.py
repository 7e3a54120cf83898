"""Forms: push decoders without I/O (`multipart`, `urlencoded`), and the parsers that read streams."""

from covet.formparsers.options import parse_options_header
from covet.formparsers.parsers import (
    FormMessage,
    FormParser,
    MultiPartException,
    MultiPartParser,
    MultipartPart,
)

__all__ = [
    "FormMessage",
    "FormParser",
    "MultiPartException",
    "MultiPartParser",
    "MultipartPart",
    "parse_options_header",
]
