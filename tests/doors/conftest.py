"""A client for each door: in process over ASGI, and over a real socket. Who asks for one runs at both."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from covet.testclient import TestClient
from covet.testing.live import serve

Client = httpx2.Client
ClientFor = Callable[..., Client]


@pytest.fixture(params=["asgi", "socket"], scope="module")
def door(request: pytest.FixtureRequest) -> str:
    """The door that this run of the test goes through."""
    name: str = request.param
    return name


@contextlib.contextmanager
def clients(door: str) -> Iterator[ClientFor]:
    """Give a function that makes a client of an application; its lifespan runs until the context is left."""
    with contextlib.ExitStack() as stack:

        def make(app: Any, **options: Any) -> Client:
            if door == "socket":
                url = stack.enter_context(serve(app, **options))
                return stack.enter_context(httpx2.Client(base_url=url, timeout=10))
            client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client_of(door: str) -> Iterator[ClientFor]:
    """Return a function that makes a client of an application, for one test."""
    with clients(door) as make:
        yield make


@pytest.fixture(scope="module")
def lasting_client_of(door: str) -> Iterator[ClientFor]:
    """The same for all tests of a file."""
    with clients(door) as make:
        yield make
