"""The server's settings: one frozen value that the command line makes and everything else only reads.

It must never read the environment or the command line itself; `covet.cli.options` does that.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

__all__ = ["DEFAULT_THREADS", "ASGIApp", "BrokenApplication", "Load", "Settings", "SettingsError"]

ASGIApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
Load = Callable[[], ASGIApp]
DEFAULT_THREADS = 40  # the number of tokens that anyio's own limiter starts with


class SettingsError(Exception):
    """A mistake of the person at the keyboard: one paragraph, an exit code, no traceback."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class BrokenApplication(SettingsError):
    """The application raised while it was imported or made: its author can mend it by an edit."""


class Settings(NamedTuple):
    """Everything `covet run` can be told; times are in seconds, and 0 is no limit but for delay,
    drain and keep-alive."""

    host: str = "0.0.0.0"
    port: int = 8000
    uds: str | None = None
    fd: int | None = None
    backlog: int = 2048
    workers: int = 1
    start_method: str = "auto"
    reload: bool = False
    reload_dir: tuple[str, ...] = ()
    reload_include: tuple[str, ...] = ("*.py",)
    reload_exclude: tuple[str, ...] = ()
    reload_poll: bool = False
    log_level: str = "info"
    log_config: str | None = None
    log_format: str = "text"
    access_log: bool = True
    color: bool | None = None
    root_path: str = ""
    proxy_headers: bool | None = None
    trusted_proxies: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    server_header: bool = True
    limit_concurrency: int = 0
    limit_body: int | None = None
    timeout_headers: float = 10.0
    timeout_body: float = 30.0
    timeout_keep_alive: float = 75.0
    timeout_write: float = 60.0
    shutdown_delay: float = 0.0
    timeout_drain: float = 25.0
    timeout_shutdown: float = 4.0
    timeout_worker: float = 0.0
    max_requests: int = 0
    max_requests_jitter: int = 0
    threads: int = DEFAULT_THREADS
    loop: str = "auto"
    lifespan: str = "auto"
    strict: bool = False
    compat: bool = False
    development: bool = False

    @property
    def supervised(self) -> bool:
        """Whether a parent process is needed: for several workers, reload, recycling, blocked loops."""
        return self.workers > 1 or self.reload or self.max_requests > 0 or self.timeout_worker > 0

    @property
    def trusts(self) -> tuple[str, ...]:
        """The peers whose forwarded headers count: loopback and unix when proxy headers are just on."""
        if self.proxy_headers is False:
            return ()
        if self.trusted_proxies:
            return self.trusted_proxies
        return ("127.0.0.0/8", "::1", "unix") if self.proxy_headers else ()
