"""An application as a whole, through both doors: routes, errors, middleware, mounts, lifespan."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from covet import APIRouter, CovetPy, Depends, HTTPException, Query, Request, Response
from covet.exceptions import RequestValidationError
from covet.responses import JSONResponse, PlainTextResponse


class Filters(BaseModel):
    page: int = 1


class Marked:
    """A pure ASGI middleware that notes its name on the way in and on the way out."""

    def __init__(self, app: Any, name: str) -> None:
        self.app, self.name = app, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope.setdefault("order", []).append(self.name)

        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-mark", self.name.encode())]
            await send(message)

        await self.app(scope, receive, marked)


def test_middleware_runs_last_added_first(client_of: Any) -> None:
    app = CovetPy()
    app.add_middleware(Marked, name="a")

    @app.middleware("http")
    async def function(request: Request, call_next: Any) -> Any:
        request.scope["order"].append("f")
        answer = await call_next(request)
        answer.headers["x-function"] = "1"
        return answer

    app.add_middleware(Marked, name="b")

    @app.get("/{number}")
    async def order(request: Request, number: int) -> Any:
        return [number, request.scope["order"]]

    answer = client_of(app).get("/1")
    assert answer.json() == [1, ["b", "f", "a"]]
    assert answer.headers.get_list("x-mark") == ["a", "b"]
    assert answer.headers["x-function"] == "1"


def test_function_middleware_may_answer_itself(client_of: Any) -> None:
    app = CovetPy()

    @app.middleware("http")
    async def closed(request: Request, call_next: Any) -> Any:
        if "open" not in request.query_params:
            return PlainTextResponse("closed", 503)
        return await call_next(request)

    @app.post("/")
    async def body(request: Request) -> Any:
        return len(await request.body())

    client = client_of(app)
    assert client.post("/").status_code == 503
    assert client.post("/?open", content=b"12345").json() == 5


def test_exception_handlers(client_of: Any) -> None:
    app = CovetPy()

    class Lost(Exception):
        pass

    @app.exception_handler(Lost)
    async def lost(request: Request, error: Lost) -> Any:
        return JSONResponse({"lost": str(error)}, 410)

    @app.exception_handler(404)
    def not_found(request: Request, error: Any) -> Any:
        return PlainTextResponse(f"no {request.url.path}", 404)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Any:
        return PlainTextResponse(error.errors()[0]["type"], 400)

    @app.get("/lost/{number}")
    async def lose(number: int) -> Any:
        raise Lost(number)

    @app.get("/missing")
    def missing() -> Any:
        raise HTTPException(404)

    client = client_of(app)
    assert (client.get("/lost/1").status_code, client.get("/lost/1").json()) == (410, {"lost": "1"})
    assert (client.get("/lost/x").status_code, client.get("/lost/x").text) == (400, "int_parsing")
    assert client.get("/missing").text == "no /missing"
    assert client.get("/nowhere").text == "no /nowhere"


@pytest.mark.filterwarnings("ignore")
def test_an_unhandled_error_is_500_without_details(client_of: Any) -> None:
    app = CovetPy()

    @app.get("/")
    async def fails() -> Any:
        raise ValueError("secret")

    @app.get("/after")
    async def after() -> Any:
        return "still here"

    client = client_of(app)
    answer = client.get("/")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert client.get("/after").json() == "still here"


def test_methods(client_of: Any) -> None:
    app = CovetPy()

    @app.api_route("/", methods=["GET", "PUT"])
    async def both(request: Request) -> Any:
        return request.method

    client = client_of(app)
    assert client.put("/").json() == "PUT"
    for method in ("POST", "HEAD", "OPTIONS", "PURGE"):
        answer = client.request(method, "/")
        assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True), method


def test_405_names_the_methods_of_the_first_route(client_of: Any) -> None:
    app = CovetPy()

    @app.put("/")
    async def write() -> Any:
        return "written"

    @app.get("/")
    async def read() -> Any:
        return "read"

    answer = client_of(app).post("/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "PUT")


def test_head_and_options_when_switched_on(client_of: Any) -> None:
    app = CovetPy(auto_head=True, auto_options=True)

    @app.get("/")
    async def read() -> Any:
        return "hello"

    client = client_of(app)
    head = client.head("/")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "7")
    options = client.options("/")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_options_names_the_methods_of_all_routes_of_a_path(client_of: Any) -> None:
    app = CovetPy(auto_head=True, auto_options=True)
    router = APIRouter()

    @app.post("/items")
    async def write() -> None: ...

    @router.get("/items")
    async def read() -> str:
        return "items"

    app.include_router(router)
    client = client_of(app)
    assert client.options("/items").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert (client.head("/items").status_code, client.head("/items").headers["content-length"]) == (200, "7")
    assert client.delete("/items").status_code == 405


def test_what_is_written_for_head_and_options_comes_before_what_is_made(client_of: Any) -> None:
    app = CovetPy(auto_head=True, auto_options=True)

    @app.get("/")
    async def read() -> str:
        return "hello"

    @app.head("/")
    async def head(request: Request) -> Response:
        return Response(headers={"x-own": "head"})

    @app.options("/")
    async def options(filters: Annotated[Filters, Query()]) -> Response:
        return Response(headers={"x-own": "options"})

    client = client_of(app)
    assert client.head("/").headers["x-own"] == "head"
    assert client.options("/").headers["x-own"] == "options"


def test_slashes_redirect(client_of: Any) -> None:
    app = CovetPy()

    @app.get("/with/")
    async def with_slash() -> Any:
        return "with"

    @app.get("/without")
    async def without() -> Any:
        return "without"

    client = client_of(app)
    answer = client.get("/with?a=1")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/with/?a=1")
    assert client.get("/without/", follow_redirects=True).json() == "without"


def test_slashes_do_not_redirect_when_switched_off(client_of: Any) -> None:
    app = CovetPy(redirect_slashes=False)

    @app.get("/with/")
    async def with_slash() -> Any:
        return "with"

    assert client_of(app).get("/with").status_code == 404


def test_mounted_applications(client_of: Any) -> None:
    app, below = CovetPy(), CovetPy()

    @below.get("/items/{number}")
    async def read(number: int, request: Request) -> Any:
        return [number, request.scope["root_path"], str(request.url_for("read", number=1).path)]

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(scope["path"] + " " + scope["root_path"])(scope, receive, send)

    app.mount("/below", below)
    app.mount("/plain", plain)
    client = client_of(app)
    assert client.get("/below/items/3").json() == [3, "/below", "/below/items/1"]
    assert client.get("/below/items/x").status_code == 422
    assert client.get("/below/none").json() == {"detail": "Not Found"}
    assert client.get("/plain/x/y").text == "/plain/x/y /plain"


def test_routes_added_after_the_first_request(client_of: Any) -> None:
    app, router = CovetPy(), APIRouter()
    app.include_router(router, prefix="/r")
    client = client_of(app)
    assert client.get("/late").status_code == 404

    @app.get("/late")
    async def late() -> Any:
        return "late"

    @router.get("/later/{number}")
    def later(number: int) -> Any:
        return number

    assert client.get("/late").json() == "late"
    assert client.get("/r/later/4").json() == 4
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/late"]
    assert client.get("/late").status_code == 404


def test_the_first_registered_route_wins(client_of: Any) -> None:
    app = CovetPy()

    @app.get("/{name}")
    async def any_name(name: str) -> Any:
        return ["any", name]

    @app.get("/fixed")
    async def fixed() -> Any:
        return "never"

    assert client_of(app).get("/fixed").json() == ["any", "fixed"]


def test_the_state_of_the_lifespan(client_of: Any) -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[dict[str, Any]]:
        events.append("in")
        yield {"shared": [1]}
        events.append("out")

    app = CovetPy(lifespan=lifespan)

    @app.get("/")
    async def state(request: Request) -> Any:
        request.state.shared.append(2)
        request.state.own = 1
        return [request.state.shared, hasattr(request.state, "own")]

    @app.get("/own")
    async def own(request: Request) -> Any:
        return hasattr(request.state, "own")

    client = client_of(app)
    assert client.get("/").json() == [[1, 2], True]
    assert client.get("/own").json() is False
    assert events == ["in"]


def test_a_context_variable_is_shared_by_a_request_and_by_nobody_else(client_of: Any) -> None:
    import contextvars

    variable = contextvars.ContextVar("variable", default="unset")

    async def setting(value: str = "given") -> None:
        variable.set(value)

    app = CovetPy()

    @app.get("/set", dependencies=[Depends(setting)])
    def read_set() -> Any:
        return variable.get()

    @app.get("/get")
    async def read() -> Any:
        return variable.get()

    client = client_of(app)
    assert client.get("/set?value=a").json() == "a"
    assert client.get("/get").json() == "unset"


def test_limits_of_bodies(client_of: Any) -> None:
    app = CovetPy(max_body_size=10)

    @app.post("/")
    async def read(request: Request) -> Any:
        return len(await request.body())

    @app.post("/more", max_body_size=20)
    async def more(request: Request) -> Any:
        return len(await request.body())

    client = client_of(app)
    assert client.post("/", content=b"x" * 10).json() == 10
    assert client.post("/", content=b"x" * 11).status_code == 413
    assert client.post("/more", content=b"x" * 20).json() == 20
    assert client.post("/more", content=iter([b"x" * 21])).status_code == 413


@pytest.mark.parametrize("layers", [0, 1])
@pytest.mark.parametrize("path", ["/model", "/request", "/both", "/exits"])
def test_a_body_that_was_read_is_there_for_the_request_and_for_exception_handlers(
    client_of: Any, path: str, layers: int
) -> None:
    class Refused(Exception):
        pass

    async def connection() -> AsyncIterator[int]:
        yield 1

    app = CovetPy()

    @app.exception_handler(Refused)
    async def refuse(request: Request, exc: Exception) -> Any:
        return PlainTextResponse(await request.body(), 418)

    @app.post("/model")
    async def model(item: dict[str, int]) -> None:
        raise Refused

    @app.post("/request")
    async def request_(request: Request) -> None:
        await request.body()
        raise Refused

    @app.post("/both")
    async def both(item: dict[str, int], request: Request) -> None:
        assert await request.json() == item
        raise Refused

    @app.post("/exits")
    async def exits(item: dict[str, int], request: Request, given: int = Depends(connection)) -> None:
        await request.body()
        raise Refused

    for _ in range(layers):

        @app.middleware("http")
        async def pass_on(request: Request, call_next: Any) -> Any:
            return await call_next(request)

    answer = client_of(app).post(path, json={"a": 1})
    assert (answer.status_code, answer.json()) == (418, {"a": 1})


def raising_handlers() -> CovetPy:
    app = CovetPy()

    class First(Exception):
        pass

    class Second(Exception):
        pass

    @app.exception_handler(First)
    async def first(request: Request, error: First) -> Response:
        raise HTTPException(418, "of the first handler")

    @app.exception_handler(Second)
    async def second(request: Request, error: Second) -> Response:
        raise First

    def with_exit() -> Iterator[None]:
        yield

    @app.get("/first")
    async def raises_first() -> None:
        raise First

    @app.get("/second")
    async def raises_second() -> None:
        raise Second

    @app.get("/first-with-exit", dependencies=[Depends(with_exit)])
    async def raises_first_with_exit() -> None:
        raise First

    @app.get("/second-with-exit", dependencies=[Depends(with_exit)])
    async def raises_second_with_exit() -> None:
        raise Second

    return app


@pytest.mark.parametrize("behind", ["nothing", "function middleware"])
@pytest.mark.parametrize("path", ["", "-with-exit"])
def test_what_a_handler_raises_is_answered_once_more_and_no_further(
    client_of: Any, behind: str, path: str
) -> None:
    app = raising_handlers()
    if behind == "function middleware":

        @app.middleware("http")
        async def through(request: Request, call_next: Any) -> Any:
            return await call_next(request)

    client = client_of(app)
    answer = client.get(f"/first{path}")
    assert (answer.status_code, answer.json()) == (418, {"detail": "of the first handler"})
    assert client.get(f"/second{path}").status_code == 500
