"""--env-file: put the variables of a file into the environment, without overriding any that are there."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from covet.server.settings import SettingsError

__all__ = ["load_env_file", "parse"]

LINE = re.compile(
    r"""^\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)\s*=\s*
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>[^\n]*?))\s*(?:\s\#.*)?$""",
    re.VERBOSE,
)
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\\": "\\"}


def load_env_file(path: str) -> None:
    """Load `path` into os.environ; what is already set stays.

    Raises:
        SettingsError: the file cannot be read, or a line is no assignment.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--env-file: cannot read {path}: {error}") from None
    for number, name, value in parse(text):
        if name is None:
            raise SettingsError(f"--env-file: {path}:{number} is not NAME=value: {value}")
        os.environ.setdefault(name, value)


def parse(text: str) -> Iterator[tuple[int, str | None, str]]:
    """Yield line number, name and value of each assignment; no name where a line is something else."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = LINE.match(line)
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
