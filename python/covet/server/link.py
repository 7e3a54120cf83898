"""The line between a parent and one worker: a socket pair that carries single bytes.

The worker says how far it is and that its loop still turns; the parent says go. When either side reads
the end of the stream, the other is gone.
"""

import socket

__all__ = ["BEAT", "BROKEN", "FRAMEWORK", "GO", "LOADED", "READY", "RECYCLE", "Line"]

LOADED = b"L"  # the application is imported; under reload the worker now waits for GO
READY = b"R"  # the worker accepts connections
BEAT = b"."  # the worker's event loop turned
BROKEN = b"B"  # under reload: what it serves is the page about an error
RECYCLE = b"X"  # the worker has served its share and asks for a successor
FRAMEWORK = b"F"  # the application is made with covet: a parent that has imported covet forks warm workers
GO = b"G"  # the predecessor has left


class Line:
    """One end of the line. Writing never blocks and never fails: a peer that is gone shows on reading."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._end.fileno()

    def say(self, word: bytes) -> None:
        """Send one word."""
        try:
            self._end.send(word)
        except OSError:
            pass

    def hear(self) -> bytes | None:
        """Return the words that have come, none or several; None when the other side is gone."""
        try:
            return self._end.recv(4096) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def wait_for_go(self) -> bool:
        """Block until the parent says go; return False when it is gone instead."""
        self._end.setblocking(True)
        try:
            return bool(self._end.recv(1))
        except OSError:
            return False
        finally:
            self._end.setblocking(False)

    def close(self) -> None:
        """Close this end."""
        self._end.close()
