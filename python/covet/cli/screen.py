"""What a serving command says on stderr until it is up: a small screen on a terminal, one line elsewhere.

The screen grows in three steps, which happen in two processes when there is a parent: `opened` and `ready`
in the parent, `found` and `warn` in the first worker between them. NO_COLOR, FORCE_COLOR and TERM=dumb
are honoured.
"""

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from covet.server import Listener, Settings, logs

from .application import Application
from .version import version

__all__ = ["Screen"]

logger = logging.getLogger("covet")


class Screen:
    """The start-up screen of one server."""

    def __init__(self, settings: Settings, application: Application) -> None:
        self._settings = settings
        self._application = application
        self._started = time.perf_counter()
        self._addresses: list[str] = []
        self._is_up = False

    def opened(self, listeners: Sequence[Listener]) -> None:
        """Say where the server listens, before the application is imported."""
        self._addresses = [listener.address for listener in listeners]
        if not self._draws():
            return
        title = f"\n  {self._accent('covet')} {version()}  "
        title += "development   " if self._settings.development else " "
        _print(
            f"{title}Python {sys.version_info.major}.{sys.version_info.minor}, {_loop(self._settings.loop)}"
        )
        for address in self._addresses:
            local = _local(address)
            self._row("local", self._accent(local) + ("" if local == address else "    on every interface"))
        if self._settings.workers > 1:
            self._row("workers", str(self._settings.workers))

    def found(self, app: Any, place: str) -> None:
        """Say which application was found, and where its documentation is."""
        if self._is_up or not self._draws() or logs.worker_name not in ("", "worker 1"):
            return
        note = f"   ({self._application.found})" if self._application.found else ""
        self._row("app", place + note)
        docs = getattr(app, "docs_url", None)
        if docs and getattr(app, "openapi_url", None) and self._addresses:
            self._row("docs", self._accent(_local(self._addresses[0]) + self._settings.root_path + docs))

    def warn(self, text: str) -> None:
        """Warn of something about the application."""
        if self._is_up or not self._draws():
            logger.warning("%s", text)
        else:
            _print(f"  {self._paint('warning', '33')}  {text}")

    def ready(self, files: int) -> None:
        """Say that the server accepts connections; `files` is how many are watched."""
        took = (time.perf_counter() - self._started) * 1000
        watching = f", watching {files} file{'s' * (files != 1)}" if self._settings.reload else ""
        if self._draws():
            _print(f"  ready in {took:.0f} ms{watching}, Ctrl+C stops\n")
        else:
            where = ", ".join(self._addresses)
            count = f", {self._settings.workers} workers" if self._settings.workers > 1 else ""
            text = "covet %s serves %s on %s (pid %d%s), ready in %.0f ms%s"
            logger.info(text, version(), self._application, where, os.getpid(), count, took, watching)
        self._is_up = True

    def _draws(self) -> bool:
        """Whether there is a terminal to draw on, and nobody who wants lines of a certain form."""
        plain = self._settings.log_format == "json" or not sys.stderr.isatty()
        return not plain and logger.isEnabledFor(logging.INFO)

    def _row(self, name: str, text: str) -> None:
        _print(f"  {name:<9}{text}")

    def _accent(self, text: str) -> str:
        return self._paint(text, "36")

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if logs.wants_color(sys.stderr, self._settings.color) else text


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _local(address: str) -> str:
    """An address that a browser on this machine can open."""
    return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _loop(name: str) -> str:
    """The event loop's name, without the cost of importing it here."""
    if name != "auto":
        return name
    return "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
