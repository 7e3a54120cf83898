"""The server of `covet run`: sockets, workers, signals, logs. `serve` is the way in.

It knows nothing of the command line and nothing of what the application is made of: any ASGI 3 callable
will do.
"""

import importlib
from collections.abc import Sequence
from typing import Protocol

from . import deadline, logs
from .settings import ASGIApp, BrokenApplication, Load, Settings, SettingsError
from .sockets import Listener, open_listeners
from .worker import Worker, engine_options

__all__ = [
    "ASGIApp",
    "Announcer",
    "BrokenApplication",
    "Listener",
    "Load",
    "Settings",
    "SettingsError",
    "serve",
]


class Announcer(Protocol):
    """Who tells people how far the server is."""

    def opened(self, listeners: Sequence[Listener]) -> None:
        """Tell where it listens; nothing has been imported yet."""

    def ready(self, files: int) -> None:
        """Tell that the first worker accepts connections; `files` is how many are watched."""


def serve(load: Load, settings: Settings, announcer: Announcer) -> int:
    """Serve the application that `load` returns until a signal ends it; return the exit code.

    `load` runs in the serving process. `announcer` is called in the calling process, each of its
    methods once.

    Raises:
        SettingsError: the settings cannot be carried out, for example because the port is taken.
    """
    logs.configure(settings)
    engine_options(settings)  # mistakes in them are better found before a worker is started
    listeners = open_listeners(settings)

    def close() -> None:
        for listener in listeners:
            listener.close()

    try:
        announcer.opened(listeners)
        if settings.supervised:
            # A single process, the fastest to start, needs nothing of the parent's modules.
            parent = importlib.import_module("covet.server.supervisor")
            code: int = parent.Supervisor(settings, load, listeners, announcer.ready).run()
            return code
        deadline.last_words.append(close)
        return Worker(settings, load, listeners, hello=lambda app: announcer.ready(0)).run()
    finally:
        close()
