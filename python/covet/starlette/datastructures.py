"""What requests and responses are made of; `UploadFile` is the plain one. Re-exports only."""

from covet.datastructures.headers import Headers, MutableHeaders
from covet.datastructures.multidict import ImmutableMultiDict, MultiDict, QueryParams
from covet.datastructures.secret import CommaSeparatedStrings, Secret
from covet.datastructures.state import State
from covet.datastructures.upload import FormData, UploadFile
from covet.datastructures.url import URL, Address, URLPath
from covet.starlette.mirror import mirror

__all__ = [
    "URL",
    "Address",
    "CommaSeparatedStrings",
    "FormData",
    "Headers",
    "ImmutableMultiDict",
    "MultiDict",
    "MutableHeaders",
    "QueryParams",
    "Secret",
    "State",
    "URLPath",
    "UploadFile",
]

mirror(
    __name__,
    "covet.datastructures.url",
    "covet.datastructures.multidict",
    "covet.datastructures.headers",
    "covet.datastructures.state",
    "covet.datastructures.secret",
    "covet.datastructures.upload",
)
