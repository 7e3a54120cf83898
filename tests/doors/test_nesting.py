"""Deeply nested JSON: the engine parses 64 levels, Python what is deeper, and nobody falls over."""

from typing import Annotated, Any

import pytest

from covet import Body, CovetPy

from .conftest import ClientFor


@pytest.mark.parametrize("levels", [10, 64, 65, 1000])
def test_the_same_answer_on_both_sides_of_the_engines_limit(client_of: ClientFor, levels: int) -> None:
    app = CovetPy()

    @app.post("/")
    async def depth(body: Annotated[Any, Body()]) -> int:
        count = 0
        while body:
            count, body = count + 1, body[0]
        return count

    text = "[" * (levels + 1) + "]" * (levels + 1)
    assert (
        client_of(app).post("/", content=text, headers={"content-type": "application/json"}).json() == levels
    )


def test_what_is_too_deep_for_pythons_parser_is_refused(client_of: ClientFor) -> None:
    app = CovetPy()

    @app.post("/")
    async def read(body: Annotated[Any, Body()]) -> None: ...

    text = "[" * 200_000 + "]" * 200_000
    answer = client_of(app).post("/", content=text, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "There was an error parsing the body"})
