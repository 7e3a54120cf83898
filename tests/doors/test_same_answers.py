"""One application, both doors, many requests: status, headers and body are the same, whatever was asked."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from covet.testclient import TestClient
from covet.testing.live import serve

from .test_answers import app as answers_app
from .test_dependencies import app as dependencies_app
from .test_parameters import ID
from .test_parameters import app as parameters_app

# What the doors may not agree on: the clock's, and how a body is delimited on a connection.
APART = {"date", "server", "connection", "transfer-encoding"}
JSON = {"Content-Type": "application/json"}

PARAMETERS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", f"/typed/7/1.5/{ID}/red", {}),
    ("GET", f"/typed/007/1_0.5/{ID.upper()}/blue", {}),
    ("GET", f"/typed/1_000/.5/urn:uuid:{ID}/red", {}),
    ("GET", f"/typed/+7/inf/{{{ID}}}/red", {}),
    ("GET", "/typed/7.0/nan/x/RED", {}),
    ("GET", "/typed/9223372036854775808/1/x/red", {}),
    ("GET", "/typed/%D9%A3/1/x/red", {}),
    ("GET", "/typed/%2F/1/x/red", {}),
    ("GET", "/typed/%ff/1/x/red", {}),
    ("GET", "/typed//1/x/red", {}),
    ("GET", "/bounds/1", {}),
    ("GET", "/bounds/10", {}),
    ("GET", "/bounds/5?word=", {}),
    ("GET", "/bounds/5?word=%F0%9F%98%80%F0%9F%98%80", {}),
    ("GET", "/bounds/5?word=%ff%fe", {}),
    ("GET", "/bounds/%205?word=ab", {}),
    ("GET", "/query?required=1&flag=on&either=abc", {}),
    ("GET", "/query?required=1&flag=TRUE&day=2026-02-30", {}),
    ("GET", "/query?required=1&flag=&day=", {}),
    ("GET", "/query?required=1;flag=1", {}),
    ("GET", "/query?required=a+b&required=%2B", {}),
    ("GET", "/query?required=1&day=20260131&moment=1e9", {}),
    ("GET", "/query?required=1&day=1767225600&moment=2026-01-31", {}),
    ("GET", "/query?required=1&amount=1e5&mode=Fast", {}),
    ("GET", "/query?&&required", {}),
    ("GET", "/query?required%5B%5D=1", {}),
    ("GET", "/lists?numbers=1&numbers=2.0&numbers=3", {}),
    ("GET", "/lists?numbers=", {}),
    ("GET", "/lists?w=b&w=a&w=b", {}),
    ("GET", "/page?limit=1&limit=2&tags=x", {}),
    ("GET", "/page?limit=200&tags=x", {}),
    ("GET", "/fields", {}),
    ("GET", "/fields", {"headers": [("X-Token", "a"), ("X-Token", "b")]}),
    ("GET", "/fields", {"headers": {"X-Token": "a", "Cookie": 'session="quoted"; n=x'}}),
    ("GET", "/fields", {"headers": {"X-Token": "a", "Cookie": "session=a; session=b; n= 4;"}}),
    ("GET", "/fields", {"headers": [("X-Token", b"gr\xc3\xbc\xc3\x9fe")]}),
    ("GET", "/files/a//b/", {}),
    ("GET", "/maybe/12", {}),
    ("GET", "/maybe/x", {}),
    ("GET", "/maybe/", {}),
    ("POST", "/item", {"json": {"name": "pen", "price": "2.5", "more": 1}}),
    ("POST", "/item", {"content": b'{"name": "pen", "price": NaN}', "headers": JSON}),
    ("POST", "/item", {"content": b'{"name": "\\ud800"}', "headers": JSON}),
    ("POST", "/item", {"content": b'\xef\xbb\xbf{"name": "bom"}', "headers": JSON}),
    ("POST", "/item", {"content": '{"name": "wide"}'.encode("utf-16"), "headers": JSON}),
    ("POST", "/item", {"content": b'{"name": "twice", "name": "last"}', "headers": JSON}),
    ("POST", "/item", {"content": b'{"name": "x",}', "headers": JSON}),
    ("POST", "/item", {"content": b" \n", "headers": JSON}),
    ("POST", "/item", {"content": b"null", "headers": JSON}),
    ("POST", "/item", {"content": b'{"name": "x"} y', "headers": JSON}),
    ("POST", "/item", {"content": b'{"name": "x"}', "headers": {"Content-Type": "application/vnd.a+json"}}),
    ("POST", "/item", {"content": b'{"name": "x"}', "headers": {"Content-Type": "application/json;x=1"}}),
    ("POST", "/item", {"content": b'{"name": "x"}'}),
    ("POST", "/two", {"json": {"item": {}, "count": 0, "note": 1}}),
    ("POST", "/two", {"json": []}),
    ("POST", "/embedded", {"json": 3}),
    ("POST", "/union", {"json": True}),
    ("POST", "/union", {"json": ["1", 2.0]}),
    ("POST", "/union", {"json": "x"}),
    ("POST", "/optional", {"json": None}),
    ("POST", "/form", {"data": {"name": "ann", "ages": ["1", "x"]}}),
    ("POST", "/upload", {"files": {"file": ("ü.txt", b"1")}}),
    ("DELETE", "/item", {}),
    ("PURGE", "/item", {}),
    ("HEAD", "/maybe", {}),
    ("GET", "/nothing", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
]
ANSWER_PATHS = """
    /filtered /annotated /text /html /raw /teapot /redirect /stream /stream/sync /file /cookie /changed
    /inline /request?a=%20 /links/3 /links/x /fails /text/ /created
"""
DEPENDENCY_PATHS = """
    /nested?x=1 /nested?x=a /uncached /class?limit=x /generators /early /translated /user /guarded /scopes
    /bearer /key
"""
ANSWERS: list[tuple[str, str, dict[str, Any]]] = [("GET", path, {}) for path in ANSWER_PATHS.split()]
ANSWERS += [("DELETE", "/gone", {}), ("POST", "/created", {}), ("POST", "/echo", {"content": b"abc"})]
ANSWERS += [("GET", "/file", {"headers": {"Range": value}}) for value in ("bytes=0-2,5-6", "bytes=-1", "x=1")]
DEPENDENCIES: list[tuple[str, str, dict[str, Any]]] = [("GET", path, {}) for path in DEPENDENCY_PATHS.split()]

Pair = tuple[httpx2.Client, httpx2.Client]


def pair(app: Any) -> Iterator[Pair]:
    """A client at each door."""
    headers = {"host": "testserver", "user-agent": "doors"}
    inside = TestClient(app, raise_server_exceptions=False, follow_redirects=False, headers=dict(headers))
    with inside, serve(app) as url, httpx2.Client(base_url=url, headers=headers, timeout=10) as outside:
        yield inside, outside


@pytest.fixture(scope="module")
def at_parameters() -> Iterator[Pair]:
    yield from pair(parameters_app)


@pytest.fixture(scope="module")
def at_answers() -> Iterator[Pair]:
    yield from pair(answers_app)


@pytest.fixture(scope="module")
def at_dependencies() -> Iterator[Pair]:
    yield from pair(dependencies_app)


def told(answer: httpx2.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """What an answer says; the boundary of a multipart body is random."""
    pairs = sorted((name, value) for name, value in answer.headers.multi_items() if name not in APART)
    _, _, boundary = answer.headers.get("content-type", "").partition("boundary=")
    if not boundary:
        return answer.status_code, pairs, answer.content
    pairs = [(name, value.replace(boundary, "-")) for name, value in pairs]
    return answer.status_code, pairs, answer.content.replace(boundary.encode(), b"-")


def check(clients: Pair, method: str, path: str, options: dict[str, Any]) -> None:
    """Ask at both doors; the boundary of a form that is sent is pinned by asking with one request's bytes."""
    inside, outside = clients
    made = inside.build_request(method, path, **options)
    content, headers = made.read(), {**dict(options.get("headers", {}))}
    if "data" in options or "files" in options:
        headers["content-type"] = made.headers["content-type"]
    elif "json" in options:
        headers = JSON
    several = options.get("headers") if isinstance(options.get("headers"), list) else headers
    answers = []
    for client in (inside, outside):
        client.cookies.clear()
        answers.append(told(client.request(method, path, content=content or None, headers=several)))
    assert answers[0] == answers[1]


def name(value: Any) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("method", "path", "options"), PARAMETERS, ids=name)
def test_parameters(at_parameters: Pair, method: str, path: str, options: dict[str, Any]) -> None:
    check(at_parameters, method, path, options)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "path", "options"), ANSWERS, ids=name)
def test_answers(at_answers: Pair, method: str, path: str, options: dict[str, Any]) -> None:
    check(at_answers, method, path, options)


@pytest.mark.parametrize(("method", "path", "options"), DEPENDENCIES, ids=name)
def test_dependencies(at_dependencies: Pair, method: str, path: str, options: dict[str, Any]) -> None:
    check(at_dependencies, method, path, options)
