"""The parent: holds the listening sockets, starts workers, replaces them, passes orders on.

It never imports the application, starts a thread or runs an event loop, so that a fork of it is always
clean.
"""

import gc
import importlib
import logging
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType

from . import bytecode, logs
from .link import BEAT, BROKEN, FRAMEWORK, LOADED, READY, RECYCLE
from .loops import choose_loop
from .notify import notify, watchdog_pause
from .process import WorkerProcess, start
from .reload import Reload
from .settings import Load, Settings
from .signals import SUPERVISED
from .sockets import HANDSHAKE, Listener
from .source_files import SourceFiles
from .worker import DELAYED, EXIT_STARTUP, FRAMEWORK_MODULE

__all__ = ["Supervisor"]

# What a worker imports at its first request, beside the framework.
NEEDED = ("anyio._backends._asyncio", "anyio.to_thread")
TICK = 0.25  # seconds between two looks at files, heartbeats and deadlines
SETTLED = 10.0  # seconds a worker must have served before its death is no longer held against its successor
LONGEST_PAUSE = 30.0
HOPELESS = 5  # failed starts in a row, with nobody serving, after which the parent gives up
DYING = 0.2  # seconds that a killed process gets to be gone
SLACK = 3.0  # seconds a stopping worker gets past its own deadlines before it is killed

logger = logging.getLogger("covet")


class Interrupted(BaseException):
    """Raised by a signal to stop inside the parent's own imports; no application's code sees it."""


class Supervisor:
    """One parent and its workers; `run` returns the exit code. `hello` is told how many files it watches."""

    def __init__(
        self, settings: Settings, load: Load, listeners: Sequence[Listener], hello: Callable[[int], None]
    ) -> None:
        self._settings = settings
        self._load = load
        self._listeners = listeners
        self._hello = hello
        self._target = settings.workers
        self._workers: dict[int, WorkerProcess] = {}
        self._signals: deque[int] = deque()
        self._rolling: deque[WorkerProcess] = deque()
        self._failures: dict[int, int] = {}
        self._not_before: dict[int, float] = {}
        self._proved = False
        self._uses_framework = False
        self._is_warm = False
        self._importing = False
        self._stopping = False
        self._leave_at: float | None = None
        self._reload: Reload | None = None
        self._broken = False  # under reload: not even the error page could be served, wait for the next edit
        self._code: int | None = None

    def run(self) -> int:
        """Supervise until told to stop, or until nothing can be started."""
        self._wake, wake_end = socket.socketpair()
        self._wake.setblocking(False)
        wake_end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ)
        signal.set_wakeup_fd(wake_end.fileno(), warn_on_full_buffer=False)
        for number in SUPERVISED:
            signal.signal(number, self._note)
        self._wake_end = wake_end
        if self._settings.reload:
            self._watch()
        try:
            while self._code is None:
                self._turn()
        finally:
            self._kill_all()
        return self._code

    def _turn(self) -> None:
        self._fill()
        self._selector.select(TICK if self._reload is None else min(TICK, self._reload.watcher.pause()))
        try:
            self._wake.recv(4096)
        except BlockingIOError:
            pass
        while self._signals:
            self._obey(self._signals.popleft())
        for worker in list(self._workers.values()):
            self._hear(worker)
        self._reap()
        self._check_times()
        if self._reload is not None and not self._stopping and self._reload.edited():
            self._restart()
        self._roll()
        self._feed_watchdog()
        if self._stopping and not self._workers:
            self._code = 0

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._signals.append(signum)
        # After a stop that may be put off workers are still forked from here: not from half an import.
        ends = signum in (signal.SIGTERM, signal.SIGINT) and not self._settings.shutdown_delay
        if self._importing and ends:
            self._importing = False
            raise Interrupted

    def _obey(self, signum: int) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT):
            if not self._put_off(signum):
                self._stop(signum)
        elif self._stopping:
            return
        elif signum == signal.SIGHUP:
            logger.info("SIGHUP: replacing %d workers", len(self._workers))
            sources = SourceFiles(self._settings.reload_dir or (".",), ("*.py",), ())
            bytecode.forget(bytecode.doubtful(sources))
            self._restart()
        elif signum in (signal.SIGTTIN, signal.SIGTTOU):
            self._target = max(1, self._target + (1 if signum == signal.SIGTTIN else -1))
            logger.info("%s: %d workers from now on", signal.Signals(signum).name, self._target)
            for worker in self._workers.values():
                if worker.number > self._target:
                    worker.stop()
        elif signum == signal.SIGUSR1:
            logs.reopen()
            for worker in self._workers.values():
                worker.send(signum)

    def _put_off(self, signum: int) -> bool:
        """Serve on for a while after the first SIGTERM, dead workers replaced and all."""
        delay = self._settings.shutdown_delay
        if signum != signal.SIGTERM or not delay or not self._proved or self._leave_at is not None:
            return False
        self._leave_at = time.monotonic() + delay
        logger.info(DELAYED, delay)
        return True

    def _stop(self, signum: int) -> None:
        if self._stopping:
            self._code = 128 + signum
            return
        self._stopping = True
        notify("STOPPING=1")
        logger.info(
            "%s: stopping, %d of %d workers are there",
            signal.Signals(signum).name,
            len(self._workers),
            self._target,
        )
        self._close_door()
        for worker in self._workers.values():
            worker.stop()

    def _close_door(self) -> None:
        """Stop listening while the workers still accept, so that they can empty the queue."""
        under_way = [listener.turn_away() for listener in self._listeners]
        if any(under_way):
            time.sleep(HANDSHAKE)
        for listener in self._listeners:
            listener.close()

    def _kill_all(self) -> None:
        """Leave nobody behind; the dead are reaped, but not even they are waited for long."""
        for worker in self._workers.values():
            worker.send(signal.SIGKILL)
        end = time.monotonic() + 1
        while self._workers and time.monotonic() < end:
            self._reap_quietly()
            time.sleep(0.01)
        signal.set_wakeup_fd(-1)

    def _reap_quietly(self) -> None:
        for pid in list(self._workers):
            try:
                gone, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                gone, status = pid, 0
            if gone:
                worker = self._workers.pop(pid)
                worker.note_end(os.waitstatus_to_exitcode(status))

    def _fill(self) -> None:
        """Start what is missing; the others follow when the first has proved that the application starts."""
        # Nothing is started before an order is read that may say to stop.
        if self._stopping or self._signals or self._broken or self._code is not None:
            return
        present = {worker.number for worker in self._workers.values() if worker.stopping is None}
        now = time.monotonic()
        for number in range(1, (self._target if self._proved else 1) + 1):
            if number not in present and self._not_before.get(number, 0.0) <= now:
                self._start(number, replaces=self._leaving(number))

    def _leaving(self, number: int) -> WorkerProcess | None:
        """Under reload, who has to be gone before the next worker starts up."""
        if self._reload is None:
            return None
        return next((worker for worker in self._workers.values() if worker.number == number), None)

    def _start(self, number: int, replaces: WorkerProcess | None = None) -> WorkerProcess:
        load, waits = self._load, False
        if self._reload is not None:
            self._reload.forget_bytecode()
            load, waits = self._reload.next_load(), replaces is not None
        signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISED)
        try:
            worker = start(self._settings, load, self._listeners, number, self._forget, waits)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED)
        worker.replaces = replaces
        self._workers[worker.pid] = worker
        self._selector.register(worker.line, selectors.EVENT_READ)
        return worker

    def _forget(self) -> None:
        """In a forked child: let go of everything that only the parent needs. Signals are blocked here."""
        signal.set_wakeup_fd(-1)
        for number in SUPERVISED:
            signal.signal(number, signal.SIG_DFL)
        self._selector.close()
        self._wake.close()
        self._wake_end.close()
        for worker in self._workers.values():
            worker.line.close()
        self._workers.clear()
        self._reload = None

    def _restart(self) -> None:
        """Replace every worker by a new one that has imported the application anew, one after the other."""
        self._broken = False
        self._rolling.clear()
        for worker in list(self._workers.values()):
            if worker.stopping is not None:
                continue
            if worker.ready is not None or self._starts_up(worker):
                worker.replaces = None
                self._rolling.append(worker)
            else:  # it is older than the order and has done nothing yet
                self._discard(worker)
        if self._rolling:
            notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def _starts_up(self, worker: WorkerProcess) -> bool:
        """Under reload: whether its application has begun something that it has to end itself."""
        return self._reload is not None and worker.loaded and not worker.waits

    def _discard(self, worker: WorkerProcess) -> None:
        worker.stopping = time.monotonic()
        worker.replaces = None
        worker.send(signal.SIGKILL)
        # It may be about to write compiled code that its successor must not find.
        end = time.monotonic() + DYING
        while not worker.is_dead() and time.monotonic() < end:
            time.sleep(0.001)

    def _roll(self) -> None:
        """Take the next step of a restart, once the last successor is ready or gone."""
        starting = any(worker.replaces is not None for worker in self._workers.values())
        if self._stopping or self._signals or starting:
            return
        while self._rolling:
            old = self._rolling.popleft()
            if old.pid in self._workers and old.stopping is None:
                self._start(old.number, replaces=old)
                return

    def _hear(self, worker: WorkerProcess) -> None:
        words = worker.line.hear() if worker.audible else b""
        if words is None:
            worker.audible = False
            self._selector.unregister(worker.line)
        if not words:
            return
        now = worker.last_beat = time.monotonic()
        if BEAT in words and words.strip(BEAT) == b"":
            return
        if LOADED in words:
            worker.loaded = True
            if worker.waits:
                self._hand_over(worker)
        self._uses_framework |= FRAMEWORK in words
        worker.broken |= BROKEN in words
        if READY in words:
            self._on_ready(worker, now)
        if RECYCLE in words and not self._stopping and not self._is_leaving(worker):
            logger.info("worker %d (pid %d) has served its share", worker.number, worker.pid)
            self._rolling.append(worker)

    def _warm_up(self) -> None:
        """Import what every worker needs, never the application, so that later workers are forked with it.

        A signal to stop ends it; then nobody is forked any more.
        """
        if self._is_warm:
            return
        self._is_warm = True
        try:
            self._importing = True
            choose_loop(self._settings.loop)
            for name in (FRAMEWORK_MODULE, *NEEDED):
                importlib.import_module(name)
        except Interrupted:
            return
        finally:
            self._importing = False
        # A collection in a worker would copy every page that it looks at.
        gc.freeze()

    def _is_leaving(self, worker: WorkerProcess) -> bool:
        if worker.stopping is not None or worker in self._rolling:
            return True
        return any(other.replaces is worker for other in self._workers.values())

    def _hand_over(self, worker: WorkerProcess) -> None:
        """Under reload the old worker leaves before the new one starts up: both may want one resource."""
        old = worker.replaces
        if old is not None and old.pid in self._workers:
            old.stop()
        else:
            worker.go()

    def _on_ready(self, worker: WorkerProcess, now: float) -> None:
        worker.ready = now
        if self._stopping:
            return
        took = (now - worker.started) * 1000
        if self._proved and self._reload is None:
            logger.info("worker %d ready in %.0f ms (pid %d)", worker.number, took, worker.pid)
        elif not self._proved:
            self._proved = True
            self._hello(0 if self._reload is None else len(self._reload.watcher))
        if self._reload is not None:
            self._reload.note_ready(worker.broken, took)
        if self._uses_framework:
            self._warm_up()
        old, worker.replaces = worker.replaces, None
        if old is not None and old.pid in self._workers:
            old.stop()
        if not self._rolling:
            notify(f"READY=1\nMAINPID={os.getpid()}")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            worker = self._workers.get(pid)
            if worker is None:  # as process 1 we inherit other people's orphans
                continue
            self._hear(worker)
            del self._workers[pid]
            if worker.audible:
                self._selector.unregister(worker.line)
            code = os.waitstatus_to_exitcode(status)
            worker.note_end(code)
            self._bury(worker, code)

    def _bury(self, worker: WorkerProcess, code: int) -> None:
        for successor in self._workers.values():
            if successor.replaces is worker and successor.waits and successor.loaded:
                successor.go()
        if worker.stopping is not None or self._stopping:
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if worker.ready is None:
            self._failed_start(worker, how, code)
            return
        served = time.monotonic() - worker.ready
        logger.error("worker %d (pid %d) %s after %.1f s", worker.number, worker.pid, how, served)
        self._postpone(worker.number, fresh=served > SETTLED)

    def _failed_start(self, worker: WorkerProcess, how: str, code: int) -> None:
        old, worker.replaces = worker.replaces, None
        if self._reload is not None:
            self._failed_reload(self._reload, how, code)
            return
        if old is not None and old.pid in self._workers and old.stopping is None:
            logger.error("the new worker %s before it was ready; the old one goes on serving", how)
            self._rolling.clear()
            return
        logger.error("worker %d (pid %d) %s before it was ready", worker.number, worker.pid, how)
        self._postpone(worker.number, fresh=False)
        serving = any(other.ready is not None for other in self._workers.values())
        if not self._proved or (not serving and self._failures[worker.number] >= HOPELESS):
            logger.error("no worker can be started, giving up")
            self._code = EXIT_STARTUP

    def _failed_reload(self, reload: Reload, how: str, code: int) -> None:
        """Serve the page about it; a first start that the worker itself called impossible ends everything."""
        if not self._proved and code in (1, 2):
            self._code = code
            return
        logger.error("the worker %s before it was ready", how)
        if reload.note_death(how):
            self._restart()
        else:
            self._broken = True
            logger.error("waiting for an edit")

    def _postpone(self, number: int, fresh: bool) -> None:
        """The first death costs no time, each further one soon after twice as much as the last."""
        count = self._failures[number] = 1 if fresh else self._failures.get(number, 0) + 1
        pause = 0.0 if count == 1 else min(TICK * 2 ** (count - 2), LONGEST_PAUSE)
        self._not_before[number] = time.monotonic() + pause

    def _check_times(self) -> None:
        now = time.monotonic()
        if self._leave_at is not None and now >= self._leave_at and not self._stopping:
            self._stop(signal.SIGTERM)
        patience = self._settings.timeout_drain + self._settings.timeout_shutdown + SLACK
        for worker in self._workers.values():
            if worker.stopping is not None and now - worker.stopping > patience:
                logger.error(
                    "worker %d (pid %d) did not stop in %.0f s, killed", worker.number, worker.pid, patience
                )
                worker.send(signal.SIGKILL)
            elif self._is_blocked(worker, now):
                limit = self._settings.timeout_worker
                text = "worker %d (pid %d), its event loop blocked for %g s (--timeout-worker), is replaced"
                logger.error(text, worker.number, worker.pid, limit)
                worker.send(signal.SIGABRT)
                worker.stopping = now - patience + 1.0  # it gets a second to show its stack

    def _is_blocked(self, worker: WorkerProcess, now: float) -> bool:
        limit = self._settings.timeout_worker
        return (
            limit > 0
            and worker.ready is not None
            and worker.stopping is None
            and now - worker.last_beat > limit
        )

    def _watch(self) -> None:
        self._warm_up()  # most likely the application needs it, and then the first worker starts no later
        self._reload = Reload(self._settings, self._load)
        notices = self._reload.watcher.fileno()
        if notices is not None:
            self._selector.register(notices, selectors.EVENT_READ)

    def _feed_watchdog(self) -> None:
        pause = watchdog_pause()
        now = time.monotonic()
        if pause is not None and now >= self._not_before.get(0, 0.0):
            self._not_before[0] = now + pause
            notify("WATCHDOG=1")
