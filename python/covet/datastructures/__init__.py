"""The values that requests and responses are made of; each kind has a file of its own.

`UploadFile` here is the parameter type; the plain one is in `covet.datastructures.upload`.
"""

from covet.datastructures.default import Default, DefaultPlaceholder
from covet.datastructures.default import _Unset as _Unset
from covet.datastructures.headers import Headers, MutableHeaders
from covet.datastructures.multidict import ImmutableMultiDict, MultiDict, QueryParams
from covet.datastructures.parameter_upload import UploadFile
from covet.datastructures.secret import CommaSeparatedStrings, Secret
from covet.datastructures.state import State
from covet.datastructures.upload import FormData
from covet.datastructures.upload import UploadFile as StarletteUploadFile
from covet.datastructures.url import URL, Address, URLPath

__all__ = [
    "URL",
    "Address",
    "CommaSeparatedStrings",
    "Default",
    "DefaultPlaceholder",
    "FormData",
    "Headers",
    "ImmutableMultiDict",
    "MultiDict",
    "MutableHeaders",
    "QueryParams",
    "Secret",
    "StarletteUploadFile",
    "State",
    "URLPath",
    "UploadFile",
]
