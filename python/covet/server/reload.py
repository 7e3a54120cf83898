"""The parent's part of a reload: which edits there are, what Python must forget of them, what is said.

The supervisor asks it each turn and restarts the worker; it starts no process itself.
"""

import functools
import logging
import os
import time
from collections.abc import Sequence

from . import bytecode
from .error_page import Forgiving
from .settings import Load, Settings
from .watcher import Watcher

__all__ = ["Reload"]

REMEMBERED = 2.0  # seconds: later edits have a modification time that Python can tell from the last one

logger = logging.getLogger("covet")


class Reload:
    """Edits of an application's files, and how far the reload after the last one is."""

    def __init__(self, settings: Settings, load: Load) -> None:
        self.load = Forgiving(load, shown=settings.development)
        self.watcher = Watcher(
            settings.reload_dir or (".",),
            _with_python(settings.reload_include, settings.reload_exclude),
            settings.reload_exclude,
            settings.reload_poll,
        )
        self._edited: list[str] = []
        self._since: float | None = None
        self._recent: dict[str, float] = {}
        self._died = ""

    def edited(self) -> bool:
        """Say whether files have changed, so that a worker has to be started anew."""
        changed = self.watcher.changed()
        if not changed:
            return False
        now = time.monotonic()
        if self._since is None:
            self._since = self.watcher.since
            self._edited = []
        self._edited += [path for path in changed if path not in self._edited]
        self._recent |= dict.fromkeys(changed, now)
        self._died = ""
        return True

    def forget_bytecode(self) -> None:
        """Remove the compiled forms of what was just edited; called before each worker is started."""
        now = time.monotonic()
        self._recent = {path: when for path, when in self._recent.items() if now - when < REMEMBERED}
        bytecode.forget(self._recent)

    def next_load(self) -> Load:
        """Return what the next worker has to load: the application, or the page about its last end."""
        if not self._died:
            return self.load
        return functools.partial(self.load.page, "The application cannot be started", self._died)

    def note_death(self, how: str) -> bool:
        """A worker ended before it was ready; return False when that was true of the error page, too."""
        first, self._died = not self._died, f"The worker process {how} before it was ready."
        return first

    def note_ready(self, broken: bool, took: float) -> None:
        """Say that a worker is ready; `took` milliseconds after its start if no edit was the reason."""
        why = ""
        if self._since is not None:
            why = f"{_listed(self._edited)} changed, "
            took = (time.monotonic() - self._since) * 1000
            self._since = None
        if broken:
            logger.warning("%severy request is answered with the error until the next edit", why)
        elif why or self.load.started:
            logger.info("%sready in %.0f ms", why, took)
        self.load.started = True


def _with_python(include: Sequence[str], exclude: Sequence[str]) -> tuple[str, ...]:
    """Patterns come in addition to Python sources, as in uvicorn, unless those are excluded by name."""
    return tuple(include) if "*.py" in exclude else tuple(dict.fromkeys(("*.py", *include)))


def _listed(paths: Sequence[str]) -> str:
    first = os.path.relpath(paths[0]) if paths else "a file"
    return first if len(paths) < 2 else f"{first} and {len(paths) - 1} more"
