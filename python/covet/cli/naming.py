"""The arguments by which every command names its application."""

import argparse
import os

from covet.server.settings import SettingsError

from .options import switch
from .parser import Parser

__all__ = ["add_application", "wants_compat"]


def add_application(parser: Parser) -> None:
    """Add the arguments by which every command names its application."""
    parser.add_argument(
        "target", nargs="?", metavar="APP", help="module:attribute, a file, or nothing to look for it"
    )
    parser.add_argument("-e", "--entrypoint", metavar="APP", help="the same, as a flag")
    parser.add_argument("--app", dest="name", metavar="NAME", help="the attribute that holds the application")
    parser.add_argument(
        "--app-dir",
        default=os.environ.get("COVET_APP_DIR", "."),
        metavar="PATH",
        help="folder to import from (.)",
    )
    parser.add_argument(
        "--factory", action="store_true", help="the attribute is a function that returns the application"
    )
    parser.add_argument(
        "--compat",
        action=argparse.BooleanOptionalAction,
        help="import fastapi and import starlette mean covet: the application runs unchanged",
    )


def wants_compat(given: argparse.Namespace) -> bool:
    """Say whether covet stands in for FastAPI, by the flag or by COVET_COMPAT.

    Raises:
        SettingsError: the variable is neither yes nor no.
    """
    if given.compat is not None:
        return bool(given.compat)
    text = os.environ.get("COVET_COMPAT", "")
    try:
        return switch(text)
    except ValueError:
        raise SettingsError(f"COVET_COMPAT: {text!r} is not yes or no", 2) from None
