"""URLs: an immutable `URL` with lazily split parts, and the path that a route's name resolves to.

`URL(scope=...)` is what a request was sent to. A path never becomes an authority, whatever it holds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from covet.datastructures.multidict import MultiDict
from covet.hosts import parse_host_header
from covet.types import Scope

__all__ = ["URL", "Address", "URLPath"]

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_NETLOC_PARTS = frozenset({"username", "password", "hostname", "port"})
_PATH_ESCAPES = str.maketrans({"?": "%3F", "#": "%23", "\\": "%5C"})


class Address(NamedTuple):
    """The address of a peer."""

    host: str
    port: int


class URL:
    """A URL from text, from the parts of `urllib.parse.SplitResult`, or from an ASGI scope."""

    def __init__(self, url: str = "", scope: Scope | None = None, **components: Any) -> None:
        if scope is not None:
            assert not url, 'Cannot set both "url" and "scope".'
            assert not components, 'Cannot set both "scope" and "**components".'
            url = _url_of_scope(scope)
        elif components:
            assert not url, 'Cannot set both "url" and "**components".'
            url = URL("").replace(**components).components.geturl()
        self._url = url

    @property
    def components(self) -> SplitResult:
        """Return the split URL; splitting happens once."""
        if not hasattr(self, "_components"):
            self._components = urlsplit(self._url)
        return self._components

    @property
    def scheme(self) -> str:
        """Return the scheme, for example `https`."""
        return self.components.scheme

    @property
    def netloc(self) -> str:
        """Return the authority with user information and port."""
        return self.components.netloc

    @property
    def path(self) -> str:
        """Return the path."""
        return self.components.path

    @property
    def query(self) -> str:
        """Return the query without `?`."""
        return self.components.query

    @property
    def fragment(self) -> str:
        """Return the fragment without `#`."""
        return self.components.fragment

    @property
    def username(self) -> str | None:
        """Return the user name, if there is one."""
        return self.components.username

    @property
    def password(self) -> str | None:
        """Return the password, if there is one."""
        return self.components.password

    @property
    def hostname(self) -> str | None:
        """Return the host in lower case and without brackets."""
        return self.components.hostname

    @property
    def port(self) -> int | None:
        """Return the port, if one is written."""
        return self.components.port

    @property
    def is_secure(self) -> bool:
        """Tell whether the scheme means TLS."""
        return self.scheme in ("https", "wss")

    def replace(self, **kwargs: Any) -> URL:
        """Return this URL with parts replaced; takes also username, password, hostname and port."""
        if not _NETLOC_PARTS.isdisjoint(kwargs):
            kwargs["netloc"] = self._netloc_with(kwargs)
        return type(self)(self.components._replace(**kwargs).geturl())

    def _netloc_with(self, kwargs: dict[str, Any]) -> str:
        """Take the authority's parts out of `kwargs` and put them together with the present ones."""
        hostname = kwargs.pop("hostname", None)
        port = kwargs.pop("port", self.port)
        username = kwargs.pop("username", self.username)
        password = kwargs.pop("password", self.password)
        netloc = self._bare_host() if hostname is None else _bracketed(hostname)
        if port is not None:
            netloc = f"{netloc}:{port}"
        if username is None:
            return netloc
        return f"{username}@{netloc}" if password is None else f"{username}:{password}@{netloc}"

    def _bare_host(self) -> str:
        host = self.netloc.rpartition("@")[2]
        if host and not host.endswith("]"):
            return host.rsplit(":", 1)[0]
        return host

    def include_query_params(self, **kwargs: Any) -> URL:
        """Return this URL with query parameters added; a present name is replaced."""
        params = MultiDict(parse_qsl(self.query, keep_blank_values=True))
        params.update({str(key): str(value) for key, value in kwargs.items()})
        return self.replace(query=urlencode(params.multi_items()))

    def replace_query_params(self, **kwargs: Any) -> URL:
        """Return this URL with exactly these query parameters."""
        return self.replace(query=urlencode([(str(key), str(value)) for key, value in kwargs.items()]))

    def remove_query_params(self, keys: str | Sequence[str]) -> URL:
        """Return this URL without the named query parameters."""
        unwanted = {keys} if isinstance(keys, str) else set(keys)
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return self.replace(query=urlencode([pair for pair in pairs if pair[0] not in unwanted]))

    def __eq__(self, other: Any) -> bool:
        return str(self) == str(other)

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        shown = self.replace(password="********") if self.password else self
        return f"{type(self).__name__}({str(shown)!r})"


class URLPath(str):
    """A path that a route's name resolved to, with the protocol and host the route asks for."""

    protocol: Literal["http", "websocket", ""]
    host: str

    def __new__(cls, path: str, protocol: Literal["http", "websocket", ""] = "", host: str = "") -> URLPath:
        assert protocol in ("http", "websocket", "")
        return str.__new__(cls, _not_an_authority(path.replace("\\", "%5C")))

    def __init__(self, path: str, protocol: Literal["http", "websocket", ""] = "", host: str = "") -> None:
        self.protocol = protocol
        self.host = host

    def make_absolute_url(self, base_url: str | URL) -> URL:
        """Return the URL of this path below `base_url`, with the scheme that the protocol needs."""
        base = URL(base_url) if isinstance(base_url, str) else base_url
        scheme = base.scheme
        if self.protocol:
            plain = "http" if self.protocol == "http" else "ws"
            scheme = plain + "s" if base.is_secure else plain
        return URL(scheme=scheme, netloc=self.host or base.netloc, path=base.path.rstrip("/") + str(self))


def _url_of_scope(scope: Scope) -> str:
    path = scope["path"].translate(_PATH_ESCAPES)
    query: str = scope.get("query_string", b"").decode()
    scheme = scope.get("scheme", "http")
    netloc = _netloc_of_scope(scope, scheme)
    if netloc is None:
        path = _not_an_authority(path)
        return f"{path}?{query}" if query else path
    return SplitResult(scheme=scheme, netloc=netloc, path=path, query=query, fragment="").geturl()


def _netloc_of_scope(scope: Scope, scheme: str) -> str | None:
    """Return the authority from a valid Host field, else from the server's address, else None."""
    value = next((value for key, value in scope["headers"] if key == b"host"), None)
    host = None if value is None else parse_host_header(value.decode("latin-1"))
    if host is not None and host.is_valid_port:
        return host.authority
    server = scope.get("server")
    if server is None:
        return None
    name, port = server
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    return name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"


def _not_an_authority(path: str) -> str:
    # RFC 3986, section 3.3: a path that begins with `//` would be read as an authority.
    return "/%2F" + path[2:] if path.startswith("//") else path


def _bracketed(hostname: str) -> str:
    if ":" not in hostname or hostname.startswith("["):
        return hostname
    try:
        ipaddress.IPv6Address(hostname)
    except ValueError:
        return hostname
    return f"[{hostname}]"
