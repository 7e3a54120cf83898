"""What `covet run` says on stderr when it is up: a small screen on a terminal, one line elsewhere.

NO_COLOR, FORCE_COLOR and TERM=dumb are honoured.
"""

import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from covet.server import Listener, Settings
from covet.server.logs import wants_color

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

    def __call__(self, listeners: Sequence[Listener], app: Any) -> None:
        """Say that the server is ready; `app` is None where only a child knows it."""
        took = (time.perf_counter() - self._started) * 1000
        if self._settings.log_format == "json" or not sys.stderr.isatty():
            self._lines(listeners, took)
        elif logger.isEnabledFor(logging.INFO):
            self._picture(listeners, app, took)

    def _lines(self, listeners: Sequence[Listener], took: float) -> None:
        where = ", ".join(listener.address for listener in listeners)
        count = f", {self._settings.workers} workers" if self._settings.workers > 1 else ""
        logger.info(
            "covet %s serves %s on %s (pid %d%s), ready in %.0f ms",
            version(),
            self._application,
            where,
            os.getpid(),
            count,
            took,
        )

    def _picture(self, listeners: Sequence[Listener], app: Any, took: float) -> None:
        python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        rows = [("app", f"{self._application}{self._note()}")]
        for listener in listeners:
            docs = getattr(app, "docs_url", None)
            address = listener.address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
            everywhere = "" if address == listener.address else "    on every interface"
            rows.append(("local", f"{self._accent(address)}{everywhere}{f'    docs {docs}' if docs else ''}"))
        if self._settings.supervised:
            rows.append(("workers", str(self._settings.workers)))
        if self._settings.reload:
            rows.append(("watching", ", ".join(self._settings.reload_dir or (".",))))
        lines = ["", f"  {self._accent('covet')} {version()}   {python}"]
        lines += [f"  {name:<9}{text}" for name, text in rows]
        lines += [f"  ready in {took:.0f} ms, Ctrl+C stops", ""]
        print("\n".join(lines), file=sys.stderr, flush=True)

    def _note(self) -> str:
        return f"   ({self._application.found})" if self._application.found else ""

    def _accent(self, text: str) -> str:
        return f"\x1b[36m{text}\x1b[0m" if wants_color(sys.stderr, self._settings.color) else text
