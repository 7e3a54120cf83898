"""HTTP dates (RFC 9110, section 5.6.7): written as IMF-fixdate, read in all three forms."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["format_http_date", "parse_http_date"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, start=1)}


def format_http_date(seconds: float) -> str:
    """Write seconds since the epoch as `Sun, 06 Nov 1994 08:49:37 GMT`."""
    at = time.gmtime(seconds)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04d} "
        f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} GMT"
    )


def parse_http_date(value: str) -> datetime | None:
    """Read a date in IMF-fixdate, RFC 850 or asctime form; None if it is none of them."""
    words = value.replace(",", " ").replace("-", " ").split()
    try:
        if len(words) == 6:  # Sun, 06 Nov 1994 08:49:37 GMT, and with dashes in RFC 850
            _, day, month, year, clock, _ = words
        else:  # Sun Nov  6 08:49:37 1994
            _, month, day, clock, year = words
        hour, minute, second = (int(part) for part in clock.split(":"))
        number = _MONTH_NUMBERS[month.lower()]
        return datetime(_full_year(year), number, int(day), hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, KeyError):
        return None


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    return year + (1900 if year > 68 else 2000)
