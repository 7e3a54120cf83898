"""What tests of the Python layers share: a client on both event loops, and ASGI by hand."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from covet.testclient import TestClient

ClientFor = Callable[..., TestClient]


@pytest.fixture
def client_for(anyio_backend_name: str, anyio_backend_options: dict[str, Any]) -> ClientFor:
    """Make a client of an application; a test that asks for this runs under asyncio and under trio."""
    return functools.partial(TestClient, backend=anyio_backend_name, backend_options=anyio_backend_options)
