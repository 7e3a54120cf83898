"""Types of the Rust engine `covet._engine`. Hand-kept, proved by stubtest; the source is crates/covet-
python."""

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from typing import Any, Self, TypeAlias, final

__all__ = [
    "AsgiDoor",
    "FolderWatch",
    "Limits",
    "Plan",
    "Server",
    "bump_generation",
    "generation",
    "json_dumps",
    "json_dumps_shaped",
    "route_report",
]

_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Running: TypeAlias = Awaitable[_Receive | None]
_App: TypeAlias = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

# (pattern, methods or None for any, host pattern or None, kind, plan or the reason why there is none, route,
# label,
# what `enter` is told of the route)
# kind: "route" | "prefix" (a mount: everything below the pattern) | "host" | "opaque" (only Python knows what
# it matches)
_Entry: TypeAlias = tuple[str, list[str] | None, str | None, str, tuple[Any, ...] | str, Any, str, Any]
# (entries, settings); settings: see covet.asgi and door/table.rs
_Table: TypeAlias = tuple[list[_Entry], dict[str, Any]]

def bump_generation() -> None: ...
def generation() -> int: ...
def json_dumps(value: Any, /) -> bytes | None:
    """Write what `json.dumps(jsonable_encoder(value))` gives as compact bytes; None when only Python can."""

def json_dumps_shaped(value: Any, shape: tuple[Any, ...], /) -> bytes | None:
    """Write a value of the shape that `plan_shape` found as pydantic would; None when only pydantic can."""

def route_report(
    routes: Sequence[tuple[str, Sequence[str] | None, str | None, str]],
) -> list[tuple[int, int, str]]:
    """Compare (pattern, methods, host, kind) rows; each answer is (row, earlier row, "conflict" |
    "shadowed")."""

@final
class FolderWatch:
    """The kernel's notices that something in a folder changed, by inotify; OSError where there is none."""

    def __new__(cls) -> Self: ...
    def fileno(self) -> int: ...
    def add(self, folder: str) -> int:
        """Watch one folder, not those below it; OSError (ENOSPC) when the kernel watches no more."""

    def read(self) -> list[tuple[int | None, str | None, bool]]:
        """Return (watch, name, is a folder) of what has come; no watch: notices were lost; no name: it is
        gone."""

@final
class Plan:
    """A compiled route (see crates/covet-python/src/plan/spec.rs for the tuple), for tests, benchmarks and
    tools.

    extract: the parameters and the body of a request; a str is the reason why Python has to answer.
    run: the whole plan as one awaitable. complete: the plan with as few tasks as it needs.
    host: an object with the methods of crates/covet-python/src/plan/probe.rs.
    """

    def __new__(cls, data: tuple[Any, ...]) -> Plan: ...
    def extract(
        self, path: dict[str, Any], query: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> tuple[Any, ...] | str: ...
    def run(self, values: tuple[Any, ...], host: Any) -> Coroutine[Any, Any, None]: ...
    def complete(self, values: tuple[Any, ...], host: Any) -> Any: ...

@final
class Limits:
    """Names and defaults of every limit the engine enforces; times are seconds, sizes are bytes."""

    @staticmethod
    def defaults() -> dict[str, int | float]: ...

@final
class Server:
    """One application behind listening sockets, inside the loop that is running.

    listeners: descriptors of listening sockets (TCP or unix). The server works on duplicates: the caller
    still
    owns and closes its own.

    options (all optional):
      scheme: str ("http"), root_path: str (""), state: dict (lifespan state, copied per request),
      threads: int (0 = anyio's default limiter), limit_concurrency: int (0 = off), trusted_proxies:
      list[str],
      headers: list[tuple[bytes, bytes]] added to every answer, server_header: bool, cancel_on_disconnect:
      bool,
      and every name of Limits.defaults().
    callbacks (all optional):
      drained(): no request is left after drain(), or the deadline passed;
      access(client: str, method: str, target: str, http_version: str, status: int, seconds: float, size: int,
        request_id: str | None): one request that is over; status 499 when its client left unanswered;
      fatal(error: BaseException): a handler raised SystemExit or KeyboardInterrupt; without this callback it
        leaves through the loop.
    """

    def __new__(
        cls,
        app: _App,
        listeners: Sequence[int],
        loop: AbstractEventLoop,
        options: dict[str, Any],
        callbacks: dict[str, Callable[..., Any]],
    ) -> Self: ...
    def start(self) -> None:
        """Accept from now on. Call on the loop's thread, after lifespan start-up."""

    def drain(self, deadline: float) -> None:
        """Stop accepting, end idle connections, let requests finish; `drained` is called once, at the latest
        after
        `deadline` seconds (what is left then is cut off)."""

    def close(self) -> None:
        """Cut everything off, stop the threads, give the descriptors back. Idempotent."""

    @property
    def connections(self) -> int: ...
    @property
    def in_progress(self) -> int: ...
    @property
    def requests_total(self) -> int: ...
    def held(self) -> list[tuple[str, float]]:
        """Requests in progress: (route label or "METHOD /path", age in seconds), oldest first."""

@final
class AsgiDoor:
    """Native plans inside an ASGI application.

    table: returns the routes as data; called again whenever the generation has changed.
    Calling the door gives None when Python's router has to answer. Otherwise an awaitable: its result
    is None when the answer was sent, or the `receive` with which Python's router starts from the beginning.
    """

    def __new__(cls, table: Callable[[], _Table]) -> Self: ...
    def __call__(self, scope: _Scope, receive: _Receive, send: _Send, /) -> _Running | None: ...
