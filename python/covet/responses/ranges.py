"""Byte ranges (RFC 9110, section 14): read a Range field, and describe a multipart/byteranges body."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = [
    "MalformedRangeHeader",
    "RangeNotSatisfiable",
    "byteranges_body",
    "parse_range_header",
    "parse_ranges",
]

Range = tuple[int, int]


class MalformedRangeHeader(Exception):
    """Say that a Range field cannot be read; `content` is the text of the answer."""

    def __init__(self, content: str = "Malformed range header.") -> None:
        self.content = content


class RangeNotSatisfiable(Exception):
    """Say that a range lies outside of the file; `max_size` is the file's size."""

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size


def parse_range_header(value: str, file_size: int, max_ranges: int) -> list[Range]:
    """Return the asked ranges as (start, end), sorted and joined where they overlap.

    An empty list means that there are too many of them and the whole file is the answer.
    """
    units, found, listed = value.partition("=")
    if not found:
        raise MalformedRangeHeader()
    if units.strip().lower() != "bytes":
        raise MalformedRangeHeader("Only support bytes range")
    if listed.count(",") >= max_ranges:
        return []
    ranges = parse_ranges(listed, file_size)
    if not ranges:
        raise MalformedRangeHeader("Range header: range must be requested")
    if not all(0 <= start < file_size for start, _ in ranges):
        raise RangeNotSatisfiable(file_size)
    if not all(start < end for start, end in ranges):
        raise MalformedRangeHeader("Range header: start must be less than end")
    return ranges if len(ranges) == 1 else _joined(ranges)


def parse_ranges(listed: str, file_size: int) -> list[Range]:
    """Read `0-99, 200-, -50`; parts that are no range are passed over."""
    ranges: list[Range] = []
    for part in listed.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not dash or not (first or last):
            continue
        try:
            if first:
                start = int(first)
                end = int(last) + 1 if last and int(last) < file_size else file_size
            else:
                start, end = max(file_size - int(last), 0), file_size
        except ValueError:
            continue
        ranges.append((start, end))
    return ranges


def _joined(ranges: list[Range]) -> list[Range]:
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def byteranges_body(
    ranges: Sequence[Range], boundary: str, max_size: int, content_type: str
) -> tuple[int, Callable[[int, int], bytes]]:
    """Return the length of the whole body and the function that writes the head of one part.

    Each part is its head, the bytes and a line break; the closing delimiter has no line break.
    """

    def head(start: int, end: int) -> bytes:
        lines = (
            f"--{boundary}",
            f"Content-Type: {content_type}",
            f"Content-Range: bytes {start}-{end - 1}/{max_size}",
            "",
            "",
        )
        return "\r\n".join(lines).encode("latin-1")

    parts = sum(len(head(start, end)) + (end - start) + len("\r\n") for start, end in ranges)
    return parts + len(f"--{boundary}--"), head
