"""Forms: push decoders without I/O (`multipart`, `urlencoded`), and the parsers that read streams.

The parsers are loaded with the first form.
"""

from typing import TYPE_CHECKING

from covet.formparsers.options import parse_options_header
from covet.late_names import late_names

if TYPE_CHECKING:
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

_PARSERS = [name for name in __all__ if name != "parse_options_header"]
__getattr__, __dir__ = late_names(globals(), dict.fromkeys(_PARSERS, "covet.formparsers.parsers"))
