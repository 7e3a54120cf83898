"""Log records of the server: how they look, where they go, and how their files are reopened.

Loggers: `covet` (life of the server) and `covet.access` (one record a request, see access_log.py).
Whatever the user configures, by --log-config or in the application, wins over this.
"""

import importlib
import json
import logging
import os
import re
import sys
import time
from typing import Any, TextIO

from .settings import Settings, SettingsError
from .tracebacks import format_without_ours

__all__ = [
    "JsonFormatter",
    "TextFormatter",
    "adopt_root",
    "configure",
    "escape",
    "mask",
    "reopen",
    "set_worker",
]

LEVELS = {"trace": 5, "debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SECRET_WORDS = (
    "token",
    "secret",
    "passw",
    "pwd",
    "key",
    "auth",
    "session",
    "signature",
    "code=",
    "credential",
)
SECRET = re.compile(
    r"([?&;][^=&;]*(?:token|secret|passw|pwd|api_?-?key|auth|session|signature|credential)[^=&;]*=|[?&;]code=)"
    r"[^&;\s]*",
    re.IGNORECASE,
)
COLORS = {"WARNING": "33", "ERROR": "31", "CRITICAL": "31"}
# Attributes under which correlation-id libraries leave the id of the request.
REQUEST_IDS = ("request_id", "correlation_id", "trace_id")
# The first five are the `args` of an access record, in the order in which filters written for other servers
# index them.
ACCESS_FIELDS = ("client", "method", "path", "http_version", "status", "duration_ms", "bytes")
# One request as the engine tells it: client, method, target, version, status, seconds, bytes, request id.
Request = tuple[str, str, str, str, int, float, int, str | None]

quote = json.encoder.encode_basestring_ascii
worker_name = ""
# What the access records are logged by; filters and configurations of others name uvicorn's.
access_logger = "covet.access"


def set_worker(name: str) -> None:
    """Name this process in every record from now on."""
    global worker_name
    worker_name = name


def escape(text: str) -> str:
    """Make control characters visible, so that no client can forge a line or drive a terminal."""
    if text.isprintable():
        return text
    return CONTROL.sub(_visible, text)


def mask(target: str) -> str:
    """Hide the values of query parameters whose names say that they are secret."""
    if "?" not in target:
        return target
    lowered = target.lower()
    if not any(word in lowered for word in SECRET_WORDS):
        return target
    return SECRET.sub(r"\1***", target)


def shown(target: str) -> str:
    """Return a request's target as logs may show it."""
    return escape(mask(target))


def milliseconds(seconds: float) -> float:
    """Return a duration as it is logged: precise to a microsecond."""
    return round(seconds * 1000, 3)


def request_id(record: logging.LogRecord) -> str | None:
    """Return the request's id if a library has put one on the record."""
    for name in REQUEST_IDS:
        value = getattr(record, name, None)
        if value:
            return str(value)
    return None


class TextFormatter(logging.Formatter):
    """One line a record: time, level, worker, message; colour only for a terminal."""

    def __init__(self, *, color: bool = False, short: bool = False, whole: bool = False) -> None:
        super().__init__()
        self._color = color
        self._whole = whole
        self._clock = "%H:%M:%S" if short else "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        """Render one record, with its traceback below it."""
        parts = [self.head(record.created, record.levelname)]
        found = request_id(record)
        if found:
            parts.append(f"[{escape(found)}]")
        parts.append(_message(record))
        if record.name == access_logger and "duration_ms" in record.__dict__:
            parts.append(f"{record.__dict__['duration_ms']:.1f}ms")
        lines = [" ".join(parts)]
        if record.exc_info:
            lines.append(CONTROL_BUT_LINES.sub(_visible, self.formatException(record.exc_info)))
        if record.stack_info:
            lines.append(self.formatStack(record.stack_info))
        return "\n".join(lines)

    def formatException(self, ei: Any) -> str:
        """Render a traceback; covet's own frames are shown at log level debug only."""
        return super().formatException(ei) if self._whole or ei[1] is None else format_without_ours(ei[1])

    def head(self, moment: float, level: str) -> str:
        """Return what every line opens with: time, level, worker."""
        text = f"{time.strftime(self._clock, time.localtime(moment))} {self._level(level)}"
        return f"{text} [{worker_name}]" if worker_name else text

    def requests(self, moment: float, entries: list[Request]) -> str:
        """Render a batch of requests as `format` would render a record of each."""
        head = self.head(moment, "INFO")
        lines = []
        for client, method, target, version, status, seconds, _, found in entries:
            name = f" [{escape(found)}]" if found else ""
            request = f'"{escape(method)} {shown(target)} HTTP/{version}"'
            lines.append(f"{head}{name} {client} - {request} {status} {milliseconds(seconds):.1f}ms\n")
        return "".join(lines)

    def _level(self, name: str) -> str:
        text = f"{name.lower():<7}"
        code = COLORS.get(name) if self._color else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text


class JsonFormatter(logging.Formatter):
    """One JSON object a record, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        entry: dict[str, Any] = {
            "time": _rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "pid": record.process,
        }
        if worker_name:
            entry["worker"] = worker_name
        found = request_id(record)
        if found:
            entry["request_id"] = found
        for field in ACCESS_FIELDS:
            if field in record.__dict__:
                entry[field] = record.__dict__[field]
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True, default=str)

    def requests(self, moment: float, entries: list[Request]) -> str:
        """Render a batch of requests as `format` would render a record of each."""
        worker = f', "worker": {quote(worker_name)}' if worker_name else ""
        head = f'{{"time": "{_rfc3339(moment)}", "level": "info", "logger": "{access_logger}", "message": '
        middle = f', "pid": {os.getpid()}{worker}, '
        lines = []
        for client, method, target, version, status, seconds, size, found in entries:
            verb, path = escape(method), shown(target)
            message = quote(f'{client} - "{verb} {path} HTTP/{version}" {status}')
            name = f'"request_id": {quote(found)}, ' if found else ""
            fields = f'"method": {quote(verb)}, "path": {quote(path)}, "http_version": "{version}"'
            numbers = f'"status": {status}, "duration_ms": {milliseconds(seconds)}, "bytes": {size}'
            lines.append(f'{head}{message}{middle}{name}"client": {quote(client)}, {fields}, {numbers}}}\n')
        return "".join(lines)


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Set up the `covet` loggers for this process, or whatever --log-config says."""
    logging.addLevelName(LEVELS["trace"], "TRACE")
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(settings, out))
    logger = logging.getLogger("covet")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(_level(settings.log_level))
    access = logging.getLogger("covet.access")
    access.setLevel(logging.NOTSET if settings.access_log else logging.CRITICAL + 1)
    if settings.compat:
        _speak_as_uvicorn(logger, access)
    if settings.log_config:
        # logging.config costs a cold start 13 ms; only those who use it pay.
        importlib.import_module("covet.server.log_config").apply(settings.log_config)


class Relay(logging.Handler):
    """Hands the records of one logger to another, under its name."""

    def __init__(self, target: logging.Logger) -> None:
        super().__init__()
        self._target = target

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record where the target's level and filters let it."""
        if self._target.isEnabledFor(record.levelno):
            record.name = self._target.name
            self._target.handle(record)


def _speak_as_uvicorn(logger: logging.Logger, access: logging.Logger) -> None:
    """Log by the names, and with the handlers in the places, that people configured for uvicorn."""
    global access_logger
    access_logger = "uvicorn.access"
    root, requests = logging.getLogger("uvicorn"), logging.getLogger(access_logger)
    root.handlers[:] = requests.handlers[:] = logger.handlers
    root.propagate = requests.propagate = False
    root.setLevel(logger.level)
    requests.setLevel(access.level or logger.level)
    logger.handlers[:] = [Relay(logging.getLogger("uvicorn.error"))]


def adopt_root(settings: Settings) -> None:
    """Give the application's own records our format, if the application has set up no logging itself."""
    root = logging.getLogger()
    if root.handlers or settings.log_config:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings, sys.stderr))
    root.addHandler(handler)


def reopen() -> None:
    """Reopen every log file by its name, after a rotation has moved the old one away."""
    for reference in list(logging._handlerList):  # type: ignore[attr-defined]
        handler = reference()
        if isinstance(handler, logging.FileHandler) and handler.stream is not None:
            handler.acquire()
            try:
                old, handler.stream = handler.stream, handler._open()
                old.close()
            finally:
                handler.release()


def wants_color(stream: TextIO, choice: bool | None) -> bool:
    """Decide on colour: the flag, then NO_COLOR and FORCE_COLOR, then whether it is a terminal."""
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _formatter(settings: Settings, stream: TextIO) -> logging.Formatter:
    if settings.log_format == "json":
        return JsonFormatter()
    whole = _level(settings.log_level) <= logging.DEBUG
    color = wants_color(stream, settings.color)
    if settings.development:
        console = importlib.import_module("covet.server.console")
        formatter: logging.Formatter = console.ConsoleFormatter(color=color, whole=whole)
        return formatter
    return TextFormatter(color=color, short=stream.isatty(), whole=whole)


def _message(record: logging.LogRecord) -> str:
    """The message with control characters visible; other people's records may have several lines."""
    text = record.getMessage()
    if text.isprintable():
        return text
    ours = record.name == access_logger
    return (CONTROL if ours else CONTROL_BUT_LINES).sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def _rfc3339(moment: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03d}Z"


def _level(name: str) -> int:
    if name.isdigit():
        return int(name)
    if name.lower() not in LEVELS:
        raise SettingsError(f"--log-level: {name!r} is none of {', '.join(LEVELS)}", 2)
    return LEVELS[name.lower()]
