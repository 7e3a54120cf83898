"""The application behind `test_wire.py`: it tells in headers what it understood and sends the body back."""

from typing import Annotated

from covet import Body, CovetPy, Request, Response
from covet.types import Receive, Scope, Send

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PURGE"]

app = CovetPy(openapi_url=None)


@app.post("/in-memory")
async def keep(document: Annotated[dict[str, int], Body()]) -> int:
    """Take a body that the engine collects before the call, so that its size is limited."""
    return len(document)


@app.api_route("/{path:path}", methods=METHODS)
async def echo(request: Request) -> Response:
    """Repeat the request; the target is what the engine took for path and query."""
    body = await request.body()
    query = request.scope["query_string"]
    target = request.scope["raw_path"] + (b"?" + query if query else b"")
    headers = {"x-method": request.method, "x-target": target.decode("ascii")}
    return Response(body, headers=headers, media_type="application/octet-stream")


async def answer_asterisk(scope: Scope, receive: Receive, send: Send) -> None:
    """`OPTIONS *` is about the server, so no route can have it."""
    response = Response(headers={"x-method": scope["method"], "x-target": scope["path"]})
    await response(scope, receive, send)


app.router.default = answer_asterisk
