"""The files that an application is made of: which they are, and what each looked like when last seen.

The watcher asks it; it reads directories and never imports or opens what it finds.
"""

import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence

__all__ = ["SourceFiles"]

# Folders that hold other people's code, or nothing that an application is made of.
SKIPPED = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "target"}
# What tells two versions of a file apart: an editor may keep the size, a checkout the time.
Stamp = tuple[int, int, int]


class SourceFiles:
    """The files below some folders that match `include` and not `exclude`.

    `include` patterns are for names, as in a shell: `*` matches no leading dot. `exclude` patterns are for
    names or paths of files and folders. `enter` is told each folder before it is read.
    """

    def __init__(
        self,
        folders: Sequence[str],
        include: Sequence[str],
        exclude: Sequence[str],
        enter: Callable[[str], None] = lambda folder: None,
    ) -> None:
        self.folders = [os.path.abspath(folder) for folder in folders]
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._enter = enter
        self._stamps: dict[str, Stamp] = dict(self._walk())

    def __len__(self) -> int:
        return len(self._stamps)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stamps)

    def __contains__(self, path: object) -> bool:
        return path in self._stamps

    def matches(self, folder: str, name: str) -> bool:
        """Say whether a file of this name in this folder belongs to the application."""
        named = any(
            fnmatch.fnmatch(name, pattern) and (name[:1] != "." or pattern[:1] == ".")
            for pattern in self._include
        )
        return named and not self._excluded(folder, name)

    def may_enter(self, folder: str, name: str) -> bool:
        """Say by its name whether a folder below `folder` is looked into."""
        return not name.startswith(".") and name not in SKIPPED and not self._excluded(folder, name)

    def check(self, path: str) -> bool:
        """Look at one file; say whether it was changed, added or removed since the last look."""
        before, now = self._stamps.pop(path, None), _stamp(path)
        if now is not None:
            self._stamps[path] = now
        return now != before

    def check_known(self) -> list[str]:
        """Return those of the known files that were changed or removed."""
        return [path for path in list(self._stamps) if self.check(path)]

    def look(self) -> list[str]:
        """Walk the folders; return the files that were changed, added or removed."""
        before, self._stamps = self._stamps, dict(self._walk())
        changed = [path for path, stamp in self._stamps.items() if before.get(path) != stamp]
        return changed + [path for path in before if path not in self._stamps]

    def _walk(self) -> Iterator[tuple[str, Stamp]]:
        pending = list(self.folders)
        while pending:
            folder = pending.pop()
            # Entered before it is read: what is written meanwhile is either read here or noticed.
            self._enter(folder)
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            if self.may_enter(folder, entry.name) and not _is_environment(entry.path):
                                pending.append(entry.path)
                        elif self.matches(folder, entry.name) and (stamp := _stamp(entry.path)):
                            yield entry.path, stamp
            except OSError:  # it vanished while we looked, or is not ours to read
                continue

    def _excluded(self, folder: str, name: str) -> bool:
        return any(
            fnmatch.fnmatch(name, pattern)
            or fnmatch.fnmatch(os.path.join(folder, name), os.path.abspath(pattern))
            for pattern in self._exclude
        )


def _is_environment(folder: str) -> bool:
    """A virtual environment may have any name."""
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
