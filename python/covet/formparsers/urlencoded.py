"""A push decoder for application/x-www-form-urlencoded: bytes in, raw pairs out.

The same bytes split anywhere give the same pairs. Holds at most one unfinished field, whose size the
caller can watch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["UrlencodedDecoder"]

_FIELD = re.compile(rb"[^&]+")


class UrlencodedDecoder:
    """Decode one body; `feed` gives the fields that the new bytes complete, `finish` the last one."""

    def __init__(self) -> None:
        self._pending = b""

    @property
    def pending(self) -> int:
        """Return the bytes of the unfinished field."""
        return len(self._pending)

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Take more bytes and yield pairs; the iterator must be exhausted before the next call."""
        last = data.rfind(b"&")
        if last < 0:
            self._pending += data
            return
        complete = self._pending + data[:last]
        self._pending = bytes(data[last + 1 :])
        for match in _FIELD.finditer(complete):
            yield _pair(match[0])

    def finish(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the field that no separator ended."""
        if self._pending:
            yield _pair(self._pending)
            self._pending = b""


def _pair(field: bytes) -> tuple[bytes, bytes]:
    name, _, value = field.partition(b"=")
    return name, value
