"""Signals of one serving process: the first asks for a drain, the second ends it now.

`StopSignal.handle` is installed as a bound method by `signal.signal`, and the object has `should_exit`:
stream libraries find it through `signal.getsignal(SIGTERM).__self__` and end their streams when a stop
begins.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

from .deadline import leave

__all__ = ["SUPERVISED", "StopSignal"]

# The signals that a parent acts on.
SUPERVISED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGCHLD,
)


class StopSignal:
    """What a serving process knows about being told to stop.

    `put_off` is asked about each signal before it counts; who puts one off calls `stop` later.
    """

    def __init__(
        self,
        *,
        supervised: bool,
        on_stop: Callable[[], None],
        put_off: Callable[[int], bool] = lambda signum: False,
    ) -> None:
        self.should_exit = False
        self.reason = ""
        self._supervised = supervised
        self._on_stop = on_stop
        self._put_off = put_off
        self._importing = True
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._bell: tuple[socket.socket, socket.socket] | None = None

    def install(self, reopen: Callable[[], None]) -> None:
        """Take the signals over. Under a parent the terminal's own signals are the parent's business."""
        signal.signal(signal.SIGTERM, self.handle)
        if self._supervised:
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU):
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGQUIT, lambda *_: leave(1))
        else:
            signal.signal(signal.SIGINT, self.handle)
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup(1) wants it ignored
                signal.signal(signal.SIGHUP, self.handle)
        signal.signal(signal.SIGUSR1, lambda *_: reopen())
        os.register_at_fork(after_in_child=self._let_go)
        # The parent blocks its signals around a fork, so that none falls into the gap before this line.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED)

    def _let_go(self) -> None:
        """In a process that the application forks: it can be terminated, and our loop hears nothing of it."""
        for number in (signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)

    def handle(self, signum: int, frame: FrameType | None) -> None:
        """Begin the stop; a second signal to an unsupervised process ends it with 128 + its number."""
        if os.getpid() != self._process:
            return  # a terminal's Ctrl+C goes to everybody; what children do is needed for the drain
        if self.should_exit and not self._supervised:
            leave(128 + signum)
        if self._put_off(signum):
            return
        self.stop(signal.Signals(signum).name)
        if self._importing:
            # Nothing serves yet, so there is nothing to drain; the import may take minutes.
            raise SystemExit(0)

    def stop(self, reason: str) -> None:
        """Begin the stop. Main thread only; `on_stop` runs at once, even while something blocks the loop."""
        if self.should_exit:
            return
        self.should_exit = True
        self.reason = reason
        self._on_stop()
        if self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    def imported(self) -> None:
        """From here on a signal means a drain."""
        self._importing = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake this loop when the stop begins."""
        self._stopped = asyncio.Event()
        self._loop = loop
        self._hang_bell(loop)
        if self.should_exit:
            self._stopped.set()

    def _hang_bell(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let signals wake the loop: one that comes just before it sleeps is not handled until it wakes."""
        inside, outside = socket.socketpair()
        inside.setblocking(False)
        outside.setblocking(False)
        theirs = signal.set_wakeup_fd(outside.fileno(), warn_on_full_buffer=False)
        if theirs != -1:  # uvloop has its own
            signal.set_wakeup_fd(theirs)
            inside.close()
            outside.close()
            return
        loop.add_reader(inside, inside.recv, 4096)
        self._bell = inside, outside

    def detach(self) -> None:
        """Forget the loop, which is closed."""
        self._loop = None
        if self._bell is not None:
            signal.set_wakeup_fd(-1)
            for end in self._bell:
                end.close()

    async def wait(self) -> None:
        """Return once a stop has been asked for."""
        if self._stopped is not None:
            await self._stopped.wait()
