"""`covet completion`: the script that completes commands and flags in a shell, on stdout."""

import argparse
import importlib
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

from .parser import Parser, describe

__all__ = ["run"]

EXAMPLES = """\
  covet completion bash > ~/.local/share/bash-completion/completions/covet
  covet completion zsh > "${fpath[1]}/_covet"
  covet completion fish > ~/.config/fish/completions/covet.fish
"""
BASH = """\
_covet() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" flags=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$current"))
        return
    fi
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    case "$current" in
        -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
        *) COMPREPLY=($(compgen -f -- "$current")) ;;
    esac
}}
complete -o filenames -F _covet covet
"""
ZSH = """\
#compdef covet
_covet() {{
    local -a commands
    commands=({commands})
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{cases}
    esac
}}
compdef _covet covet
"""


class Command(NamedTuple):
    """A command with its flags, each with what it does."""

    name: str
    text: str
    flags: list[tuple[str, str]]


def run(arguments: Sequence[str]) -> int:
    """Print the script of one shell."""
    parser = Parser("covet completion", "Print a script that completes covet's commands and flags.", EXAMPLES)
    parser.add_argument("shell", choices=sorted(SHELLS), help="bash, fish or zsh")
    given = parser.read(arguments)
    sys.stdout.write(SHELLS[given.shell](_commands()))
    return 0


def _commands() -> list[Command]:
    # main.py imports the module of the command that runs, so it must not be imported from here at once.
    known: dict[str, tuple[str, str]] = importlib.import_module("covet.cli.main").COMMANDS
    modules = {name: importlib.import_module(module) for name, (module, _) in known.items()}
    return [Command(name, text, _flags(describe(modules[name].run))) for name, (_, text) in known.items()]


def _flags(parser: Parser) -> list[tuple[str, str]]:
    actions = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    return [(flag, action.help or "") for action in actions for flag in action.option_strings]


def _bash(commands: list[Command]) -> str:
    cases = []
    for command in commands:
        flags = " ".join(flag for flag, _ in command.flags)
        cases.append(f'        {command.name}) flags="{flags}" ;;')
    return BASH.format(commands=" ".join(command.name for command in commands), cases="\n".join(cases))


def _zsh(commands: list[Command]) -> str:
    names = " ".join(shlex.quote(f"{command.name}:{command.text}") for command in commands)
    cases = []
    for command in commands:
        flags = " ".join(shlex.quote(f"{flag}[{_plain(text)}]") for flag, text in command.flags)
        cases.append(f"        {command.name}) _arguments {flags} '*:file:_files' ;;")
    return ZSH.format(commands=names, cases="\n".join(cases))


def _fish(commands: list[Command]) -> str:
    lines = []
    for name, text, flags in commands:
        lines.append(f"complete -c covet -n __fish_use_subcommand -f -a {name} -d {shlex.quote(text)}")
        for flag, meaning in flags:
            kind = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
            when = f"'__fish_seen_subcommand_from {name}'"
            lines.append(f"complete -c covet -n {when} {kind} -d {shlex.quote(_plain(meaning))}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A help text without what zsh takes for syntax, or fish's quotes need a backslash for."""
    return text.translate(str.maketrans("[]:'\\`", '(),"/"'))


SHELLS = {"bash": _bash, "fish": _fish, "zsh": _zsh}
