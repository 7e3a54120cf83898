"""The Host field (RFC 9112, section 3.2): parse once, refuse what could change a URL's path or authority."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

__all__ = ["ParsedHost", "parse_host_header"]

# RFC 3986, section 3.2.2: a registered name or IPv4 address, or an IP literal in brackets.
_REG_NAME = r"[a-z0-9._~%!$&'()*+,;=-]+"
_IP_LITERAL = r"\[(?:(?P<ipv6>[a-f0-9]*:[a-f0-9.:]+)|(?-i:v)[a-f0-9]+\.[a-z0-9._~!$&'()*+,;=:-]+)\]"
_HOST = rf"(?P<host>{_REG_NAME}|{_IP_LITERAL})(?::(?P<port>[0-9]+))?"


class ParsedHost(NamedTuple):
    """A valid Host value: `host` keeps the brackets of an IP literal, `port` is text or None."""

    host: str
    port: str | None

    @property
    def authority(self) -> str:
        """Return `host` or `host:port`, as received."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def is_valid_port(self) -> bool:
        """Tell whether the port is absent or at most 65535."""
        if self.port is None:
            return True
        digits = self.port.lstrip("0")
        return len(digits) <= 5 and int(digits or "0") <= 65535


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_HOST, re.IGNORECASE)


def parse_host_header(host_header: str | None) -> ParsedHost | None:
    """Split a Host value into host and port; None if it is missing or not a host."""
    match = None if host_header is None else _pattern().fullmatch(host_header)
    if match is None:
        return None
    if match["ipv6"] is not None:
        try:
            IPv6Address(match["ipv6"])
        except AddressValueError:
            return None
    return ParsedHost(match["host"], match["port"])
