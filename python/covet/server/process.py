"""One worker as its parent sees it: how it is started, how far it is, and how it is ended.

On Linux a worker is a fork of the parent; elsewhere (or with COVET_START_METHOD=spawn) a new
interpreter that gets the listening sockets by inheritance and its orders through an environment
variable.
"""

import atexit
import base64
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import logs
from .deadline import leave
from .link import GO, Line
from .settings import Load, Settings
from .sockets import Listener
from .worker import Worker

__all__ = ["ORDERS", "Orders", "WorkerProcess", "start"]

ORDERS = "COVET_WORKER_ORDERS"


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker in a new interpreter has to know."""

    settings: Settings
    load: Load
    listeners: list[tuple[int, str]]
    line: int
    number: int
    wait_for_go: bool


@dataclass(slots=True, eq=False)
class WorkerProcess:
    """A child, from its start to its reaping."""

    pid: int
    number: int
    line: Line
    started: float = field(default_factory=time.monotonic)
    loaded: bool = False
    broken: bool = False
    ready: float | None = None
    last_beat: float = 0.0
    stopping: float | None = None
    replaces: "WorkerProcess | None" = None
    waits: bool = False
    audible: bool = True
    popen: "subprocess.Popen[bytes] | None" = None

    def send(self, signum: int) -> None:
        """Send a signal; a child that is gone is reaped elsewhere."""
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            pass

    def stop(self) -> None:
        """Ask it to drain, once."""
        if self.stopping is None:
            self.stopping = time.monotonic()
            self.send(signal.SIGTERM)

    def is_dead(self) -> bool:
        """Say whether it has ended; it is not reaped by that."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def note_end(self, code: int) -> None:
        """It has been reaped: let go of what led to it."""
        self.line.close()
        if self.popen is not None:
            self.popen.returncode = code

    def go(self) -> None:
        """Let a worker that is loaded begin."""
        self.waits = False
        self.line.say(GO)


def start(
    settings: Settings,
    load: Load,
    listeners: Sequence[Listener],
    number: int,
    before: Callable[[], None],
    wait_for_go: bool = False,
) -> WorkerProcess:
    """Start a worker; `before` runs first in a forked child and closes what only the parent needs."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    method = settings.start_method
    if method == "fork" or (method == "auto" and sys.platform == "linux"):
        pid, popen = _fork(settings, load, listeners, number, before, wait_for_go, ours, theirs), None
    else:
        orders = Orders(settings, load, [], theirs.fileno(), number, wait_for_go)
        popen = _spawn(orders, listeners)
        pid = popen.pid
    theirs.close()
    return WorkerProcess(pid, number, Line(ours), waits=wait_for_go, popen=popen)


def _fork(
    settings: Settings,
    load: Load,
    listeners: Sequence[Listener],
    number: int,
    before: Callable[[], None],
    wait_for_go: bool,
    ours: socket.socket,
    theirs: socket.socket,
) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        ours.close()
        before()
        code = _work(settings, load, listeners, Line(theirs), number, wait_for_go)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        # Nothing may unwind into the parent's frames.
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        leave(code)
    return 0


def _work(
    settings: Settings, load: Load, listeners: Sequence[Listener], line: Line, number: int, wait_for_go: bool
) -> int:
    logs.set_worker(f"worker {number}")
    return Worker(settings, load, listeners, line, wait_for_go=wait_for_go).run()


def _spawn(orders: Orders, listeners: Sequence[Listener]) -> "subprocess.Popen[bytes]":
    addresses = [(listener.socket.fileno(), listener.address) for listener in listeners]
    full = Orders(orders.settings, orders.load, addresses, orders.line, orders.number, orders.wait_for_go)
    packed = base64.b64encode(pickle.dumps(full)).decode()
    inherited = [fd for fd, _ in addresses] + [orders.line]
    command = [sys.executable, "-m", "covet.server.spawned"]
    return subprocess.Popen(command, env=os.environ | {ORDERS: packed}, pass_fds=inherited)
