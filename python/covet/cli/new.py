"""`covet new`: make a small project to start from. It asks on a terminal only and never overwrites a file."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from covet.server.settings import SettingsError

from .parser import Parser
from .project import DOCKER_FILES, FILES

__all__ = ["run"]

EXAMPLES = """\
  covet new shop            a project in the folder shop
  covet new .               in this folder
  covet new shop --docker   with a Dockerfile
"""
# What packaging tools take for a name, https://packaging.python.org/en/latest/specifications/name-normalization/
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def run(arguments: Sequence[str]) -> int:
    """Make the project; return 1 when that is not possible."""
    parser = Parser("covet new", "Make a small project: application, tests, settings.", EXAMPLES)
    parser.add_argument("folder", nargs="?", metavar="NAME", help="folder to make; its name is the project's")
    parser.add_argument(
        "--docker", action=argparse.BooleanOptionalAction, help="add a Dockerfile (asked for on a terminal)"
    )
    given = parser.read(arguments)
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    try:
        if given.folder is None:
            if not asks:
                parser.error("name the project: covet new shop")
            given.folder = _ask("name of the project: ")
            given.docker = _ask("with a Dockerfile? [y/N] ").lower() in ("y", "yes") or given.docker
        _make(Path(given.folder), FILES | (DOCKER_FILES if given.docker else {}))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except (EOFError, KeyboardInterrupt):
        print("\nnothing was made", file=sys.stderr)
        return 1
    return 0


def _ask(question: str) -> str:
    # input() would write the question to stdout, which is for data.
    print(question, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise EOFError
    return answer.strip()


def _make(folder: Path, files: Mapping[str, str]) -> None:
    name = folder.resolve().name
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} cannot be a project's name: letters, digits, and '-', '_', '.' between them", 2
        )
    there = [path for path in files if os.path.lexists(folder / path)]
    if there:
        raise SettingsError(f"{folder / there[0]} exists, and nothing is overwritten. Choose another name.")
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / path, "x", encoding="utf-8") as file:
                file.write(text.format(name=name))
    except OSError as error:
        raise SettingsError(f"cannot write {error.filename}: {error.strerror}") from None
    made = ", ".join(path for path in files if files[path])
    steps = ["covet dev", "covet routes"] if folder.resolve() == Path.cwd() else [f"cd {folder}", "covet dev"]
    print(f"made {name}: {made}\n\n  " + "\n  ".join(steps), file=sys.stderr)
