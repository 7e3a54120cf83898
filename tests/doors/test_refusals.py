"""A value that a response model refuses: 500 through both doors, explained where the application debugs."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from covet import CovetPy
from covet.exceptions import ResponseValidationError
from covet.responses import JSONResponse
from covet.testclient import TestClient

from .conftest import ClientFor


class Item(BaseModel):
    name: str
    price: float


def application(debug: bool) -> CovetPy:
    app = CovetPy(debug=debug)

    @app.get("/native", response_model=Item)
    async def native() -> Any:
        return {"name": "pen", "price": "dear"}

    @app.get("/blocking", response_model=Item)
    def blocking() -> Any:
        return {"name": "pen"}

    @app.get("/other-class", response_model=list[Item], response_class=JSONResponse)
    async def other_class() -> Any:
        return [{"name": "pen", "price": None}]

    return app


EXPLAINED = {
    "/native": "response.price: Input should be a valid number, unable to parse string as a number; "
    "'dear' came (str)",
    "/blocking": "response.price: is missing",
    "/other-class": "response.0.price: Input should be a valid number; None came (NoneType)",
}


@pytest.mark.parametrize("path", EXPLAINED)
def test_a_debugging_application_shows_field_value_place_and_fix(client_of: ClientFor, path: str) -> None:
    answer = client_of(application(debug=True)).get(path)
    function = path[1:].replace("-", "_")
    assert answer.status_code == 500
    assert EXPLAINED[path] in answer.text
    assert f"{function} ({__file__}:" in answer.text
    assert f"Fix: return what the model accepts, or declare what {function} returns" in answer.text


def test_the_page_for_browsers_shows_it_escaped(client_of: ClientFor) -> None:
    page = client_of(application(debug=True)).get("/native", headers={"accept": "text/html"}).text
    assert "&#x27;dear&#x27; came (str)" in page
    assert f"native ({__file__}:" in page


@pytest.mark.parametrize("path", EXPLAINED)
def test_a_production_application_tells_nothing(client_of: ClientFor, path: str) -> None:
    answer = client_of(application(debug=False)).get(path)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


@pytest.mark.parametrize("path", EXPLAINED)
def test_the_errors_own_text_is_fastapis_with_or_without_debug(path: str) -> None:
    def refused(debug: bool) -> ResponseValidationError:
        with pytest.raises(ResponseValidationError) as caught:
            TestClient(application(debug)).get(path)
        return caught.value

    loud, quiet = refused(True), refused(False)
    assert str(loud) == str(quiet)
    assert not hasattr(quiet, "__notes__")
    assert len(loud.__notes__) == 1


def test_an_item_of_a_stream_is_explained_too() -> None:
    app = CovetPy(debug=True)

    @app.get("/lines")
    def lines() -> Iterator[Item]:
        yield {"name": "pen"}  # type: ignore[misc]

    with pytest.raises(ResponseValidationError) as refused:
        TestClient(app).get("/lines")
    assert "response.price: is missing" in refused.value.__notes__[0]
