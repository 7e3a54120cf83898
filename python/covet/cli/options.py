"""The options of `covet run` as one table: flag, variable, type, default, help.

Flags win over COVET_* variables, those over the names that platforms set, those over the defaults.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from covet.server.settings import Settings, SettingsError

__all__ = [
    "IGNORED",
    "IGNORED_SWITCHES",
    "OPTIONS",
    "REFUSED",
    "Option",
    "add_options",
    "read_settings",
    "switch",
]


def switch(text: str) -> bool:
    """Read a boolean as environments spell it."""
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("expected yes or no")


def words(text: str) -> tuple[str, ...]:
    """Read a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def whole(text: str) -> int:
    """Read a whole number that is not negative."""
    number = int(text)
    if number < 0:
        raise ValueError("expected a number that is not negative")
    return number


def positive(text: str) -> int:
    """Read a whole number of at least one."""
    number = int(text)
    if number < 1:
        raise ValueError("expected a number of at least 1")
    return number


def port(text: str) -> int:
    """Read a port number."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError("expected a port from 0 to 65535")
    return number


def seconds(text: str) -> float:
    """Read a duration."""
    number = float(text)
    if not 0 <= number < 1e9:
        raise ValueError("expected a number of seconds")
    return number


def choice(*values: str) -> Callable[[str], str]:
    """Read one of some words."""

    def read(text: str) -> str:
        if text.lower() not in values:
            raise ValueError(f"expected one of {', '.join(values)}")
        return text.lower()

    return read


# What Python's own conversion errors should have said.
SAYS: dict[Callable[[str], Any], str] = {
    whole: "a whole number",
    port: "a port from 0 to 65535",
    positive: "a whole number of at least 1",
    seconds: "a number of seconds",
    switch: "yes or no",
}


class Option(NamedTuple):
    """One setting: `name` is the field of Settings, the flag with dashes, and COVET_ in capitals."""

    name: str
    read: Callable[[str], Any]
    help: str
    metavar: str = ""
    flags: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    group: str = "server"

    @property
    def flag(self) -> str:
        """The option's own flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def variables(self) -> tuple[str, ...]:
        """Environment variables, strongest first."""
        return ("COVET_" + self.name.upper(), *self.environment)

    @property
    def uvicorn_variables(self) -> tuple[str, ...]:
        """Variables that uvicorn reads for the same thing; they count under --compat, after all others."""
        names = [flag.removeprefix("--") for flag in (self.flag, *self.flags) if flag.startswith("--")]
        return tuple("UVICORN_" + name.replace("-", "_").upper() for name in names)


OPTIONS = (
    Option("host", str, "address to listen on (0.0.0.0)", "ADDRESS"),
    Option("port", port, "port to listen on; 0 picks a free one (8000)", "PORT", environment=("PORT",)),
    Option("uds", str, "listen on a unix socket instead", "PATH"),
    Option("fd", whole, "listen on a socket that is already open", "NUMBER"),
    Option("backlog", positive, "connections the kernel may queue (2048)", "N"),
    Option("root_path", str, "path prefix that a proxy strips", "PATH"),
    Option("proxy_headers", switch, "believe X-Forwarded-* of trusted proxies"),
    Option(
        "trusted_proxies",
        words,
        "their addresses or networks, comma separated; 'unix'; '*'",
        "LIST",
        ("--forwarded-allow-ips",),
        ("FORWARDED_ALLOW_IPS",),
    ),
    Option("header", words, "add name:value to every answer; may be repeated", "LINE"),
    Option("server_header", switch, "send a Server header"),
    Option(
        "workers",
        positive,
        "processes that share the socket (1)",
        "N",
        ("-w",),
        ("WEB_CONCURRENCY",),
        "processes",
    ),
    Option(
        "max_requests",
        whole,
        "replace a worker after so many requests",
        "N",
        ("--limit-max-requests",),
        (),
        "processes",
    ),
    Option(
        "max_requests_jitter",
        whole,
        "spread that by a random number up to this",
        "N",
        ("--limit-max-requests-jitter",),
        (),
        "processes",
    ),
    Option("threads", positive, "threads for `def` handlers (40)", "N", group="processes"),
    Option(
        "loop",
        choice("auto", "asyncio", "uvloop"),
        "auto, asyncio or uvloop (auto)",
        "NAME",
        group="processes",
    ),
    Option("lifespan", choice("auto", "on", "off"), "auto, on or off (auto)", "MODE", group="processes"),
    Option("start_method", choice("auto", "fork", "spawn"), argparse.SUPPRESS, "NAME", group="processes"),
    Option("strict", switch, "refuse to start when routes conflict or are never reached", group="processes"),
    Option("reload", switch, "restart when a source file changes", group="reload"),
    Option(
        "reload_dir",
        words,
        "watch this folder (.); may be repeated",
        "PATH",
        ("--reload-dirs",),
        (),
        "reload",
    ),
    Option("reload_include", words, "watch files like this, too; may be repeated", "GLOB", group="reload"),
    Option("reload_exclude", words, "leave out files or folders like this", "GLOB", group="reload"),
    Option(
        "reload_poll", switch, "look at the files instead of waiting for the kernel's word", group="reload"
    ),
    Option("limit_concurrency", whole, "requests in progress before 503", "N", group="limits"),
    Option("limit_body", whole, "bytes of a body held in memory (16 MiB)", "BYTES", group="limits"),
    Option("timeout_headers", seconds, "for a request's head (10)", "S", group="limits"),
    Option("timeout_body", seconds, "between two pieces of a body (30)", "S", group="limits"),
    Option("timeout_keep_alive", seconds, "between two requests (75)", "S", group="limits"),
    Option("timeout_write", seconds, "for a peer that does not read (60)", "S", group="limits"),
    Option("shutdown_delay", seconds, "serve on after SIGTERM before the drain (0)", "S", group="limits"),
    Option(
        "timeout_drain",
        seconds,
        "for requests in progress at a stop (25; 0.2 with --reload)",
        "S",
        ("--timeout-graceful-shutdown",),
        (),
        "limits",
    ),
    Option("timeout_shutdown", seconds, "for the application's own shutdown (4)", "S", group="limits"),
    Option(
        "timeout_worker",
        seconds,
        "replace a worker whose loop is blocked for longer (never)",
        "S",
        ("--timeout-worker-healthcheck",),
        (),
        "limits",
    ),
    Option(
        "log_level",
        choice("trace", "debug", "info", "warning", "error", "critical"),
        "trace, debug, info, warning, error, critical (info)",
        "LEVEL",
        group="logs",
    ),
    Option("log_format", choice("text", "json"), "text or json (text)", "FORMAT", group="logs"),
    Option("log_config", str, "logging configuration: .json, .yaml or ini", "FILE", group="logs"),
    Option("access_log", switch, "log one line a request (yes)", group="logs"),
    Option("color", switch, "colour on a terminal", flags=("--use-colors",), group="logs"),
)

# Flags of other servers that mean nothing here: accepted, with a notice.
IGNORED = (
    "--http",
    "--ws",
    "--ws-max-size",
    "--ws-max-queue",
    "--ws-ping-interval",
    "--ws-ping-timeout",
    "--ws-per-message-deflate",
    "--h11-max-incomplete-event-size",
    "--interface",
    "--reload-delay",
)
IGNORED_SWITCHES = ("--date-header", "--no-date-header", "--http2", "--reset-contextvars")
# Flags that would make a difference we cannot make: refusing is safer than serving without them.
REFUSED = {
    "--ssl-keyfile": "TLS",
    "--ssl-certfile": "TLS",
    "--ssl-keyfile-password": "TLS",
    "--ssl-version": "TLS",
    "--ssl-cert-reqs": "TLS",
    "--ssl-ca-certs": "TLS",
    "--ssl-ciphers": "TLS",
}


DEFAULTS = Settings()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option to a parser. Nothing given on the command line leaves nothing in the namespace."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in OPTIONS:
        group = groups.get(option.group) or groups.setdefault(
            option.group, parser.add_argument_group(option.group)
        )
        names = (option.flag, *option.flags)
        if option.read is switch:
            group.add_argument(
                *names,
                dest=option.name,
                action=argparse.BooleanOptionalAction,
                default=argparse.SUPPRESS,
                help=option.help,
            )
        else:
            action = "append" if option.read is words else "store"
            group.add_argument(
                *names,
                dest=option.name,
                action=action,
                metavar=option.metavar,
                default=argparse.SUPPRESS,
                help=option.help,
            )
    for name in (*IGNORED, *REFUSED):
        parser.add_argument(name, dest=name, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for name in IGNORED_SWITCHES:
        parser.add_argument(
            name, dest=name, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )


def read_settings(given: argparse.Namespace, compat: bool = False, defaults: Settings = DEFAULTS) -> Settings:
    """Combine flags, environment and the command's defaults; with `compat`, uvicorn's variables as well.

    Raises:
        SettingsError: a value cannot be read; the message names the flag or the variable it came from.
    """
    values: dict[str, Any] = {"compat": compat}
    for option in OPTIONS:
        source, raw = _find(option, given, compat)
        if raw is not None:
            values[option.name] = _parse(option, source, raw)
    if getattr(given, "verbose", False):
        values.setdefault("log_level", "debug")
    reload = values.get("reload", defaults.reload)
    if (reload or defaults.development) and "timeout_drain" not in values:
        values["timeout_drain"] = 0.2
    if reload and values.get("workers", 1) > 1:
        if hasattr(given, "workers") and (hasattr(given, "reload") or defaults.reload):
            raise SettingsError(
                "a server that reloads has one worker; leave out --workers or turn reload off", 2
            )
        values["workers"] = 1
    return defaults._replace(**values)


def _find(
    option: Option, given: argparse.Namespace, compat: bool
) -> tuple[str, str | bool | Sequence[str] | None]:
    if hasattr(given, option.name):
        value: str | bool | Sequence[str] = getattr(given, option.name)
        return option.flag, value
    for name in (*option.variables, *(option.uvicorn_variables if compat else ())):
        if os.environ.get(name, "").strip():
            return name, os.environ[name]
    return "", None


def _parse(option: Option, source: str, raw: str | bool | Sequence[str]) -> Any:
    if isinstance(raw, bool):
        return raw
    if option.read is words and not isinstance(raw, str):
        # Each repeated --header is one line, commas and all; the other lists may be written either way.
        return tuple(raw) if option.name == "header" else tuple(word for text in raw for word in words(text))
    try:
        return option.read(str(raw))
    except ValueError as error:
        reader: Any = option.read
        expected = SAYS.get(reader) or str(error).removeprefix("expected ")
        raise SettingsError(f"{source}: {raw!r} is not {expected}", 2) from None
