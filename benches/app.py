"""The benchmark application. `BENCH_FRAMEWORK` says whose API it imports, covet or fastapi; the code is one.

`BENCH_VARIANT` selects the routes: base, mw (CORS, GZip and one function middleware), routes (1,000 of them).
"""

import asyncio
import importlib
import os
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

FRAMEWORK = os.environ.get("BENCH_FRAMEWORK", "covet")
VARIANT = os.environ.get("BENCH_VARIANT", "base")
HELLO = "Hello, World!"
ORIGIN = "http://example.org"

framework: Any = importlib.import_module(FRAMEWORK)
responses: Any = importlib.import_module(f"{FRAMEWORK}.responses")
Depends, Header, Cookie, Query = framework.Depends, framework.Header, framework.Cookie, framework.Query
app = framework.FastAPI()


class Address(BaseModel):
    """Where a customer lives."""

    street: str
    city: str
    zip: str
    country: str


class Customer(BaseModel):
    """Who orders."""

    name: Annotated[str, Field(max_length=100)]
    email: str
    age: Annotated[int, Field(ge=0, le=150)]
    address: Address


class Line(BaseModel):
    """One line of an order."""

    sku: str
    name: str
    qty: Annotated[int, Field(ge=1)]
    price: Annotated[float, Field(ge=0)]
    tags: list[str] = []


class Order(BaseModel):
    """The nested body that comes in and goes out."""

    id: Annotated[int, Field(ge=1)]
    status: Literal["new", "paid", "shipped"]
    customer: Customer
    lines: list[Line]
    notes: str | None = None
    total: Annotated[float, Field(ge=0)]


class Item(BaseModel):
    """One of the hundred models of the list."""

    id: int
    name: str
    price: float
    in_stock: bool
    tags: list[str]


def add_thousand_routes() -> None:
    """Half of the routes are literal, half have one parameter; the harness asks for the last one."""

    async def literal():
        return {"ok": True}

    async def parametrised(id: int):
        return {"id": id}

    for number in range(1000):
        if number % 2 == 0:
            app.get(f"/api/v1/res{number}/list")(literal)
        else:
            app.get(f"/api/v1/res{number}/{{id}}/detail")(parametrised)


def add_plain_routes() -> None:
    """Constant answers, from the loop and from threads."""

    @app.get("/plaintext", response_class=responses.PlainTextResponse)
    async def plaintext():
        return HELLO

    @app.get("/json")
    async def json():
        return {"message": HELLO}

    @app.get("/json-sync")
    def json_sync():
        return {"message": HELLO}

    if FRAMEWORK == "covet":

        @app.get("/json-inline", inline=True)
        def json_inline():
            return {"message": HELLO}

    @app.get("/sleep0")
    async def sleep0():
        await asyncio.sleep(0)
        return {"message": HELLO}

    @app.get("/sleep10")
    async def sleep10():
        await asyncio.sleep(0.01)
        return {"message": HELLO}


def add_typed_routes() -> None:
    """Parameters, bodies, lists and dependencies."""

    @app.get("/items/{item_id}")
    async def item(
        item_id: int, q: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 10
    ) -> Any:
        return {"item_id": item_id, "q": q, "limit": limit}

    @app.post("/body", response_model=Order)
    async def body(order: Order):
        return order

    @app.get("/list", response_model=list[Item])
    async def items():
        return [
            Item(id=i, name=f"Item {i}", price=i * 1.5 + 0.25, in_stock=i % 2 == 0, tags=["a", "b", f"t{i}"])
            for i in range(100)
        ]

    def settings():
        return {"factor": 2}

    async def token(
        settings: Annotated[dict[str, int], Depends(settings)], x_token: Annotated[str, Header()]
    ) -> Any:
        return x_token * settings["factor"]

    async def user(
        token: Annotated[str, Depends(token)], session: Annotated[str | None, Cookie()] = None
    ) -> Any:
        return {"token": token, "session": session}

    @app.get("/di")
    async def di(user: Annotated[dict[str, Any], Depends(user)]):
        return user


def add_middleware() -> None:
    """CORS, compression and, outermost, a function that adds a header."""
    gzip: Any = importlib.import_module(f"{FRAMEWORK}.middleware.gzip")
    cors: Any = importlib.import_module(f"{FRAMEWORK}.middleware.cors")
    app.add_middleware(gzip.GZipMiddleware, minimum_size=1000)
    app.add_middleware(cors.CORSMiddleware, allow_origins=[ORIGIN], allow_methods=["*"], allow_headers=["*"])

    @app.middleware("http")
    async def add_header(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["X-Bench"] = "1"
        return response


if VARIANT == "routes":
    add_thousand_routes()
else:
    add_plain_routes()
    add_typed_routes()
if VARIANT == "mw":
    add_middleware()
