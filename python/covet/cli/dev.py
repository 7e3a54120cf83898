"""`covet dev`: serve an application on this machine only, and load it anew whenever a file changes."""

import os
import sys
from collections.abc import Sequence

from covet.server import Settings

from .debugger import debugger
from .parser import Parser
from .serving import add_serving, serve_as_told

__all__ = ["run"]

EXAMPLES = """\
  covet dev                            the application found in this folder
  covet dev main:app --port 9000       app in main.py
  covet dev app/main.py                app, api or the one application in a file
  covet dev --reload-include '*.html'  load anew when a template changes, too
  covet dev --host 0.0.0.0             be reachable from other machines
"""
DEFAULTS = Settings(host="127.0.0.1", reload=True, development=True)


def run(arguments: Sequence[str]) -> int:
    """Read the command line, serve, return the exit code."""
    text = "Serve an application for its developer: on 127.0.0.1, loaded anew when a file changes."
    parser = Parser("covet dev", text, EXAMPLES)
    add_serving(parser)
    given = parser.read(arguments)
    # The name by which FastAPI's own command tells an application where it runs.
    os.environ.setdefault("FASTAPI_ENV", "development")
    name = debugger()
    if name is None:
        return serve_as_told(given, "dev", DEFAULTS)
    if getattr(given, "reload", True):
        print(
            f"notice: {name} is attached: the application runs in this process and is not loaded anew",
            file=sys.stderr,
        )
    given.reload = False
    return serve_as_told(given, "dev", DEFAULTS._replace(reload=False))
