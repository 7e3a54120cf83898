"""The hard deadline of a stop: an alarm that works although the event loop no longer does.

The worker arms one alarm per phase of its stop. It must never be armed while the server simply serves:
SIGALRM belongs to the application until then.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import CodeType, FrameType

from .tracebacks import OURS, is_foreign

__all__ = ["Alarm", "LoopBlocked", "culprit", "last_words", "leave"]


class LoopBlocked(Exception):
    """Raised inside the code that blocks the event loop, so that the stop can go on."""


class Alarm:
    """One timer of the main thread; arming it again replaces what it was about."""

    def __init__(self) -> None:
        self._action: Callable[[FrameType | None], None] | None = None

    def arm(self, seconds: float, action: Callable[[FrameType | None], None]) -> None:
        """Call `action` with the interrupted frame after `seconds`, in the main thread."""
        self._action = action
        signal.signal(signal.SIGALRM, self._fire)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))

    def disarm(self) -> None:
        """Forget the alarm."""
        self._action = None
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _fire(self, signum: int, frame: FrameType | None) -> None:
        action, self._action = self._action, None
        if action is not None:
            action(frame)


def culprit(frame: FrameType | None, bottom: CodeType) -> str | None:
    """Name the line that keeps the loop from turning: the innermost one of the application above `bottom`.

    Frames of installed packages count only when nobody else is there; None means that the loop itself waits.
    """
    second: FrameType | None = None
    while frame is not None and frame.f_code is not bottom:
        name = frame.f_code.co_filename
        if not is_foreign(name):
            return _place(frame)
        if second is None and "-packages" in name and not name.startswith(OURS):
            second = frame
        frame = frame.f_back
    return None if second is None else _place(second)


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"


# What has to happen even when the process leaves in a hurry, such as removing a unix socket's file.
last_words: list[Callable[[], None]] = []


def leave(code: int) -> None:
    """End the process now: no thread is waited for, no exit function runs."""
    for word in last_words:
        word()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, RuntimeError):
            pass
    os._exit(code)
