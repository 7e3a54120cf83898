"""The command line's parser: argparse with examples before everything else and suggestions for slips."""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

__all__ = ["Parser", "describe", "suggest"]

# Arguments that ask a command for its parser.
DESCRIBE: Sequence[str] = ("",)


class Described(Exception):
    """Carries a command's parser to whoever asked for it."""

    def __init__(self, parser: "Parser") -> None:
        super().__init__(parser.prog)
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose help opens with examples and whose errors are one paragraph, exit code 2."""

    def __init__(self, prog: str, description: str, examples: str) -> None:
        super().__init__(
            prog, description=description, allow_abbrev=False, formatter_class=_formatter_of_any_width
        )
        self._examples = examples

    def format_help(self) -> str:
        """Return the help, examples first."""
        self.formatter_class = argparse.HelpFormatter
        return f"examples:\n{self._examples.rstrip()}\n\n{super().format_help()}"

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse; name the nearest flag when one is unknown."""
        if arguments is DESCRIBE:
            raise Described(self)
        given, unknown = self.parse_known_args(arguments)
        if unknown:
            flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
            word = unknown[0].split("=")[0]
            self.error(f"unknown argument {unknown[0]}{suggest(word, flags)}")
        return given

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; leave with 2."""
        print(f"error: {message}\n  see: {self.prog} --help", file=sys.stderr)
        sys.exit(2)


def _formatter_of_any_width(prog: str) -> argparse.HelpFormatter:
    # argparse makes one for each argument, to see that it could be shown. Asking for the terminal's width
    # would load shutil, with all its archives, for commands that show nothing.
    return argparse.HelpFormatter(prog, width=80)


def describe(run: Callable[[Sequence[str]], int]) -> Parser:
    """Return the parser of a command. Every command reads its arguments before it does anything else."""
    try:
        run(DESCRIBE)
    except Described as found:
        return found.parser
    raise TypeError(f"{run.__module__}.run does not begin with Parser.read")


def suggest(word: str, known: Iterable[str], form: str = ". Did you mean {}?") -> str:
    """Return a did-you-mean for `word`, or nothing when no known word is near."""
    # difflib costs more than the rest of this module and is wanted only after a mistake.
    near = importlib.import_module("difflib").get_close_matches(word, list(known), n=1)
    return form.format(near[0]) if near else ""
