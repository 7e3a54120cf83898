"""From a body's stream to `FormData`: the two parsers behind `request.form()`.

They keep the limits and count what they take; files go to spooled temporary files and are written in
worker threads once they are on disk. On any error every file that was opened is closed.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from enum import Enum
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote_plus

from covet.datastructures.headers import Headers
from covet.datastructures.upload import FormData, UploadFile
from covet.formparsers.multipart import Data, MalformedMultipart, MultipartDecoder, PartHead
from covet.formparsers.options import parse_options_header
from covet.formparsers.urlencoded import UrlencodedDecoder
from covet.http_exceptions import StarletteDeprecationWarning

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:
    from typing_extensions import deprecated

__all__ = [
    "FormMessage",
    "FormParser",
    "MultiPartException",
    "MultiPartParser",
    "MultipartPart",
    "SpooledTemporaryFile",
    "parse_options_header",
]


@deprecated(
    "`FormMessage` is deprecated and will be removed in a future version.",
    category=StarletteDeprecationWarning,
    stacklevel=2,
)
class FormMessage(Enum):
    """The events of a former parser; nothing emits them."""

    FIELD_START = 1
    FIELD_NAME = 2
    FIELD_DATA = 3
    FIELD_END = 4
    END = 5


class MultiPartException(Exception):
    """Say that a form is malformed or larger than allowed."""

    def __init__(self, message: str) -> None:
        self.message = message


@dataclass
class MultipartPart:
    """The part that is being read: a field, or a file if `file` is set."""

    content_disposition: bytes | None = None
    field_name: str = ""
    data: bytearray = field(default_factory=bytearray)
    file: UploadFile | None = None
    item_headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class FormParser:
    """Read an application/x-www-form-urlencoded body."""

    def __init__(
        self,
        headers: Headers,
        stream: AsyncGenerator[bytes, None] | AsyncIterable[bytes],
        *,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> None:
        self.headers = headers
        self.stream = stream
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self._items: list[tuple[str, str | UploadFile]] = []
        self._current_fields = 0

    async def parse(self) -> FormData:
        """Read the stream to its end and return the fields."""
        decoder = UrlencodedDecoder()
        async for chunk in self.stream:
            for name, value in decoder.feed(chunk):
                self._add(name, value)
            # One byte more than the limit may be the `=` between name and value.
            if decoder.pending > self.max_part_size + 1:
                raise self._too_large()
        for name, value in decoder.finish():
            self._add(name, value)
        return FormData(self._items)

    def _add(self, name: bytes, value: bytes) -> None:
        if len(name) + len(value) > self.max_part_size:
            raise self._too_large()
        self._current_fields += 1
        if self._current_fields > self.max_fields:
            raise MultiPartException(f"Too many fields. Maximum number of fields is {self.max_fields}.")
        self._items.append((_unquoted(name), _unquoted(value)))

    def _too_large(self) -> MultiPartException:
        return MultiPartException(f"Field exceeded maximum size of {int(self.max_part_size / 1024)}KB.")


class MultiPartParser:
    """Read a multipart/form-data body; the class attributes may be changed by applications."""

    spool_max_size = 1024 * 1024
    """Bytes of a file that are kept in memory before it goes to disk."""
    max_part_size = 1024 * 1024
    """Bytes that a field which is no file may have."""

    def __init__(
        self,
        headers: Headers,
        stream: AsyncGenerator[bytes, None] | AsyncIterable[bytes],
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> None:
        self.headers = headers
        self.stream = stream
        self.max_files = max_files
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self.items: list[tuple[str, str | UploadFile]] = []
        self._current_files = 0
        self._current_fields = 0
        self._current_part = MultipartPart()
        self._charset = ""
        self._files_to_close_on_error: list[SpooledTemporaryFile[bytes]] = []

    async def parse(self) -> FormData:
        """Read the stream to its end and return the fields and files."""
        boundary = self._read_content_type()
        try:
            decoder = MultipartDecoder(boundary)
            async for chunk in self.stream:
                await self._take(decoder, chunk)
            if not decoder.complete:
                self._close_unfinished()
        except BaseException as exc:
            for file in self._files_to_close_on_error:
                file.close()
            if isinstance(exc, MalformedMultipart):
                raise MultiPartException("Invalid multipart data.") from exc
            raise
        return FormData(self.items)

    def _read_content_type(self) -> bytes:
        """Return the boundary; keep the charset that names and fields are written in."""
        _, params = parse_options_header(self.headers["Content-Type"])
        try:
            self._charset = codecs.lookup(params.get(b"charset", b"utf-8").decode("latin-1")).name
        except LookupError:
            self._charset = "latin-1"
        if b"boundary" not in params:
            raise MultiPartException("Missing boundary in multipart.")
        return params[b"boundary"]

    async def _take(self, decoder: MultipartDecoder, chunk: bytes) -> None:
        for event in decoder.feed(chunk):
            part = self._current_part
            if isinstance(event, Data):
                if part.file is None:
                    self._extend_field(part, event.data)
                else:
                    await part.file.write(event.data)
            elif isinstance(event, PartHead):
                self._begin(event)
            elif part.file is None:
                self.items.append((part.field_name, _decode(part.data, self._charset)))
            else:
                await part.file.seek(0)
                self.items.append((part.field_name, part.file))

    def _extend_field(self, part: MultipartPart, data: bytes) -> None:
        if len(part.data) + len(data) > self.max_part_size:
            raise MultiPartException(f"Part exceeded maximum size of {int(self.max_part_size / 1024)}KB.")
        part.data.extend(data)

    def _begin(self, head: PartHead) -> None:
        disposition = next(
            (value for name, value in reversed(head.headers) if name == b"content-disposition"), None
        )
        _, options = parse_options_header(disposition)
        if b"name" not in options:
            raise MultiPartException('The Content-Disposition header field "name" must be provided.')
        name = _decode(options[b"name"], self._charset)
        part = MultipartPart(disposition, name, item_headers=head.headers)
        self._current_part = part
        if b"filename" in options:
            part.file = self._open_file(_decode(options[b"filename"], self._charset), head.headers)
            return
        self._current_fields += 1
        if self._current_fields > self.max_fields:
            raise MultiPartException(f"Too many fields. Maximum number of fields is {self.max_fields}.")

    def _open_file(self, filename: str, headers: list[tuple[bytes, bytes]]) -> UploadFile:
        self._current_files += 1
        if self._current_files > self.max_files:
            raise MultiPartException(f"Too many files. Maximum number of files is {self.max_files}.")
        spooled = SpooledTemporaryFile(max_size=self.spool_max_size)  # noqa: SIM115
        self._files_to_close_on_error.append(spooled)
        file: Any = spooled
        return UploadFile(file=file, size=0, filename=filename, headers=Headers(raw=headers))

    def _close_unfinished(self) -> None:
        """Close the file of a part that was cut off; it is not among the items."""
        kept = {id(value.file) for _, value in self.items if isinstance(value, UploadFile)}
        for file in self._files_to_close_on_error:
            if id(file) not in kept:
                file.close()


def _unquoted(raw: bytes) -> str:
    return unquote_plus(raw.decode("latin-1"))


def _decode(source: bytes | bytearray, charset: str) -> str:
    try:
        return source.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return source.decode("latin-1")
