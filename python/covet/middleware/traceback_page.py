"""An exception as an HTML page for development: the error and the innermost frames with their source.

Everything that comes from the program is escaped. Never shown unless debugging was asked for.
"""

from __future__ import annotations

import html
import inspect
import traceback

__all__ = ["render_frame", "render_line", "render_page"]

_STYLE = """\
body { font-family: system-ui, sans-serif; color: #211c1c; margin: 2rem; }
h2 { font-weight: 500; }
.frame { border: 1px solid #c7dce8; margin-bottom: .5rem; }
.frame > summary { background: #e4f4fd; padding: .5rem .75rem; cursor: pointer; }
.frame pre { margin: 0; padding: .5rem 0; overflow-x: auto; }
.line { display: block; padding-left: .75rem; }
.center-line { background: #038bb8; color: #f9f6e1; }
.lineno { display: inline-block; min-width: 3.5rem; opacity: .7; }
"""


def render_page(exc: Exception, frames: str) -> str:
    """Return the page of an exception around its rendered frames."""
    error = f"{html.escape(type(exc).__name__)}: {html.escape(_message(exc))}"
    notes = "".join(f"<pre>{html.escape(str(note))}</pre>\n" for note in getattr(exc, "__notes__", ()))
    return (
        f"<!doctype html>\n<html>\n<head><meta charset='utf-8'><title>500 Server Error</title>"
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>500 Server Error</h1>\n<h2>{error}</h2>\n{notes}"
        f"<h3>Traceback</h3>\n{frames}\n</body>\n</html>\n"
    )


def render_frame(frame: inspect.FrameInfo, is_collapsed: bool) -> str:
    """Return one frame; source that cannot be had leaves it empty."""
    centre = frame.index or 0
    first = frame.lineno - centre
    lines = "".join(
        render_line(first + place, line, place == centre)
        for place, line in enumerate(frame.code_context or [])
    )
    title = (
        f"File <code>{html.escape(frame.filename)}</code>, line <i>{frame.lineno}</i>, "
        f"in <b>{html.escape(frame.function)}</b>"
    )
    opened = "" if is_collapsed else " open"
    return f'<details class="frame"{opened}><summary>{title}</summary><pre>{lines}</pre></details>\n'


def render_line(number: int, line: str, is_centre: bool) -> str:
    """Return one line of source with its number."""
    kind = "line center-line" if is_centre else "line"
    return f'<span class="{kind}"><span class="lineno">{number}.</span>{html.escape(line.rstrip())}</span>'


def _message(exc: Exception) -> str:
    return str(traceback.TracebackException.from_exception(exc))
