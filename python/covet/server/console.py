"""The log of `covet dev`: short lines for the person at the terminal, one a request, with its first error.

The worker uses it in place of the access log; every line still is a record of the same loggers.
"""

import logging
import time
from typing import Any

from . import logs
from .access_log import MESSAGE, AccessLog

__all__ = ["ConsoleFormatter", "ConsoleLog", "note"]

WIDTH = 28  # of method and path together, before columns give way
MOST_NOTES = 1000
LONGEST_NOTE = 200
# The first digit of a status -> colour.
COLORS = {"2": "32", "3": "36", "4": "33", "5": "31"}

# Client address -> what is to be said of the request that it waits for.
_notes: dict[str, str] = {}


def note(client: tuple[str, int] | None, text: str) -> None:
    """Say something about the request in progress of a client, on its line. `client` as in an ASGI scope."""
    if client is None:
        return
    if len(_notes) >= MOST_NOTES:  # requests that ended without a line
        _notes.clear()
    _notes[f"{client[0]}:{client[1]}"] = logs.escape(text[:LONGEST_NOTE])


class ConsoleLog(AccessLog):
    """What the engine calls for each answered request in development."""

    def __call__(self, *entry: *logs.Request) -> None:
        """Log one request at once."""
        client, method, target, version, status, seconds, size, request_id = entry
        values = (client, method, logs.shown(target), version, status)
        fields = (*values, logs.milliseconds(seconds), size)
        extra: dict[str, Any] = dict(zip(logs.ACCESS_FIELDS, fields, strict=True))
        extra["note"] = _notes.pop(client, "")
        if request_id:
            extra["request_id"] = request_id
        self._logger.info(MESSAGE, *values, extra=extra)


class ConsoleFormatter(logs.TextFormatter):
    """`12:01:09  POST /users   422   0.6 ms   body.email: field required`; messages have the time as well."""

    def __init__(self, *, color: bool = False, whole: bool = False) -> None:
        super().__init__(color=color, short=True, whole=whole)

    def head(self, moment: float, level: str) -> str:
        """Return what every line opens with: the time, and the level where it is one to look at."""
        clock = time.strftime("%H:%M:%S", time.localtime(moment)) + " "
        return clock if level == "INFO" else f"{clock} {self._paint(level.lower(), level)} "

    def format(self, record: logging.LogRecord) -> str:
        """Render one record; a request gets columns."""
        return self._request(record) if hasattr(record, "note") else super().format(record)

    def _request(self, record: Any) -> str:
        what = f"{logs.escape(record.method)} {record.path}"
        status = str(record.status)
        code = COLORS.get(status[0])
        shown = f"\x1b[{code}m{status}\x1b[0m" if self._color and code else status
        head, took = self.head(record.created, "INFO"), _duration(record.duration_ms)
        return f"{head} {what:<{WIDTH}}  {shown}  {took:>8}   {record.note}".rstrip()

    def _paint(self, text: str, level: str) -> str:
        code = logs.COLORS.get(level) if self._color else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text


def _duration(milliseconds: float) -> str:
    """A duration in as few figures as say something."""
    if milliseconds < 0.1:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"
