"""`covet run`: serve an application in production."""

from collections.abc import Sequence

from covet.server import Settings

from .parser import Parser
from .serving import add_serving, serve_as_told

__all__ = ["run"]

EXAMPLES = """\
  covet run                                  the application found in this folder
  covet run main:app --port 9000             app in main.py
  covet run shop.main:create_app --factory   what a function returns
  covet run main:app --workers 4             four processes on one socket
  covet run main:app --compat                an application written for FastAPI
  covet run main:app --uds /run/shop.sock --trusted-proxies unix
"""


def run(arguments: Sequence[str]) -> int:
    """Read the command line, serve, return the exit code."""
    parser = Parser("covet run", "Serve an application until a signal ends it.", EXAMPLES)
    add_serving(parser)
    return serve_as_told(parser.read(arguments), "run", Settings())
