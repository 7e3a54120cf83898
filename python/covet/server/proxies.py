"""The peers whose forwarded headers are believed: checks what the user wrote; the engine does the believing.

The right-most hop that is not a trusted proxy is the client: everything left of it may be an invention.
"""

import ipaddress
from collections.abc import Sequence

from .settings import SettingsError

__all__ = ["check_proxies"]


def check_proxies(entries: Sequence[str]) -> None:
    """Accept addresses, networks, `unix` for peers on a unix socket, and `*` for everybody.

    Raises:
        SettingsError: an entry is none of these; the engine would trust nobody because of it.
    """
    for entry in entries:
        if entry in ("*", "unix"):
            continue
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            allowed = "an address, a network such as 10.0.0.0/8, 'unix' or '*'"
            raise SettingsError(f"--trusted-proxies: {entry!r} is not {allowed}", 2) from None
