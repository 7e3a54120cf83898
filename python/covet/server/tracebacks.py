"""Tracebacks cut to what the user wrote: the standard library, covet and installed packages are left out.

Used for errors of the application at import and start-up. The exception and its causes are never changed.
"""

import importlib.util
import logging
import os
import traceback

from .lifespan import LifespanError

__all__ = ["format_user", "format_without_ours", "is_foreign", "report"]

STANDARD = os.path.dirname(os.__file__)
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

logger = logging.getLogger("covet")


def is_foreign(filename: str) -> bool:
    """Whether a source file is somebody else's: the interpreter's, covet's or an installed package's."""
    if filename.startswith("<") or "site-packages" in filename or "dist-packages" in filename:
        return True
    return filename.startswith((STANDARD + os.sep, OURS + os.sep))


def format_user(error: BaseException) -> str:
    """Render an exception with the user's own frames, and the one that raised it."""
    report = traceback.TracebackException.from_exception(error)
    _cut(report)
    return "".join(report.format()).rstrip()


def format_without_ours(error: BaseException) -> str:
    """Render an exception without covet's own frames, unless there are no others."""
    report = traceback.TracebackException.from_exception(error)
    pending = [report]
    while pending:
        each = pending.pop()
        others = [frame for frame in each.stack if not frame.filename.startswith(OURS + os.sep)]
        each.stack[:] = others or each.stack
        pending += _inner(each)
    return "".join(report.format()).rstrip()


def report(what: str, error: LifespanError) -> None:
    """Log that a step of the lifespan failed: with the user's traceback, else with what it said."""
    cause = error.__cause__
    text = format_user(cause) if cause is not None else error.text.rstrip()
    logger.error("%s\n%s" if text else "%s%s", what, text)


def _cut(report: traceback.TracebackException) -> None:
    frames = [frame for frame in report.stack if not is_foreign(frame.filename)]
    if report.stack and report.stack[-1] not in frames and not _is_machinery(report.stack[-1].filename):
        frames.append(report.stack[-1])
    report.stack[:] = frames
    for inner in _inner(report):
        _cut(inner)


def _inner(report: traceback.TracebackException) -> list[traceback.TracebackException]:
    """Causes, contexts and the members of a group."""
    linked = [inner for inner in (report.__cause__, report.__context__) if inner is not None]
    return linked + list(report.exceptions or ())


def _is_machinery(filename: str) -> bool:
    """importlib's frames say nothing about why an import failed."""
    return filename.startswith(("<", OURS)) or filename == importlib.util.__file__ or "importlib" in filename
