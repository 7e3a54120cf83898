"""The access log: one record a request, through the logger `covet.access` (`uvicorn.access` under --compat).

The engine reports each request that is over; lines are made in batches, once per turn of the event loop. As
long as nobody has touched the logger, a batch is formatted and written without a LogRecord for each
line.
"""

import asyncio
import logging
import time
from typing import Any, TextIO

from . import logs

__all__ = ["AccessLog"]

MESSAGE = '%s - "%s %s HTTP/%s" %d'


class AccessLog:
    """What the engine calls for each request that is over. Lives on one loop, in one thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._logger = logging.getLogger(logs.access_logger)
        self._entries: list[logs.Request] = []

    def __call__(self, *entry: *logs.Request) -> None:
        """Note one request; the line is written before the loop goes to sleep."""
        if not self._entries:
            self._loop.call_soon(self.flush)
        self._entries.append(entry)

    def flush(self) -> None:
        """Write what has been noted."""
        entries, self._entries = self._entries, []
        if not entries or not self._logger.isEnabledFor(logging.INFO):
            return
        handler = self._plain_handler()
        if handler is None:
            for entry in entries:
                self._record(entry)
        else:
            self._write(handler, entries)

    def _plain_handler(self) -> "logging.StreamHandler[TextIO] | None":
        """Our own untouched handler, or None when records have to be real."""
        logger = self._logger
        above = logger.parent.handlers if logger.propagate and logger.parent is not None else []
        handlers = [*logger.handlers, *above]
        if logger.filters or len(handlers) != 1:
            return None
        handler = handlers[0]
        if type(handler) is not logging.StreamHandler or handler.filters or handler.level > logging.INFO:
            return None
        plain = type(handler.formatter) in (logs.TextFormatter, logs.JsonFormatter)
        return handler if plain and logging.getLogRecordFactory() is logging.LogRecord else None

    def _write(self, handler: "logging.StreamHandler[TextIO]", entries: list[logs.Request]) -> None:
        formatter = handler.formatter
        if not isinstance(formatter, logs.TextFormatter | logs.JsonFormatter):
            return
        text = formatter.requests(time.time(), entries)
        handler.acquire()
        try:
            stream = handler.stream
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):  # a closed pipe must not take the server down
            pass
        finally:
            handler.release()

    def _record(self, entry: logs.Request) -> None:
        client, method, target, version, status, seconds, size, request_id = entry
        values = (client, method, logs.shown(target), version, status)
        fields: dict[str, Any] = dict(
            zip(logs.ACCESS_FIELDS, (*values, logs.milliseconds(seconds), size), strict=True)
        )
        if request_id:
            fields["request_id"] = request_id
        self._logger.info(MESSAGE, *values, extra=fields)
