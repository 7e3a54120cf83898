"""--env-file: put the variables of a file into the environment, without overriding any that are there."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from covet.server.settings import SettingsError

__all__ = ["EnvFile", "parse"]

LINE = r"""^\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>[^\n]*?))\s*(?:\s\#.*)?$"""
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\\": "\\"}


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables and the names that it has set in this process or its parent."""

    path: str
    names: frozenset[str] = frozenset()

    def load(self) -> "EnvFile":
        """Load the file into os.environ, as if for the first time; return what can load it again.

        What somebody else has set stays.

        Raises:
            SettingsError: the file cannot be read, or a line is no assignment.
        """
        values = self._read()
        for name in self.names:
            os.environ.pop(name, None)
        mine = {name: value for name, value in values.items() if name not in os.environ}
        os.environ.update(mine)
        return EnvFile(self.path, frozenset(mine))

    def _read(self) -> dict[str, str]:
        try:
            text = Path(self.path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"--env-file: cannot read {self.path}: {error}") from None
        values: dict[str, str] = {}
        for number, name, value in parse(text):
            if name is None:
                raise SettingsError(f"--env-file: {self.path}:{number} is not NAME=value: {value}")
            values[name] = value
        return values


def parse(text: str) -> Iterator[tuple[int, str | None, str]]:
    """Yield line number, name and value of each assignment; no name where a line is something else."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.match(LINE, line, re.VERBOSE)
        if found is None:
            yield number, None, line.strip()
        elif found["double"] is not None:
            yield (
                number,
                found["name"],
                re.sub(r"\\.", lambda match: ESCAPES.get(match[0], match[0]), found["double"]),
            )
        else:
            value = found["single"] if found["single"] is not None else found["plain"]
            yield number, found["name"], "" if found["single"] is None and value.startswith("#") else value
