"""Watching source files, for reload: by the kernel's notices, or by looking at the files again and again.

The parent asks it. It starts no thread, because the parent forks; and it waits until an edit is over,
because editors replace files in several steps.
"""

import errno
import logging
import os
import time
from collections.abc import Sequence

from covet._engine import FolderWatch

from .mounts import is_remote
from .source_files import SourceFiles

__all__ = ["Watcher"]

QUIET = 0.03  # seconds without a further notice after which an edit is over
PATIENCE = 0.25  # seconds an edit may go on, and a file be missing between two steps of its replacement
BREATH = 0.01  # seconds notices gather before they are read: a busy folder costs 1 % of a core at most
# Without notices: rests between looks, so that looking takes 1 % of a core at most.
REST = 100
SHORTEST_REST, LONGEST_REST = 0.1, 2.0  # seconds
WALK_EVERY = 1.0  # seconds between two looks for new files; known files are looked at each time
LOST_EVERY = 0.25  # seconds between two looks whether a watched folder that vanished is back

LIMIT = "the kernel watches no more folders (see sysctl fs.inotify.max_user_watches)"

logger = logging.getLogger("covet")


class Watcher:
    """The changes of an application's files. `poll` leaves the kernel's notices aside."""

    def __init__(
        self, folders: Sequence[str], include: Sequence[str], exclude: Sequence[str], poll: bool = False
    ) -> None:
        self._notices = None if poll or any(map(is_remote, folders)) else _open()
        # Whether it looks at the files itself instead of waiting for notices.
        self.polls = self._notices is None
        self._watched: dict[int, str] = {}
        self._suspects: set[str] = set()
        self._walk_due = False
        self._lost = False
        self._first = self._last = 0.0
        self._walked = time.monotonic()
        self._rests_until = 0.0
        self._files = SourceFiles(folders, include, exclude, self._enter)
        self._note_lost()

    def __len__(self) -> int:
        return len(self._files)

    def fileno(self) -> int | None:
        """Return the descriptor that is readable when there are notices; it stays the same."""
        return None if self._notices is None else self._notices.fileno()

    def pause(self) -> float:
        """Return the seconds after which `changed` wants to be asked, notices or not."""
        if self.polls:
            return max(self._rests_until - time.monotonic(), 0.0)
        if self._pending:
            return QUIET
        return LOST_EVERY if self._lost else 3600.0

    @property
    def since(self) -> float:
        """When the edit that `changed` returned last was first noticed, by time.monotonic()."""
        return self._first

    def changed(self) -> list[str]:
        """Return the files that were changed, added or removed since the last call, once an edit is over."""
        if self.polls or self._notices is None:
            return self._poll()
        if self._lost and any(os.path.isdir(folder) for folder in self._absent()):
            self._suspect(walk=True)
        self._read(self._notices)
        now = time.monotonic()
        if not self._pending or (now - self._last < QUIET and now - self._first < PATIENCE):
            return []
        if now - self._first < PATIENCE and self._is_between_steps():
            return []
        return self._conclude()

    @property
    def _pending(self) -> bool:
        return self._walk_due or bool(self._suspects)

    def _is_between_steps(self) -> bool:
        """Whether a file has been moved away, most likely because its next version is on its way."""
        return any(path in self._files and not os.path.exists(path) for path in self._suspects)

    def _conclude(self) -> list[str]:
        changed = [path for path in self._suspects if self._files.check(path)]
        if self._walk_due:
            self._watched.clear()
            changed += [path for path in self._files.look() if path not in changed]
            self._note_lost()
        self._suspects.clear()
        self._walk_due = False
        return sorted(changed)

    def _suspect(self, path: str | None = None, walk: bool = False) -> None:
        now = time.monotonic()
        if not self._pending:
            self._first = now
        self._last = now
        self._walk_due |= walk
        if path is not None:
            self._suspects.add(path)

    def _read(self, notices: FolderWatch) -> None:
        found = notices.read()
        if found:
            time.sleep(BREATH)
            found += notices.read()
        for watch, name, is_folder in dict.fromkeys(found):
            folder = None if watch is None else self._watched.get(watch)
            if watch is None:
                self._suspect(walk=True)
            elif folder is None:  # a folder that has been moved out of sight
                continue
            elif name is None:
                if not os.path.isdir(folder):
                    self._suspect(walk=True)
            elif is_folder:
                if self._files.may_enter(folder, name):
                    self._suspect(walk=True)
            elif self._files.matches(folder, name):
                self._suspect(os.path.join(folder, name))

    def _enter(self, folder: str) -> None:
        """Ask for the notices of a folder that is about to be read."""
        if self.polls or self._notices is None:
            return
        try:
            self._watched[self._notices.add(folder)] = folder
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM):
                self.polls = True
                logger.info("looking at files every now and then: %s", LIMIT)

    def _absent(self) -> set[str]:
        return set(self._files.folders) - set(self._watched.values())

    def _note_lost(self) -> None:
        """A watched folder that is removed takes its notices with it, and may come back."""
        self._lost = bool(self._absent())

    def _poll(self) -> list[str]:
        begun = time.monotonic()
        if self._notices is not None:
            self._notices.read()  # to silence the descriptor
        if begun < self._rests_until:
            return []
        changed = self._files.check_known()
        if changed or begun - self._walked >= WALK_EVERY:
            changed += self._files.look()
            self._walked = time.monotonic()
        now = time.monotonic()
        self._rests_until = now + min(max(REST * (now - begun), SHORTEST_REST), LONGEST_REST)
        self._first = begun
        return sorted(changed)


def _open() -> FolderWatch | None:
    """Return where notices come from, or None where the kernel has none to give."""
    try:
        return FolderWatch()
    except OSError:
        return None
