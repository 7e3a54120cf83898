"""Runs the literate cases of `cases/*.md` against applications with the middleware, at both doors."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from covet import CovetPy, Request
from covet.middleware import Middleware
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware
from covet.responses import Response, StreamingResponse
from covet.testing.live import serve

from .case import Case, Fields, Group, Message, read_groups

CLASSES: dict[str, Any] = {"cors": CORSMiddleware, "gzip": GZipMiddleware}
GROUPS = read_groups(Path(__file__).parent / "cases")
CASES = [(number, place) for number, group in enumerate(GROUPS) for place in range(len(group.cases))]
Answer = tuple[int, Fields, bytes]
METHODS = ["GET", "POST", "OPTIONS"]
# What a server adds; the length, too, where the answer has none.
SERVER_FIELDS = {b"date", b"server", b"connection", b"transfer-encoding"}


def arguments(group: Group) -> dict[str, Any]:
    """The options with tuples, which JSON does not know."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in group.options.items()}


def application(group: Group) -> CovetPy:
    """The application whose route `/<number>` answers as that case says."""
    app = CovetPy(middleware=[Middleware(CLASSES[group.rule], **arguments(group))])

    @app.api_route("/{number}", methods=METHODS)
    async def endpoint(request: Request) -> Response:
        return response(group.cases[int(request.path_params["number"])].app)

    return app


def response(message: Message) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in message.pieces:
            yield piece

    made = StreamingResponse(pieces()) if message.is_stream else Response(message.body)
    made.status_code = message.status
    made.raw_headers = list(message.fields)
    return made


class AsgiDoor:
    """Calls the application as ASGI servers do."""

    def __init__(self, app: CovetPy) -> None:
        self.app = app

    def ask(self, case: Case, path: str) -> Answer:
        """Send a request; return the status, the fields and the bytes of the answer."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": case.method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"h"), *case.request],
        }
        coming: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if not coming:
                await asyncio.Event().wait()  # the client stays
            return coming.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        head, *pieces = sent
        return head["status"], head["headers"], b"".join(piece.get("body", b"") for piece in pieces)


class SocketDoor:
    """A client of the application's own server."""

    def __init__(self, url: str) -> None:
        self.client = httpx2.Client(base_url=url)

    def ask(self, case: Case, path: str) -> Answer:
        """Send a request; return the status, the fields and the bytes of the answer."""
        # Not by `client.get`: it would add fields of its own, `accept-encoding` among them.
        request = httpx2.Request(case.method, self.client.base_url.join(path), headers=case.request)
        answer = self.client.send(request, stream=True)
        raw = b"".join(answer.iter_raw())
        answer.close()
        return answer.status_code, answer.headers.raw, raw


@pytest.fixture(scope="module", params=["asgi", "socket"])
def doors(request: pytest.FixtureRequest) -> Iterator[list[AsgiDoor] | list[SocketDoor]]:
    """One kind of door to each group's application."""
    if request.param == "asgi":
        yield [AsgiDoor(application(group)) for group in GROUPS]
        return
    with contextlib.ExitStack() as stack:
        made = [SocketDoor(stack.enter_context(serve(application(group)))) for group in GROUPS]
        for door in made:
            stack.enter_context(door.client)
        yield made


def title(value: Any) -> str:
    number, place = value
    return f"{GROUPS[number]}: {GROUPS[number].cases[place].name}"


@pytest.mark.parametrize("which", CASES, ids=title)
def test_case(which: tuple[int, int], doors: list[AsgiDoor] | list[SocketDoor]) -> None:
    number, place = which
    case = GROUPS[number].cases[place]
    status, fields, raw = doors[number].ask(case, f"/{place}")
    case.answer.check(status, own_fields(case, fields), raw)


def own_fields(case: Case, fields: Fields) -> Fields:
    """The fields that are not the server's."""
    expected = {name.removesuffix(b"?") for name, _ in case.answer.fields}
    added = SERVER_FIELDS | {b"content-length"} - expected
    return [field for field in fields if field[0] not in added]


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_the_class_describes_itself_as_the_cases_say(group: Group) -> None:
    described = CLASSES[group.rule](None, **arguments(group)).native()
    assert described is not None
    rule, data = described
    assert (rule, json.loads(json.dumps(data, default=as_text))) == (group.rule, group.native)


def as_text(value: Any) -> str:
    """What JSON does not know: bytes, and the `fullmatch` of a pattern."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    pattern = value.__self__
    assert isinstance(pattern, re.Pattern)
    assert value == pattern.fullmatch
    return str(pattern.pattern)
