"""A push decoder for multipart/form-data (RFC 7578, RFC 2046 section 5.1): bytes in, events out.

Does no I/O and calls nobody back. The same bytes split anywhere give the same parts. It holds back at
most one delimiter's length of data, or the head of one part, which is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = ["Data", "MalformedMultipart", "MultipartDecoder", "PartEnd", "PartHead"]

MAX_BOUNDARY = 256
MAX_HEAD_FIELDS = 8
MAX_HEAD_BYTES = 8192

# RFC 9110, section 5.6.2.
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class MalformedMultipart(ValueError):
    """Say that the bytes are no multipart body."""


@dataclass(slots=True)
class PartHead:
    """A part begins: its fields, names in lower case."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Data:
    """Bytes of the part that began last."""

    data: bytes


@dataclass(slots=True)
class PartEnd:
    """The part that began last is complete."""


class _State(Enum):
    START = auto()
    DELIMITER = auto()
    HEAD = auto()
    DATA = auto()
    END = auto()


class MultipartDecoder:
    """Decode one body; `feed` gives the events that the new bytes complete."""

    def __init__(self, boundary: bytes) -> None:
        if not 0 < len(boundary) <= MAX_BOUNDARY:
            raise MalformedMultipart("The boundary is empty or too long.")
        self._delimiter = b"\r\n--" + boundary
        self._buffer = b""
        self._state = _State.START
        self._in_part = False

    @property
    def complete(self) -> bool:
        """Tell whether the closing delimiter was seen; what follows it is ignored."""
        return self._state is _State.END

    def feed(self, data: bytes) -> Iterator[PartHead | Data | PartEnd]:
        """Take more bytes and yield events; the iterator must be exhausted before the next call."""
        self._buffer = self._buffer + data if self._buffer else bytes(data)
        while True:
            state = self._state
            if state is _State.DATA:
                yield from self._read_data()
            elif state is _State.DELIMITER:
                yield from self._read_delimiter_end()
            elif state is _State.HEAD:
                yield from self._read_head()
            elif state is _State.START:
                self._read_first_delimiter()
            else:
                self._buffer = b""
                return
            if self._state is state:
                return

    def _read_first_delimiter(self) -> None:
        """Expect the first delimiter, which lacks its line break; empty lines may precede it."""
        buffer = self._buffer
        if buffer[:1] in (b"\r", b"\n"):
            dash = buffer.find(b"-")
            buffer = self._buffer = buffer[dash:] if dash >= 0 else buffer[:1]
            if dash < 0:
                return
        first = self._delimiter[2:]
        if not first.startswith(buffer[: len(first)]):
            raise MalformedMultipart("The body does not begin with its boundary.")
        if len(buffer) >= len(first):
            self._buffer = buffer[len(first) :]
            self._state = _State.DELIMITER

    def _read_delimiter_end(self) -> Iterator[PartEnd]:
        """After a boundary: `--` closes the body, padding and a line break open the next part."""
        buffer = self._buffer
        if buffer[:2] == b"--":
            self._state = _State.END
        elif buffer[:1] == b"-":
            if len(buffer) > 1:
                raise MalformedMultipart("A boundary is followed by one dash.")
            return
        else:
            rest = buffer.lstrip(b" \t")
            if len(rest) < 2 and b"\r\n".startswith(rest):
                # Padding is dropped as it comes, so that it cannot pile up.
                self._buffer = rest
                return
            if rest[:2] != b"\r\n":
                raise MalformedMultipart("A boundary is not followed by a line break.")
            self._buffer = rest[2:]
            self._state = _State.HEAD
        if self._in_part:
            self._in_part = False
            yield PartEnd()

    def _read_head(self) -> Iterator[PartHead]:
        buffer = self._buffer
        if buffer[:2] == b"\r\n":
            head, rest = b"", buffer[2:]
        else:
            end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES + 4)
            if end < 0:
                if len(buffer) >= MAX_HEAD_BYTES + 4:
                    raise MalformedMultipart("The head of a part is too long.")
                self._refuse_early(buffer)
                return
            head, rest = buffer[:end], buffer[end + 4 :]
        self._buffer = rest
        self._state = _State.DATA
        self._in_part = True
        yield PartHead(_fields(head))

    @staticmethod
    def _refuse_early(buffer: bytes) -> None:
        # All lines but the last are complete: refuse a bad one without waiting for the end of the head.
        complete, found, _ = buffer.rpartition(b"\r\n")
        if found:
            _fields(complete)

    def _read_data(self) -> Iterator[Data]:
        """Yield data up to the delimiter, or all that cannot be the beginning of one."""
        buffer, delimiter = self._buffer, self._delimiter
        start = 0
        while (found := buffer.find(delimiter, start)) >= 0:
            after = found + len(delimiter)
            follows = buffer[after : after + 2]
            if follows[:1] in (b" ", b"\t") or follows in (b"\r\n", b"--"):
                if found:
                    yield Data(buffer[:found])
                self._buffer = buffer[after:]
                self._state = _State.DELIMITER
                return
            if follows in (b"", b"\r", b"-"):
                break  # undecided: wait for one more byte
            # The boundary goes on with other bytes: a longer word, so it was data.
            start = found + 1
        keep = found if found >= 0 else _partial(buffer, delimiter)
        if keep:
            yield Data(buffer[:keep])
        self._buffer = buffer[keep:]


def _partial(buffer: bytes, delimiter: bytes) -> int:
    """Return where the longest beginning of the delimiter starts that the buffer ends with."""
    place = buffer.find(b"\r", max(0, len(buffer) - len(delimiter) + 1))
    while place >= 0:
        if delimiter.startswith(buffer[place:]):
            return place
        place = buffer.find(b"\r", place + 1)
    return len(buffer)


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    if not head:
        return []
    lines = head.split(b"\r\n")
    if len(lines) > MAX_HEAD_FIELDS:
        raise MalformedMultipart("A part has too many header fields.")
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name) or b"\r" in value:
            raise MalformedMultipart("A header field of a part is malformed.")
        fields.append((name.lower(), value.lstrip(b" ")))
    return fields
