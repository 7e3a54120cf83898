"""`covet run`: serve an application."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from covet.server import Settings, SettingsError, serve

from .discovery import find_application
from .env_file import load_env_file
from .options import IGNORED, IGNORED_SWITCHES, REFUSED, add_options, read_settings, switch
from .parser import Parser
from .route_checks import RouteChecks
from .screen import Screen

__all__ = ["add_application", "run", "wants_compat"]

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
    add_application(parser)
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        default=os.environ.get("COVET_ENV_FILE"),
        help="variables to add to the environment; those that are set stay",
    )
    add_options(parser)
    given = parser.read(arguments)
    try:
        _refuse(given)
        if given.env_file:
            load_env_file(given.env_file)
        compat = wants_compat(given)
        settings = read_settings(given, compat)
        application = find_application(
            given.entrypoint or given.target,
            attribute=given.name,
            folder=given.app_dir,
            factory=given.factory,
        )
        application = replace(application, prepare=RouteChecks(settings.strict), compat=compat)
        return serve(application, _complete(settings, given.app_dir), Screen(settings, application))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code


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


def _refuse(given: argparse.Namespace) -> None:
    for name, subject in REFUSED.items():
        if hasattr(given, name):
            raise SettingsError(
                f"{name}: this server does not speak {subject} yet; let a proxy in front of it do that", 2
            )
    if getattr(given, "--interface", "asgi3") not in ("asgi3", "auto"):
        raise SettingsError("--interface: only ASGI 3 applications are served", 2)
    for name in (*IGNORED, *IGNORED_SWITCHES):
        if hasattr(given, name):
            print(f"notice: {name} means nothing to this server and is left aside", file=sys.stderr)


def _complete(settings: Settings, folder: str) -> Settings:
    """Watch the application's folder when no other is named."""
    if settings.reload and not settings.reload_dir:
        return replace(settings, reload_dir=(folder,))
    return settings
