"""The demo application: `covet run bookshop.main:app --app-dir examples`, or `make demo`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from covet import CovetPy

from . import books
from .database import default_path, prepare


@asynccontextmanager
async def lifespan(app: CovetPy) -> AsyncIterator[None]:
    """Prepare the database before the first request."""
    app.state.database = default_path()
    prepare(app.state.database)
    yield


app = CovetPy(title="Bookshop", version="1.0.0", lifespan=lifespan)
app.include_router(books.router)


@app.get("/health", tags=["operations"])
async def health() -> dict[str, str]:
    """Say that the service answers."""
    return {"status": "ok"}
