"""What `covet run` and `covet dev` share: the command line, and the way from it to a server."""

import argparse
import importlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from covet.server import Settings, SettingsError, serve

from .discovery import find_application
from .interrupt import DeadlyInterrupt
from .naming import add_application, wants_compat
from .options import IGNORED, IGNORED_SWITCHES, REFUSED, add_options, read_settings
from .parser import Parser
from .route_checks import RouteChecks
from .screen import Screen

if TYPE_CHECKING:
    from .env_file import EnvFile

__all__ = ["add_serving", "serve_as_told"]


def add_serving(parser: Parser) -> None:
    """Add the arguments of a command that serves an application."""
    add_application(parser)
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        default=os.environ.get("COVET_ENV_FILE"),
        help="variables to add to the environment; those that are set stay",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="the same as --log-level debug")
    add_options(parser)


def serve_as_told(given: argparse.Namespace, command: str, defaults: Settings) -> int:
    """Serve what the command line names; return the exit code."""
    with DeadlyInterrupt():
        return _serve(given, command, defaults)


def _serve(given: argparse.Namespace, command: str, defaults: Settings) -> int:
    try:
        _refuse(given)
        env_file: EnvFile | None = None
        if given.env_file:
            env_file = importlib.import_module("covet.cli.env_file").EnvFile(given.env_file).load()
        compat = wants_compat(given)
        settings = read_settings(given, compat, defaults)
        application = find_application(
            given.entrypoint or given.target,
            attribute=given.name,
            folder=given.app_dir,
            factory=given.factory,
            command=command,
        )
        if settings.reload:
            settings = _watching(settings, given.app_dir, env_file)
            application = replace(application, env_file=env_file)
        else:  # SIGHUP has the code loaded anew, too: the parent must know where it is
            settings = settings._replace(reload_dir=settings.reload_dir or (application.folder,))
        screen = Screen(settings, application)
        checks = RouteChecks(settings.strict, screen.warn)
        application = replace(
            application, prepare=Preparation(screen, checks, settings.development), compat=compat
        )
        return serve(application, settings, screen)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code


class Preparation:
    """What is done with an application that has just been imported, in the process that serves it."""

    def __init__(self, screen: Screen, checks: RouteChecks, development: bool) -> None:
        self._screen = screen
        self._checks = checks
        self._development = development

    def __call__(self, app: object, place: str) -> None:
        """Say what was found and what is wrong with it."""
        self._screen.found(app, place)
        self._checks(app)
        if self._development and hasattr(app, "exception_handlers"):
            # Only an application of ours has what this needs, and has imported it already.
            importlib.import_module("covet.cli.validation_notes").note_validation_errors(app)


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


def _watching(settings: Settings, folder: str, env_file: "EnvFile | None") -> Settings:
    """Watch the application's folder when no other is named, and the file of variables in any case."""
    folders = settings.reload_dir or (folder,)
    for name in folders:
        if not os.path.isdir(name):
            raise SettingsError(f"--reload-dir {name}: there is no such folder")
    include = settings.reload_include
    if env_file is not None:
        include += (os.path.basename(env_file.path),)
    return settings._replace(reload_dir=folders, reload_include=include)
