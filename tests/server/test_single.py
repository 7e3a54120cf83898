"""One worker: the calling process itself serves, drains and ends."""

import os
import signal
import socket
import threading
import time

import pytest


def test_it_serves_in_the_calling_process(serve):
    server = serve("plain:app")
    assert server.get("/") == str(server.pid)


def test_lifespan_state_reaches_requests(serve):
    assert serve("plain:app").get("/state") == "yes"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(serve, number):
    server = serve("plain:app")
    server.signal(number)
    assert server.wait() == 0
    assert "lifespan shutdown" in server.output
    assert "error" not in server.output


def test_a_drain_loses_none_of_100_requests_in_flight(serve):
    server = serve("plain:app", "--no-access-log")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.get("/slow"))) for _ in range(100)]
    for thread in threads:
        thread.start()
    time.sleep(0.6)
    server.signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert answers == [str(server.pid)] * 100
    assert server.wait() == 0


def test_a_second_signal_ends_it_now(serve):
    server = serve("plain:app")
    with ask(server, "/hang"):
        server.signal(signal.SIGINT)
        server.wait_for("stopping")
        server.signal(signal.SIGINT)
        assert server.wait(2) == 130


def ask(server, path):
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode())
    time.sleep(0.3)
    return connection


def test_the_deadline_names_who_held_on(serve):
    server = serve("plain:app", "--timeout-drain", "0.5")
    with ask(server, "/hang"):
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 3
    assert "/hang" in server.output
    assert "lifespan shutdown" in server.output


def test_a_blocked_loop_does_not_hold_the_stop(serve):
    server = serve("plain:app", "--timeout-drain", "0.5")
    with ask(server, "/block"):
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 5
    assert "plain.py" in server.output
    assert "lifespan shutdown" in server.output


def test_a_shutdown_that_hangs_is_bounded(serve, tmp_path):
    (tmp_path / "hangs.py").write_text(
        "import asyncio\n"
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    await send({'type': 'lifespan.startup.complete'})\n"
        "    await receive()\n"
        "    await asyncio.sleep(100)\n"
    )
    server = serve("hangs:app", "--timeout-shutdown", "0.3")
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 3
    assert "--timeout-shutdown" in server.output


def test_a_thread_that_never_ends_does_not_hold_the_process(serve, tmp_path):
    (tmp_path / "threaded.py").write_text(
        "import asyncio, threading, time\n"
        "async def app(scope, receive, send):\n"
        "    await asyncio.to_thread(time.sleep, 100)\n"
    )
    server = serve("threaded:app", "--timeout-drain", "0.3", "--lifespan", "off")
    with ask(server, "/"):
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 4


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_exit_function_that_never_ends_does_not_hold_the_process(serve, tmp_path, workers):
    (tmp_path / "clings.py").write_text(
        "import atexit, threading\natexit.register(threading.Event().wait)\nfrom plain import app\n"
    )
    server = serve("clings:app", "--workers", workers)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 9


def test_a_failed_start_up_is_exit_code_3_with_the_users_traceback(serve, tmp_path):
    (tmp_path / "fails.py").write_text(
        "async def connect():\n"
        "    raise RuntimeError('no database here')\n"
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    try:\n"
        "        await connect()\n"
        "    except RuntimeError as error:\n"
        "        await send({'type': 'lifespan.startup.failed', 'message': 'gone'})\n"
        "        raise\n"
    )
    server = serve("fails:app", ready=False)
    assert server.wait() == 3
    assert "no database here" in server.output
    assert "fails.py" in server.output
    assert "covet/server" not in server.output


def test_stream_libraries_find_the_stop_on_the_signal_handler(serve, tmp_path):
    (tmp_path / "looks.py").write_text(
        "import signal\n"
        "async def app(scope, receive, send):\n"
        "    handler = signal.getsignal(signal.SIGTERM)\n"
        "    text = str(handler.__self__.should_exit)\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': text.encode()})\n"
    )
    assert serve("looks:app", "--lifespan", "off").get() == "False"


def test_a_signal_during_the_import_ends_it(serve, tmp_path):
    (tmp_path / "slow_import.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(100)\n")
    server = serve("slow_import:app", ready=False)
    server.wait_for("importing")
    server.signal(signal.SIGTERM)
    assert server.wait(3) == 0


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_both_loops_serve_and_stop(serve, loop):
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    server = serve("plain:app", "--loop", loop)
    assert server.get() == str(server.pid)
    assert server.stop() == 0


def test_systemd_hears_ready_and_stopping(serve, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(path)
        channel.settimeout(10)
        server = serve("plain:app", env={"NOTIFY_SOCKET": path})
        assert channel.recv(100) == b"READY=1"
        server.stop()
        assert channel.recv(100) == b"STOPPING=1"


def test_a_wait_for_the_client_can_be_cancelled(serve, tmp_path):
    (tmp_path / "waits.py").write_text(
        "import asyncio\n"
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    waiting = asyncio.ensure_future(receive())\n"
        "    await asyncio.sleep(0.01)\n"
        "    waiting.cancel()\n"
        "    await asyncio.wait({waiting}, timeout=1)\n"
        "    text = str(waiting.cancelled())\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': text.encode()})\n"
    )
    assert serve("waits:app", "--lifespan", "off").get() == "True"


def test_an_endless_stream_ends_at_the_deadline_in_its_own_task(serve, tmp_path):
    (tmp_path / "stream.py").write_text(
        "import asyncio\n"
        "from covet import CovetPy\n"
        "from covet.responses import StreamingResponse\n"
        "app = CovetPy()\n"
        "@app.get('/')\n"
        "async def endless():\n"
        "    async def pieces():\n"
        "        try:\n"
        "            while True:\n"
        "                yield 'x'\n"
        "                await asyncio.sleep(0.05)\n"
        "        finally:\n"
        "            print('stream closed', flush=True)\n"
        "    return StreamingResponse(pieces())\n"
    )
    server = serve("stream:app", "--timeout-drain", "0.5")
    with ask(server, "/"):
        assert server.stop() == 0
    assert "stream closed" in server.output
    assert "leaving without" not in server.output


def wait_for_text(path, text):
    """Wait until the file is there and holds the text: a request is logged after it is answered."""
    end = time.monotonic() + 5
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_usr1_reopens_log_files(serve, tmp_path):
    config = tmp_path / "log.json"
    log = tmp_path / "access.log"
    config.write_text(
        '{"version": 1, "handlers": {"file": {"class": "logging.FileHandler", "filename": "access.log"}},'
        ' "loggers": {"covet.access": {"handlers": ["file"], "level": "INFO"}}}'
    )
    server = serve("plain:app", "--log-config", "log.json")
    server.get("/first")
    wait_for_text(log, "/first")
    os.rename(log, tmp_path / "old.log")
    server.signal(signal.SIGUSR1)
    wait_for_text(log, "")
    server.get("/second")
    wait_for_text(log, "/second")
    assert "/second" not in (tmp_path / "old.log").read_text()


def test_a_stop_at_the_end_of_the_start_up_runs_the_shutdown(serve, tmp_path):
    (tmp_path / "stops.py").write_text(
        "import os, signal\n"
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    await send({'type': 'lifespan.startup.complete'})\n"
        "    assert (await receive())['type'] == 'lifespan.shutdown'\n"
        "    print('lifespan shutdown', flush=True)\n"
        "    await send({'type': 'lifespan.shutdown.complete'})\n"
    )
    server = serve("stops:app", ready=False)
    assert server.wait(5) == 0
    assert "lifespan shutdown" in server.output


def test_a_stop_during_the_start_up_cancels_it(serve, tmp_path):
    (tmp_path / "waits.py").write_text(
        "import asyncio\n"
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    print('starting', flush=True)\n"
        "    try:\n"
        "        await asyncio.sleep(100)\n"
        "    finally:\n"
        "        await asyncio.sleep(0.1)\n"
        "        print('start-up left', flush=True)\n"
    )
    server = serve("waits:app", ready=False)
    server.wait_for("starting")
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0
    assert "start-up left" in server.output
    assert "error" not in server.output


def test_a_start_up_that_swallows_the_stop_is_bounded(serve, tmp_path):
    (tmp_path / "clings.py").write_text(
        "import asyncio, time\n"
        "async def app(scope, receive, send):\n"
        "    await receive()\n"
        "    print('starting', flush=True)\n"
        "    while True:\n"
        "        try:\n"
        "            time.sleep(100)\n"
        "        except BaseException:\n"
        "            pass\n"
    )
    server = serve("clings:app", "--timeout-shutdown", "0.5", ready=False)
    server.wait_for("starting")
    server.signal(signal.SIGTERM)
    assert server.wait(6) == 0
    assert "clings.py" in server.output


def test_an_import_that_swallows_the_stop_ends_with_it(serve, tmp_path):
    (tmp_path / "swallows.py").write_text(
        "import time\n"
        "print('importing', flush=True)\n"
        "try:\n"
        "    time.sleep(100)\n"
        "except:\n"
        "    pass\n"
        "async def app(scope, receive, send):\n"
        "    print('called', flush=True)\n"
    )
    server = serve("swallows:app", ready=False)
    server.wait_for("importing")
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0
    assert "called" not in server.output
