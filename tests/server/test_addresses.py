"""Where the server listens, and what the environment says about it."""

import os
import socket
import sys


def test_a_unix_socket_is_served_and_removed(serve, tmp_path):
    server = serve("plain:app", "--uds", "here.sock")
    server.uds = str(tmp_path / "here.sock")
    assert server.get("/") == str(server.pid)
    assert server.stop() == 0
    assert not (tmp_path / "here.sock").exists()


def test_a_stale_unix_socket_is_replaced(serve, tmp_path):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "here.sock"))
    server = serve("plain:app", "--uds", "here.sock")
    server.uds = str(tmp_path / "here.sock")
    assert server.get("/") == str(server.pid)


def test_a_unix_socket_in_use_is_left_alone(serve, tmp_path):
    with socket.socket(socket.AF_UNIX) as used:
        used.bind(str(tmp_path / "here.sock"))
        used.listen()
        server = serve("plain:app", "--uds", "here.sock", ready=False)
        assert server.wait() == 1
    assert "already answers" in server.output
    assert (tmp_path / "here.sock").exists()


def test_an_inherited_descriptor_is_served(serve):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        server = serve("plain:app", "--fd", str(fd), pass_fds=[fd])
        assert server.port == listener.getsockname()[1]
        assert server.get("/") == str(server.pid)


ACTIVATE = (
    "import os, sys; os.dup2(int(os.environ['FD']), 3);"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[1], sys.argv[1:])"
)


def test_socket_activation_is_served(serve):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        server = serve(
            "plain:app", env={"FD": str(fd)}, pass_fds=[fd], launcher=[sys.executable, "-c", ACTIVATE]
        )
        assert server.port == listener.getsockname()[1]
        assert server.get("/") == str(server.pid)


def test_a_taken_port_is_said_in_one_line(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = serve("plain:app", "--port", str(taken.getsockname()[1]), ready=False)
        assert server.wait() == 1
    assert "already in use" in server.output
    assert "Traceback" not in server.output


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_platforms_port_is_honoured(serve):
    port = free_port()
    assert serve("plain:app", env={"PORT": str(port)}).port == port


def test_our_own_variable_wins_over_the_platforms(serve):
    port = free_port()
    assert serve("plain:app", env={"PORT": "1", "COVET_PORT": str(port)}).port == port


def test_web_concurrency_sets_the_workers(serve):
    server = serve("plain:app", env={"WEB_CONCURRENCY": "2"})
    server.wait_for("worker 2 ready")


def test_an_env_file_fills_in_and_never_overrides(serve, tmp_path):
    (tmp_path / "some.env").write_text('export FROM_FILE="from the file" # why\nHOME=/nowhere\n')
    server = serve("plain:app", "--env-file", "some.env")
    assert server.get("/env") == "from the file"
    assert os.environ["HOME"] != "/nowhere"


def test_the_root_path_reaches_the_scope(serve):
    server = serve("plain:app", "--root-path", "/api")
    connection = server.connect()
    connection.request("GET", "/api/root")
    assert connection.getresponse().status == 200
    connection.close()


def test_forwarded_headers_of_a_trusted_proxy_count(serve):
    server = serve("plain:app", "--trusted-proxies", "127.0.0.1,10.0.0.0/8")
    headers = {"x-forwarded-for": "1.1.1.1, 203.0.113.9, 10.1.2.3", "x-forwarded-proto": "https"}
    assert "203.0.113.9" in server.get("/client", headers)
    assert server.get("/scheme", headers) == "https"


def test_forwarded_headers_of_anybody_else_do_not(serve):
    server = serve("plain:app")
    headers = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    assert "127.0.0.1" in server.get("/client", headers)
    assert server.get("/scheme", headers) == "http"
