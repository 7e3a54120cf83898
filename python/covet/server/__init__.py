"""The server of `covet run`: sockets, workers, signals, logs. `serve` is the way in.

It knows nothing of the command line and nothing of what the application is made of: any ASGI 3 callable
will do.
"""

import importlib
from collections.abc import Callable

from . import deadline, logs
from .settings import ASGIApp, Load, Settings, SettingsError
from .sockets import Listener, open_listeners
from .worker import Worker, engine_options

__all__ = ["ASGIApp", "Listener", "Load", "Settings", "SettingsError", "serve"]

Hello = Callable[[list[Listener], ASGIApp | None], None]


def serve(load: Load, settings: Settings, hello: Hello) -> int:
    """Serve the application that `load` returns until a signal ends it; return the exit code.

    `load` runs in the serving process. `hello` runs once, when the first worker accepts connections; the
    application is None where only a child knows it.

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
        if settings.supervised:
            # A single process, the fastest to start, needs nothing of the parent's modules.
            parent = importlib.import_module("covet.server.supervisor")
            code: int = parent.Supervisor(settings, load, listeners, lambda: hello(listeners, None)).run()
            return code
        deadline.last_words.append(close)
        return Worker(settings, load, listeners, hello=lambda app: hello(listeners, app)).run()
    finally:
        close()
