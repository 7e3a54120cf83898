"""Ctrl+C while there is nothing to end in order: at the start of a command, until a server handles it.

Python's own way, an exception, is not heard when it is raised inside a callback of the import system, and
shows a traceback of our imports where it is heard.
"""

import signal
import threading

__all__ = ["DeadlyInterrupt"]


class DeadlyInterrupt:
    """Within, SIGINT ends the process at once, unless somebody else handles it."""

    def __enter__(self) -> None:
        in_main = threading.current_thread() is threading.main_thread()
        self._is_ours = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._is_ours:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def __exit__(self, *error: object) -> None:
        if self._is_ours and signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
