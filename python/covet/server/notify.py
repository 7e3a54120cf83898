"""What systemd, or whoever sets NOTIFY_SOCKET, hears about the server: sd_notify(3) without its library."""

import os
import socket

__all__ = ["notify", "watchdog_pause"]


def notify(state: str) -> None:
    """Send one state such as `READY=1`; do nothing outside systemd, never fail."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    # A leading @ stands for Linux's abstract namespace.
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(address)
            channel.sendall(state.encode())
    except OSError:
        pass


def watchdog_pause() -> float | None:
    """Return the seconds between two `WATCHDOG=1`, half of systemd's patience; None if it asks for none."""
    patience = os.environ.get("WATCHDOG_USEC", "")
    if not patience.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(patience) / 2_000_000
