"""Watching source files by their modification times, for --reload.

Asked by the parent a few times a second. It only reads directories; it never imports what it finds.
"""

import fnmatch
import importlib.util
import os
import time
from collections.abc import Iterator, Sequence

__all__ = ["Watcher", "forget_bytecode"]

# Folders that hold other people's code, or nothing that an application is made of.
SKIPPED = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "target"}
WALK_EVERY = 1.0  # seconds between two looks for new files; known files are looked at each time
# After a look it rests for this many times as long: watching takes 1 % of a core at most.
REST = 100
LONGEST_REST = 2.0  # seconds


class Watcher:
    """The files below some folders that match, and when each was last modified."""

    def __init__(self, folders: Sequence[str], include: Sequence[str], exclude: Sequence[str]) -> None:
        self._folders = [os.path.abspath(folder) for folder in folders]
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._times = dict(self._walk())
        self._walked = time.monotonic()
        self._rests_until = 0.0

    def __len__(self) -> int:
        return len(self._times)

    def changed(self) -> str | None:
        """Return a file that was changed, added or removed since the last call, or None."""
        begun = time.monotonic()
        if begun < self._rests_until:
            return None
        found = self._look()
        now = time.monotonic()
        self._rests_until = now + min(REST * (now - begun), LONGEST_REST)
        return found

    def _look(self) -> str | None:
        found = self._modified()
        if found is None and time.monotonic() - self._walked >= WALK_EVERY:
            now = dict(self._walk())
            found = next((path for path, modified in now.items() if self._times.get(path) != modified), None)
            self._times = now
            self._walked = time.monotonic()
        return found

    def _modified(self) -> str | None:
        found = None
        for path, before in list(self._times.items()):
            try:
                now = os.stat(path).st_mtime_ns
            except OSError:
                del self._times[path]
                found = path
                continue
            if now != before:
                self._times[path] = now
                found = path
        return found

    def _walk(self) -> Iterator[tuple[str, int]]:
        pending = list(self._folders)
        while pending:
            try:
                with os.scandir(pending.pop()) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            if self._enters(entry):
                                pending.append(entry.path)
                        elif self._matches(entry):
                            yield entry.path, entry.stat().st_mtime_ns
            except OSError:  # it vanished while we looked, or is not ours to read
                continue

    def _enters(self, entry: "os.DirEntry[str]") -> bool:
        name = entry.name
        if name.startswith(".") or name in SKIPPED or self._excluded(entry):
            return False
        return not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))

    def _matches(self, entry: "os.DirEntry[str]") -> bool:
        named = any(fnmatch.fnmatch(entry.name, pattern) for pattern in self._include)
        return named and not self._excluded(entry)

    def _excluded(self, entry: "os.DirEntry[str]") -> bool:
        return any(
            fnmatch.fnmatch(entry.name, pattern) or fnmatch.fnmatch(entry.path, os.path.abspath(pattern))
            for pattern in self._exclude
        )


def forget_bytecode(path: str) -> None:
    """Remove the compiled form of a changed source.

    Python takes it for current when size and modification second are the same, as after two quick edits.
    """
    try:
        os.unlink(importlib.util.cache_from_source(path))
    except (OSError, NotImplementedError):
        pass
