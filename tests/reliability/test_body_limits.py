"""Bodies beyond the server's limit: 413 wherever all of one would be kept, never where it streams."""

import pytest

SIZE = 17 << 20
PIECE = b"y" * 65536


def send(server, path, chunked, size=SIZE):
    """Send a body until it is refused; return the status."""
    framing = "transfer-encoding: chunked" if chunked else f"content-length: {size}"
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
    with server.connect() as connection:
        try:
            connection.sendall(head.encode())
            for _ in range(size // len(PIECE)):
                connection.sendall(b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE)
            if chunked:
                connection.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # the answer may have come first
        answer = connection.recv(65536)
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("app", ["hostile:app", "hostile:wrapped"])
def test_what_would_be_held_is_refused(serve, app, chunked):
    server = serve(app)
    assert send(server, "/model", chunked) == 413
    assert send(server, "/whole", chunked) == 413
    assert send(server, "/piecewise", chunked) == 200


def test_a_limit_of_the_route_replaces_the_servers(serve):
    server = serve()
    assert send(server, "/wide", True) == 200
    assert send(server, "/wide", False, 33 << 20) == 413
