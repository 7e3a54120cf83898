"""One serving process: import the application, start it, serve, drain, shut it down, never hang.

Runs in the calling process itself when there is no parent, in a child otherwise. Everything that can
wait for ever is bounded by an alarm (deadline.py), because a stop must end even when the application's
loop does not turn.
"""

import asyncio
import atexit
import faulthandler
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from covet._engine import Limits, Server
from covet.held_body import held_body

from . import logs, tracebacks
from .access_log import AccessLog
from .console import ConsoleLog
from .deadline import Alarm, LoopBlocked, culprit, leave
from .held import listed
from .lifespan import Lifespan, LifespanError
from .link import BEAT, BROKEN, FRAMEWORK, LOADED, READY, RECYCLE, Line
from .loops import choose_loop
from .notify import notify, watchdog_pause
from .settings import DEFAULT_THREADS, ASGIApp, Load, Settings, SettingsError
from .signals import StopSignal
from .sockets import HANDSHAKE, Listener

if TYPE_CHECKING:
    from .error_page import ErrorPage

__all__ = ["DELAYED", "EXIT_STARTUP", "FRAMEWORK_MODULE", "Worker", "engine_options"]

EXIT_STARTUP = 3
FRAMEWORK_MODULE = "covet.applications"
EXIT_INTERRUPTED = 130
COUNT_EVERY, RECYCLE_AGAIN = 0.2, 10.0  # seconds
BEATS = 4  # heartbeats within the time after which the parent calls a loop blocked
LAST_WORDS = 0.2  # seconds: the least a drain gets, and when it says who holds on
FOREVER = 1e8  # seconds: what the engine is told where 0 means no limit
DELAYED = "SIGTERM: serving on for %g s (--shutdown-delay), then stopping"
AT_ONCE = 0.02  # seconds: what streams and long polls get under reload
GRACE = 1.0  # seconds past a deadline before the alarm acts for a loop that did not

logger = logging.getLogger("covet")


class Worker:
    """A serving process. `line` leads to the parent, if any; `hello` runs once the server accepts."""

    def __init__(
        self,
        settings: Settings,
        load: Load,
        listeners: Sequence[Listener],
        line: Line | None = None,
        hello: Callable[[ASGIApp], None] | None = None,
        wait_for_go: bool = False,
    ) -> None:
        self._settings = settings
        self._load = load
        self._listeners = listeners
        self._line = line
        self._hello = hello
        self._wait_for_go = wait_for_go
        self._stop = StopSignal(supervised=line is not None, on_stop=self._on_stop, put_off=self._put_off)
        self._alarm = Alarm()
        self._server: Server | None = None
        self._fatal: BaseException | None = None
        self._stuck = False
        self._delayed = False
        self._deadline = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._access: AccessLog | None = None
        self._older_tasks: set[asyncio.Task[Any]] = set()

    def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        self._stop.install(logs.reopen)
        try:
            self._options = engine_options(self._settings)
            if self._settings.compat and self._settings.limit_body is None:
                held_body.only_tell()
            name, factory = choose_loop(self._settings.loop)
            app = self._load()
        except SettingsError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.code
        if self._stop.should_exit:  # code that catches everything may have caught the order to leave
            return 0
        if self._line is not None:
            self._line.say(LOADED + FRAMEWORK if FRAMEWORK_MODULE in sys.modules else LOADED)
            if self._wait_for_go and not self._line.wait_for_go():
                return 0
        self._stop.imported()
        logger.debug("event loop: %s", name)
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                try:
                    code = self._turn_loop(runner.get_loop(), app)
                finally:
                    self._arm_exit()
        finally:
            self._stop.detach()
        if isinstance(self._fatal, SystemExit):
            return (
                self._fatal.code if isinstance(self._fatal.code, int) else int(self._fatal.code is not None)
            )
        return code if self._fatal is None else EXIT_INTERRUPTED

    def _turn_loop(self, loop: asyncio.AbstractEventLoop, app: ASGIApp) -> int:
        """Run `_main` to its end, although tasks that raise SystemExit or KeyboardInterrupt stop the loop."""
        main = loop.create_task(self._main(app))
        while True:
            try:
                return loop.run_until_complete(main)
            except (SystemExit, KeyboardInterrupt) as error:
                if main.done():
                    raise
                self._on_fatal(error)

    async def _main(self, app: ASGIApp) -> int:
        loop = self._loop = asyncio.get_running_loop()
        self._stop.attach(loop)
        lifespan = Lifespan(app, self._settings.lifespan)
        starting = asyncio.ensure_future(lifespan.startup())
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if self._stop.should_exit:
            await self._leave_early(lifespan, starting)
            return 0
        try:
            starting.result()
        except LifespanError as error:
            tracebacks.report("the application did not start: its lifespan's start-up failed", error)
            if not self._settings.reload:
                return EXIT_STARTUP
            app, lifespan = self._stand_in(error), Lifespan(app, "off")
        logs.adopt_root(self._settings)
        try:
            self._serve(app, loop, lifespan.state)
            await stopping
            await self._drain()
        finally:
            stopping.cancel()
            await self._shut_down(lifespan)
        return 0

    def _stand_in(self, error: LifespanError) -> "ErrorPage":
        """Under reload, what is served until an edit mends the start-up."""
        text = tracebacks.format_user(error.__cause__) if error.__cause__ is not None else error.text
        page: ErrorPage = importlib.import_module("covet.server.error_page").ErrorPage(
            "The application's start-up failed", text, self._settings.development
        )
        return page

    async def _leave_early(self, lifespan: Lifespan, starting: "asyncio.Future[None]") -> None:
        """Before anything was served: shut down what has started, cancel what is starting."""
        lifespan.abandon()
        await asyncio.wait({starting}, timeout=self._settings.timeout_shutdown)
        if lifespan.started:
            await self._shut_down(lifespan)
        if not starting.cancel() and not starting.cancelled():
            starting.exception()  # the failure of a start-up that we have cancelled is no news

    def _serve(self, app: ASGIApp, loop: asyncio.AbstractEventLoop, state: dict[str, Any]) -> None:
        self._drained = asyncio.Event()
        callbacks: dict[str, Callable[..., Any]] = {"drained": self._drained.set, "fatal": self._on_fatal}
        # A callback for each request costs; without a reader there is none.
        if logging.getLogger(logs.access_logger).isEnabledFor(logging.INFO):
            log = ConsoleLog if self._settings.development else AccessLog
            self._access = callbacks["access"] = log(loop)
        fds = [listener.socket.fileno() for listener in self._listeners]
        self._server = Server(app, fds, loop, self._options | {"state": state}, callbacks)
        self._older_tasks = asyncio.all_tasks(loop)
        self._server.start()
        self._supervision(loop)
        if self._hello is not None:
            self._hello(app)
        if self._line is not None:
            self._line.say(BROKEN + READY if getattr(app, "stands_in", False) is True else READY)
        else:
            notify("READY=1")
            self._feed_watchdog(loop)

    def _supervision(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start what only a worker under a parent does: listen for its end, beat, count requests."""
        if self._line is None:
            return
        line = self._line
        loop.add_reader(line.fileno(), self._hear, loop)
        if self._settings.timeout_worker > 0:
            faulthandler.enable()  # the parent ends a blocked worker by SIGABRT, which shows where it was
            pause = self._settings.timeout_worker / BEATS

            def beat() -> None:
                line.say(BEAT)
                loop.call_later(pause, beat)

            beat()
        if self._settings.max_requests > 0:
            share = self._settings.max_requests + _up_to(self._settings.max_requests_jitter)

            def count() -> None:
                served = self._server is not None and self._server.requests_total >= share
                if served:
                    line.say(RECYCLE)
                # It is said again as long as no successor could be started.
                loop.call_later(RECYCLE_AGAIN if served else COUNT_EVERY, count)

            count()

    def _feed_watchdog(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = watchdog_pause()
        if pause is not None:
            notify("WATCHDOG=1")
            loop.call_later(pause, self._feed_watchdog, loop)

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._line is not None and self._line.hear() is None:
            loop.remove_reader(self._line.fileno())
            logger.warning("the parent process is gone; this worker stops")
            self._stop.stop("the parent's end")

    def _on_fatal(self, error: BaseException) -> None:
        """A handler raised SystemExit or KeyboardInterrupt: stop, and end with its code."""
        if self._fatal is None:
            self._fatal = error
        self._stop.stop(type(error).__name__)

    def _put_off(self, signum: int) -> bool:
        """Serve on for a while: who sends clients here may not know yet that it has to look elsewhere.

        Under a parent the delay is the parent's. The next signal is obeyed.
        """
        delay = self._settings.shutdown_delay
        if self._delayed or not delay or signum != signal.SIGTERM:
            return False
        if self._server is None or self._line is not None:
            return False
        self._delayed = True
        logger.info(DELAYED, delay)
        self._alarm.arm(delay, lambda frame: self._stop.stop("SIGTERM"))
        return True

    def _on_stop(self) -> None:
        """The clock of the stop starts with the order, not when the loop gets round to it."""
        settings = self._settings
        # Before it serves there is nothing to drain.
        limit = settings.timeout_shutdown if self._server is None else settings.timeout_drain
        self._deadline = time.monotonic() + limit
        self._alarm.arm(limit + GRACE, self._loop_does_not_turn)

    async def _drain(self) -> None:
        server = self._server
        if server is None:
            return
        if self._line is None:
            notify("STOPPING=1")
        # Under reload a stop is nothing to speak of, and who has waited long will not be done soon.
        told, warned = (logging.DEBUG,) * 2 if self._settings.reload else (logging.INFO, logging.WARNING)
        logger.log(told, "%s: stopping, %d in progress", self._stop.reason, server.in_progress)
        await self._close_door()
        left = max(self._deadline - time.monotonic(), LAST_WORDS)
        if self._settings.reload:
            left = max(left - min((age for _, age, _ in server.held()), default=0.0), AT_ONCE)
        self._alarm.arm(left + GRACE, self._loop_does_not_turn)
        server.drain(left)
        waiting = asyncio.ensure_future(self._drained.wait())
        # Just before the engine cuts them off, say who held on.
        done, _ = await asyncio.wait({waiting}, timeout=left - LAST_WORDS / 2)
        if not done and (held := self._holders()):
            self._stuck = True
            logger.log(warned, "still in progress at the deadline (--timeout-drain), cut off: %s", held)
        await asyncio.wait({waiting}, timeout=LAST_WORDS + GRACE / 2)
        waiting.cancel()
        if self._stuck:
            await self._cancel_leftovers()
        self._alarm.disarm()
        if self._access is not None:
            self._access.flush()

    async def _close_door(self) -> None:
        """Let go of the sockets; the engine still takes in who is in the queue."""
        if self._line is None:  # under a parent others may accept from the same sockets
            under_way = [listener.turn_away() for listener in self._listeners]
            if any(under_way):
                await asyncio.sleep(HANDSHAKE)
        for listener in self._listeners:
            # Not its file: that is for the process that opened it.
            listener.socket.close()

    async def _cancel_leftovers(self) -> None:
        """End what requests left behind while the application still has what its shutdown will take away."""
        current = asyncio.current_task()
        leftovers = {task for task in asyncio.all_tasks() - self._older_tasks if task is not current}
        for task in leftovers:
            task.cancel()
        if leftovers:
            await asyncio.wait(leftovers, timeout=LAST_WORDS)

    def _holders(self) -> str:
        return listed(self._server.held()) if self._server is not None else ""

    def _loop_does_not_turn(self, frame: FrameType | None) -> None:
        """The drain's deadline passed and the loop did not notice: something blocks it."""
        place = culprit(frame, Worker.run.__code__)
        held = self._holders()
        logger.error(
            "the event loop is blocked in %s%s", place or "native code", held and f"; held on: {held}"
        )
        self._stuck = True
        self._alarm.arm(GRACE, lambda _: leave(0))
        if place is not None:
            raise LoopBlocked(f"the server stops and {place} does not let the event loop go on")

    async def _shut_down(self, lifespan: Lifespan) -> None:
        """Run the application's shutdown within its bound; then let the engine go."""
        limit = self._settings.timeout_shutdown
        self._alarm.arm(limit + GRACE, self._shutdown_hangs)
        try:
            await asyncio.wait_for(lifespan.shutdown(), limit)
        except LifespanError as error:
            tracebacks.report("the application's shutdown failed", error)
        except TimeoutError:
            self._stuck = True
            logger.error("the application's shutdown did not end within %g s (--timeout-shutdown)", limit)
        finally:
            if self._server is not None:
                self._server.close()
            self._alarm.disarm()

    def _shutdown_hangs(self, frame: FrameType | None) -> None:
        logger.error(
            "the application's shutdown blocks the event loop in %s", culprit(frame, Worker.run.__code__)
        )
        leave(0)

    def _arm_exit(self) -> None:
        """From here on only threads of the application can hold the process; give them a moment, no more."""
        self._alarm.arm(0.5 if self._stuck else 5.0, self._exit_hangs)

    def _exit_hangs(self, frame: FrameType | None) -> None:
        """Something outlives the stop: a task that swallows its cancellation, a thread, an exit function."""
        # Exit functions that have not run get their chance, but not a second one to hold the process.
        self._alarm.arm(GRACE, lambda _: leave(0))
        held = [thread.name for thread in threading.enumerate() if not thread.daemon][1:]
        if self._loop is not None and not self._loop.is_closed():
            held += [f"task {_name(task)}" for task in asyncio.all_tasks(self._loop)]
        logger.warning(
            "leaving without what does not end: %s", ", ".join(held) or culprit(frame, Worker.run.__code__)
        )
        atexit._run_exitfuncs()
        leave(0)


def _name(task: "asyncio.Task[object]") -> str:
    """The coroutine that a task runs, or the task's own name."""
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))


def _up_to(most: int) -> int:
    """A random whole number from 0 to `most`; the random module would cost a cold start 10 ms."""
    return int.from_bytes(os.urandom(4), "big") % (most + 1)


def engine_options(settings: Settings) -> dict[str, Any]:
    """Translate the settings into what the engine's Server takes."""
    if settings.trusts:  # a wrong entry is the user's mistake: find it before the engine does
        importlib.import_module("covet.server.proxies").check_proxies(settings.trusts)
    options: dict[str, Any] = {
        "root_path": settings.root_path,
        "threads": 0 if settings.threads == DEFAULT_THREADS else settings.threads,
        "limit_concurrency": settings.limit_concurrency,
        "trusted_proxies": list(settings.trusts),
        "headers": [_header(line) for line in settings.header],
        "server_header": settings.server_header,
    }
    known = Limits.defaults()
    limits = {
        "max_body": settings.limit_body,
        "header_timeout": settings.timeout_headers or FOREVER,
        "body_idle_timeout": settings.timeout_body or FOREVER,
        "keep_alive": settings.timeout_keep_alive,
        "write_stall": settings.timeout_write or FOREVER,
        "drain": settings.timeout_drain,
    }
    options.update({name: value for name, value in limits.items() if name in known and value is not None})
    return options


def _header(line: str) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise SettingsError(f"--header {line!r}: write it as name:value", 2)
    return name.strip().lower().encode("latin-1"), value.strip().encode("latin-1")
