"""Dependencies through both doors: kinds, order, caching, exits, overrides."""

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest

from covet import APIRouter, CovetPy, Depends, Header, HTTPException, Query, Request, Security
from covet.security import APIKeyHeader, HTTPBearer, SecurityScopes

log: list[str] = []
app = CovetPy()


async def first() -> str:
    log.append("first")
    return "1"


def second(one: Annotated[str, Depends(first)], x: Annotated[int, Query()] = 0) -> str:
    log.append("second")
    return f"{one}2{x}"


class Paging:
    def __init__(self, limit: int = 10, offset: int = 0) -> None:
        self.limit, self.offset = limit, offset


class Checker:
    def __init__(self, word: str) -> None:
        self.word = word

    async def __call__(self, q: str = "") -> bool:
        return self.word in q


async def outer() -> AsyncIterator[str]:
    log.append("outer in")
    try:
        yield "outer"
    finally:
        log.append("outer out")


def inner(above: Annotated[str, Depends(outer)]) -> Iterator[str]:
    log.append("inner in")
    try:
        yield above + "/inner"
    finally:
        log.append("inner out")


def translating() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise HTTPException(410, f"lost {error}") from error


def user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401, "who?", headers={"WWW-Authenticate": "Basic"})
    return authorization


async def scoped(scopes: SecurityScopes) -> list[str]:
    return scopes.scopes


@app.get("/nested")
async def nested(two: Annotated[str, Depends(second)], one: Annotated[str, Depends(first)]) -> Any:
    return [two, one]


@app.get("/uncached")
async def uncached(a: str = Depends(first), b: str = Depends(first, use_cache=False)) -> Any:
    return a + b


@app.get("/class")
def by_class(paging: Annotated[Paging, Depends()], has: Annotated[bool, Depends(Checker("x"))]) -> Any:
    return [paging.limit, paging.offset, has]


@app.get("/generators")
async def generators(value: Annotated[str, Depends(inner)]) -> Any:
    log.append("handler")
    return value


@app.get("/early")
async def early(value: Annotated[str, Depends(outer, scope="function")]) -> Any:
    return value


@app.get("/translated", dependencies=[Depends(translating)])
async def translated() -> Any:
    raise KeyError("it")


@app.get("/user")
async def read_user(name: Annotated[str, Depends(user)], request: Request) -> Any:
    return [name, request.url.path]


@app.get("/scopes")
async def scopes(names: Annotated[list[str], Security(scoped, scopes=["a", "b"])]) -> Any:
    return names


@app.get("/bearer")
async def bearer(token: Annotated[Any, Depends(HTTPBearer())]) -> Any:
    return token.credentials


@app.get("/key")
async def key(value: Annotated[str, Depends(APIKeyHeader(name="x-key"))]) -> Any:
    return value


router = APIRouter(prefix="/guarded", dependencies=[Depends(user)])


@router.get("/")
def guarded() -> Any:
    return "in"


app.include_router(router)


@pytest.fixture(scope="module")
def client(lasting_client_of: Any) -> Any:
    return lasting_client_of(app)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    log.clear()


def wait_for_log(length: int) -> list[str]:
    """Exits run after the answer: give them a moment."""
    for _ in range(200):
        if len(log) >= length:
            break
        threading.Event().wait(0.01)
    return log


def test_a_dependency_runs_once_a_request(client: Any) -> None:
    assert client.get("/nested?x=5").json() == ["125", "1"]
    assert log == ["first", "second"]


def test_without_the_cache_it_runs_again(client: Any) -> None:
    assert client.get("/uncached").json() == "11"
    assert log == ["first", "first"]


def test_errors_of_nested_parameters(client: Any) -> None:
    answer = client.get("/nested?x=y")
    assert [error["loc"] for error in answer.json()["detail"]] == [["query", "x"]]


def test_classes_and_callable_objects(client: Any) -> None:
    assert client.get("/class?limit=3&q=axb").json() == [3, 0, True]


def test_generators_leave_in_reverse_order(client: Any) -> None:
    assert client.get("/generators").json() == "outer/inner"
    assert wait_for_log(5) == ["outer in", "inner in", "handler", "inner out", "outer out"]


def test_a_generator_of_function_scope(client: Any) -> None:
    assert client.get("/early").json() == "outer"
    assert wait_for_log(2) == ["outer in", "outer out"]


def test_a_generator_sees_and_turns_the_handlers_error(client: Any) -> None:
    answer = client.get("/translated")
    assert (answer.status_code, answer.json()) == (410, {"detail": "lost 'it'"})


def test_an_error_of_a_dependency_is_the_answer(client: Any) -> None:
    answer = client.get("/user")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Basic")
    assert client.get("/user", headers={"Authorization": "ann"}).json() == ["ann", "/user"]


def test_dependencies_of_a_router(client: Any) -> None:
    assert client.get("/guarded/").status_code == 401
    assert client.get("/guarded/", headers={"Authorization": "x"}).json() == "in"


def test_security_scopes(client: Any) -> None:
    assert client.get("/scopes").json() == ["a", "b"]


def test_security_schemes(client: Any) -> None:
    assert client.get("/bearer", headers={"Authorization": "Bearer t"}).json() == "t"
    assert client.get("/bearer").status_code == 401
    assert client.get("/key", headers={"X-Key": "k"}).json() == "k"


def test_overrides_may_change_between_requests(client: Any) -> None:
    assert client.get("/user").status_code == 401
    app.dependency_overrides[user] = lambda: "override"
    assert client.get("/user").json() == ["override", "/user"]
    app.dependency_overrides[user] = lambda q="q": q
    assert client.get("/user?q=given").json() == ["given", "/user"]
    app.dependency_overrides = {}
    assert client.get("/user").status_code == 401


def test_an_override_that_a_dependency_installs_counts_from_the_next_request(client_of: Any) -> None:
    app = CovetPy()

    def replaced() -> str:
        return "real"

    def installs() -> None:
        app.dependency_overrides[replaced] = lambda: "fake"

    @app.get("/")
    async def read(first: Annotated[None, Depends(installs)], then: Annotated[str, Depends(replaced)]) -> str:
        return then

    client = client_of(app)
    assert client.get("/").json() in ("real", "fake")
    assert client.get("/").json() == "fake"
