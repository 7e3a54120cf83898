"""Parameters of handlers, through both doors: where they come from, how they are converted and refused."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from covet import Body, Cookie, CovetPy, File, Form, Header, Path, Query, Request, UploadFile
from covet.starlette.convertors import CONVERTOR_TYPES, Convertor

ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


class Colour(str, Enum):  # noqa: UP042
    red = "red"
    blue = "blue"


class Item(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    price: float = 0


class Page(BaseModel):
    limit: Annotated[int, Field(le=100)] = 10
    tags: list[str] = []


class Pair(Convertor[list[str]]):
    regex = "[a-z]+/[a-z]+"

    def convert(self, value: str) -> list[str]:
        return value.split("/")

    def to_string(self, value: list[str]) -> str:
        return "/".join(value)


app = CovetPy()


@app.get("/numbers/{number:int}")
async def numbers(number: int) -> Any:
    return number


@app.get("/typed/{number}/{ratio}/{key}/{colour}")
async def typed(number: int, ratio: float, key: UUID, colour: Colour) -> Any:
    return [number, ratio, key.version, colour is Colour.red]


@app.get("/bounds/{number}")
async def bounds(
    number: Annotated[int, Path(ge=1, lt=10)], word: Annotated[str, Query(min_length=2, max_length=3)] = "ab"
) -> Any:
    return [number, word]


@app.get("/query")
async def query(
    required: str,
    flag: bool = False,
    day: date | None = None,
    moment: datetime | None = None,
    amount: Decimal = Decimal("1.50"),
    mode: Literal["fast", "slow"] = "fast",
    either: int | str = "none",
) -> Any:
    return [required, flag, day, moment, str(amount), mode, either]


@app.get("/lists")
def lists(
    numbers: Annotated[list[int], Query()] = [1, 2],  # noqa: B006
    words: Annotated[set[str], Query(alias="w")] = set(),  # noqa: B006
) -> Any:
    return [numbers, sorted(words)]


@app.get("/fields")
async def fields(
    x_token: Annotated[list[str], Header()],
    plain_name: Annotated[str | None, Header(convert_underscores=False)] = None,
    session: Annotated[str, Cookie()] = "none",
    visits: Annotated[int, Cookie(alias="n")] = 0,
) -> Any:
    return [x_token, plain_name, session, visits]


@app.get("/page")
async def page(page: Annotated[Page, Query()]) -> Any:
    return page


@app.get("/files/{path:path}")
async def files(path: str) -> Any:
    return path


@app.get("/maybe/{year:int?}")
async def maybe(year: int = 2000) -> Any:
    return year


@app.post("/item")
async def item(item: Item) -> Any:
    return item


@app.post("/two")
async def two(item: Item, count: Annotated[int, Body(gt=0)], note: Annotated[str, Body()] = "") -> Any:
    return {"item": item, "count": count, "note": note}


@app.post("/embedded")
def embedded(price: Annotated[float, Body(embed=True)]) -> Any:
    return price


@app.post("/union")
async def union(value: int | list[int] | dict[str, int]) -> Any:
    return value


@app.post("/optional")
async def optional(item: Item | None = None) -> Any:
    return item


@app.post("/form")
async def form(name: Annotated[str, Form()], ages: Annotated[list[int], Form()]) -> Any:
    return [name, ages]


@app.post("/upload")
async def upload(file: UploadFile, small: Annotated[bytes, File()]) -> Any:
    return [file.filename, file.content_type, (await file.read()).decode(), len(small)]


@pytest.fixture(scope="module")
def client(lasting_client_of: Any) -> Any:
    return lasting_client_of(app)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/typed/7/1.5/{ID}/red", [7, 1.5, 4, True]),
        (f"/typed/-7/1e3/{ID.replace('-', '')}/blue", [-7, 1000.0, 4, False]),
        ("/bounds/9?word=abc", [9, "abc"]),
        ("/query?required=", ["", False, None, None, "1.50", "fast", "none"]),
        (
            "/query?required=%C3%A9+x&flag=yes&day=2026-01-31&amount=2&mode=slow&either=5",
            ["é x", True, "2026-01-31", None, "2", "slow", "5"],
        ),
        (
            "/query?required=a&required=b&moment=2026-01-31T10:00:00Z",
            ["b", False, None, "2026-01-31T10:00:00Z", "1.50", "fast", "none"],
        ),
        ("/lists", [[1, 2], []]),
        ("/lists?numbers=3&w=b&numbers=4&w=a&w=b", [[3, 4], ["a", "b"]]),
        ("/page?limit=5&tags=a&tags=b", {"limit": 5, "tags": ["a", "b"]}),
        ("/files/a/b%20c//d", "a/b c//d"),
        ("/maybe", 2000),
        ("/maybe/1999", 1999),
    ],
)
def test_good_values_reach_the_handler(client: Any, path: str, expected: Any) -> None:
    assert client.get(path).json() == expected


@pytest.mark.parametrize(
    ("path", "locations"),
    [
        ("/typed/x/y/z/green", ["path.number", "path.ratio", "path.key", "path.colour"]),
        ("/bounds/10?word=a", ["path.number", "query.word"]),
        ("/bounds/0?word=abcd", ["path.number", "query.word"]),
        ("/query", ["query.required"]),
        ("/query?required=1&flag=maybe&day=soon&mode=x", ["query.flag", "query.day", "query.mode"]),
        ("/lists?numbers=1&numbers=x", ["query.numbers.1"]),
        ("/page?limit=101", ["query.limit"]),
        ("/fields", ["header.x-token"]),
    ],
)
def test_bad_values_are_listed_all_at_once(client: Any, path: str, locations: list[str]) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert [".".join(map(str, error["loc"])) for error in answer.json()["detail"]] == locations


def test_a_validation_error_has_fastapis_format(client: Any) -> None:
    assert client.get("/bounds/x").json() == {
        "detail": [
            {
                "type": "int_parsing",
                "loc": ["path", "number"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "input": "x",
            }
        ]
    }


def test_headers_and_cookies(client: Any) -> None:
    headers = [("X-Token", "a"), ("x-token", "b"), ("Cookie", "session=s1; n=3")]
    assert client.get("/fields", headers=headers).json() == [["a", "b"], None, "s1", 3]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/item", {"name": "pen", "price": 2}, {"name": "pen", "price": 2.0}),
        (
            "/two",
            {"item": {"name": "pen"}, "count": 1},
            {"item": {"name": "pen", "price": 0}, "count": 1, "note": ""},
        ),
        ("/embedded", {"price": 3.5}, 3.5),
        ("/union", [1, 2], [1, 2]),
        ("/union", {"a": 1}, {"a": 1}),
        ("/union", 5, 5),
    ],
)
def test_json_bodies(client: Any, path: str, body: Any, expected: Any) -> None:
    assert client.post(path, json=body).json() == expected


def test_an_optional_body_may_be_absent(client: Any) -> None:
    assert client.post("/optional").json() is None


@pytest.mark.parametrize(
    ("content", "kind", "location"),
    [
        (b'{"name": ', "json_invalid", ["body", 9]),
        (b"", "missing", ["body"]),
        (b"[]", "model_attributes_type", ["body"]),
        (b'{"name": ""}', "string_too_short", ["body", "name"]),
        (b'{"price": "x"}', "missing", ["body", "name"]),
        (b'\xff{"name"', "json", None),
    ],
)
def test_bad_bodies(client: Any, content: bytes, kind: str, location: Any) -> None:
    answer = client.post("/item", content=content, headers={"Content-Type": "application/json"})
    if location is None:
        assert answer.status_code == 400
        assert answer.json() == {"detail": "There was an error parsing the body"}
        return
    assert answer.status_code == 422
    assert (answer.json()["detail"][0]["type"], answer.json()["detail"][0]["loc"]) == (kind, location)


def test_a_body_of_another_media_type_is_not_json(client: Any) -> None:
    answer = client.post("/item", content=b'{"name": "pen"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422


def test_forms(client: Any) -> None:
    assert client.post("/form", data={"name": "ann", "ages": ["1", "2"]}).json() == ["ann", [1, 2]]
    assert client.post("/form", data={"name": "ann"}).status_code == 422


def test_uploads(client: Any) -> None:
    sent = {"file": ("a.txt", b"hello", "text/plain"), "small": ("b", b"x" * 5)}
    assert client.post("/upload", files=sent).json() == ["a.txt", "text/plain", "hello", 5]


def test_a_large_body(client: Any) -> None:
    name = "x" * 3_000_000
    assert client.post("/item", json={"name": name}).json()["name"] == name


@pytest.fixture
def convertors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONVERTOR_TYPES, "pair", Pair())
    monkeypatch.setitem(CONVERTOR_TYPES, "word", CONVERTOR_TYPES["str"])


@pytest.mark.usefixtures("convertors")
def test_a_convertor_of_the_users_decides_even_where_no_parameter_takes_its_value(client_of: Any) -> None:
    app = CovetPy()

    @app.get("/pairs/{pair:pair}")
    async def pairs(request: Request) -> Any:
        return request.path_params["pair"]

    client = client_of(app)
    assert client.get("/pairs/a/b").json() == ["a", "b"]
    assert client.get("/pairs/a").status_code == 404


@pytest.mark.usefixtures("convertors")
def test_a_convertor_of_ours_may_have_a_second_name(client_of: Any) -> None:
    app = CovetPy()

    @app.get("/words/{word:word}")
    async def words(word: str) -> Any:
        return word

    client = client_of(app)
    assert client.get("/words/a").json() == "a"
    assert client.get("/words/a/b").status_code == 404


def test_a_line_feed_at_the_end_of_a_path_is_overlooked_as_by_fastapi(client: Any) -> None:
    assert client.get("/query%0A?required=x").status_code == 200
    assert client.get("/numbers/5%0A").json() == 5
    assert client.get("/query/%0A?required=x").status_code == 404
