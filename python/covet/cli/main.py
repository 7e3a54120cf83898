"""The entry point of the `covet` command: find the command, load its module only, return its exit code."""

import importlib
import os
import sys
from collections.abc import Sequence

from .collector import collection_postponed
from .interrupt import DeadlyInterrupt
from .parser import suggest
from .version import version

__all__ = ["main"]

COMMANDS = {
    "dev": ("covet.cli.dev", "serve an application while you write it"),
    "run": ("covet.cli.run", "serve an application"),
    "new": ("covet.cli.new", "make a small project to start from"),
    "routes": ("covet.cli.routes", "list an application's routes"),
    "openapi": ("covet.cli.openapi", "write or compare an application's OpenAPI document"),
    "completion": ("covet.cli.completion", "print a script that completes commands in a shell"),
}
INTERRUPTED = 130  # what a shell makes of Ctrl+C
EXAMPLES = """\
examples:
  covet dev                       serve the application found in this folder, follow its edits
  covet run main:app              serve it in production
  covet routes main:app           list its routes
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 (user's mistake), 2 (wrong usage), 3 (start-up failed) or 130 (Ctrl+C)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help(), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] in ("-V", "--version", "version"):
        print(f"covet {version()}")
        return 0
    if words[0] not in COMMANDS:
        print(
            f"error: unknown command {words[0]!r}{suggest(words[0], COMMANDS)}\n  see: covet --help",
            file=sys.stderr,
        )
        return 2
    try:
        with DeadlyInterrupt(), collection_postponed():
            command = importlib.import_module(COMMANDS[words[0]][0])
        code: int = command.run(words[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as head(1), has had enough. Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _help() -> str:
    rows = "\n".join(f"  {name:<12}{text}" for name, (_, text) in COMMANDS.items())
    return (
        f"{EXAMPLES}\ncommands:\n{rows}\n\n"
        "covet COMMAND --help says more; covet --version prints the version.\n"
        "Every option can also be set as COVET_NAME in the environment."
    )
