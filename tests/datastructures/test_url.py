"""URLs: from text, parts and scopes; changed parts; what can never become an authority."""

import pytest

from covet.datastructures import URL, Address, URLPath


def scope(**more: object) -> dict[str, object]:
    return {"type": "http", "path": "/a", "headers": [], "server": ("example.org", 80)} | more


def test_parts_are_read() -> None:
    url = URL("https://user:pw@example.org:123/path?a=1#frag")
    assert (url.scheme, url.netloc, url.path) == ("https", "user:pw@example.org:123", "/path")
    assert (url.query, url.fragment, url.username) == ("a=1", "frag", "user")
    assert (url.password, url.hostname, url.port, url.is_secure) == ("pw", "example.org", 123, True)


def test_a_password_is_not_shown() -> None:
    assert repr(URL("http://u:secret@x/")) == "URL('http://u:********@x/')"
    assert repr(URL("http://x/")) == "URL('http://x/')"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"port": None}, "https://u:p@h/"),
        ({"port": 8}, "https://u:p@h:8/"),
        ({"hostname": "other"}, "https://u:p@other:1/"),
        ({"hostname": "::1"}, "https://u:p@[::1]:1/"),
        ({"hostname": "[::1]"}, "https://u:p@[::1]:1/"),
        ({"hostname": "a:b"}, "https://u:p@a:b:1/"),
        ({"username": None, "password": None}, "https://h:1/"),
        ({"password": None}, "https://u@h:1/"),
        ({"scheme": "http", "path": "/x"}, "http://u:p@h:1/x"),
    ],
)
def test_parts_are_replaced(changes: dict[str, object], expected: str) -> None:
    assert URL("https://u:p@h:1/").replace(**changes) == expected


def test_an_ipv6_host_keeps_its_brackets_when_the_port_goes() -> None:
    assert URL("http://[::1]:80/").replace(port=None) == "http://[::1]/"


def test_a_url_without_a_host_takes_a_port() -> None:
    assert str(URL("/x").replace(port=8)) == "//:8/x"


def test_query_parameters_are_added_replaced_and_removed() -> None:
    url = URL("https://x/?a=1&b=2&a=3")
    assert url.include_query_params(b=5, c="6").query == "a=1&a=3&b=5&c=6"
    assert url.replace_query_params(z=1).query == "z=1"
    assert url.remove_query_params("a").query == "b=2"
    assert url.remove_query_params(["a", "b"]).query == ""


def test_a_url_is_made_of_components() -> None:
    assert URL(scheme="http", netloc="x", path="/p") == "http://x/p"


@pytest.mark.parametrize("arguments", [{"scope": {"path": "/"}}, {"path": "/"}])
def test_a_url_has_one_source(arguments: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        URL("http://x", **arguments)


def test_a_url_is_not_made_of_scope_and_components() -> None:
    with pytest.raises(AssertionError):
        URL(scope=scope(), path="/")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "http://example.org/a"),
        ({"server": ("example.org", 8000), "query_string": b"x=1"}, "http://example.org:8000/a?x=1"),
        ({"scheme": "https", "server": ("::1", 443)}, "https://[::1]/a"),
        ({"server": ("[::1]", 8)}, "http://[::1]:8/a"),
        ({"headers": [(b"host", b"h:9")]}, "http://h:9/a"),
        ({"headers": [(b"host", b"[::1]:9")]}, "http://[::1]:9/a"),
        ({"headers": [(b"x", b"y"), (b"host", b"evil/a@b")]}, "http://example.org/a"),
        ({"headers": [(b"host", b"h:99999")]}, "http://example.org/a"),
        ({"headers": [(b"host", b"[1::2::3]")]}, "http://example.org/a"),
        ({"server": None}, "/a"),
        ({"server": None, "query_string": b"q"}, "/a?q"),
        ({"server": None, "path": "//evil.com"}, "/%2Fevil.com"),
        ({"path": "/a?b#c\\d"}, "http://example.org/a%3Fb%23c%5Cd"),
    ],
)
def test_a_url_is_made_of_a_scope(more: dict[str, object], expected: str) -> None:
    assert str(URL(scope=scope(**more))) == expected


@pytest.mark.parametrize(
    ("path", "base", "expected"),
    [
        (URLPath("/p"), "https://x/root/", "https://x/root/p"),
        (URLPath("/p", protocol="websocket"), "https://x", "wss://x/p"),
        (URLPath("/p", protocol="websocket"), "http://x", "ws://x/p"),
        (URLPath("/p", protocol="http", host="other"), URL("https://x"), "https://other/p"),
        (URLPath("//evil"), "http://x", "http://x/%2Fevil"),
        (URLPath("/a\\b"), "http://x", "http://x/a%5Cb"),
    ],
)
def test_a_path_becomes_absolute(path: URLPath, base: str | URL, expected: str) -> None:
    assert path.make_absolute_url(base) == expected


def test_a_path_knows_two_protocols() -> None:
    with pytest.raises(AssertionError):
        URLPath("/", protocol="ftp")  # type: ignore[arg-type]


def test_an_address_is_a_pair() -> None:
    assert Address("h", 1) == ("h", 1)
