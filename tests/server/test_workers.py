"""A parent and its workers: deaths, recycling, rolling restarts, reload."""

import os
import shutil
import signal
import socket
import threading
import time

import pytest

COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}  # whatever the tests themselves run with


def pids(server, count=40):
    return {int(server.get("/")) for _ in range(count)}


def two_pids(server):
    end = time.monotonic() + 10
    found = set()
    while len(found) < 2:
        found |= pids(server, 5)
        assert time.monotonic() < end, found
    return found


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_share_the_socket(serve):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    assert server.pid not in two_pids(server)
    assert server.stop() == 0
    assert server.output.count("lifespan shutdown") == 2


def test_a_killed_worker_is_back_within_2_seconds(serve):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    victim, other = two_pids(server)
    os.kill(victim, signal.SIGKILL)
    started = time.monotonic()
    server.eventually("/", lambda pid: int(pid) not in (victim, other), 2)
    assert time.monotonic() - started < 2
    assert "SIGKILL" in server.output


def test_nobody_is_refused_while_the_only_worker_is_replaced(serve):
    server = serve("plain:app", "--max-requests", "1000000")
    for _ in range(3):
        os.kill(int(server.get("/")), signal.SIGKILL)
        assert server.get("/state") == "yes"


def test_a_crash_loop_at_start_is_exit_code_3(serve, tmp_path):
    (tmp_path / "dies.py").write_text("import os\nprint('import', flush=True)\nos._exit(7)\n")
    server = serve("dies:app", "--workers", "4", ready=False)
    assert server.wait(5) == 3
    assert server.output.count("import\n") == 1


def test_an_import_error_under_a_parent_is_said_once(serve, tmp_path):
    (tmp_path / "broken.py").write_text("raise ValueError('broken on purpose')\n")
    server = serve("broken:app", "--workers", "4", ready=False)
    assert server.wait(5) == 3
    assert server.output.count("ValueError: broken on purpose") == 1


def test_a_worker_is_recycled_by_its_request_count(serve):
    server = serve("plain:app", "--max-requests", "5")
    first = server.get("/")
    for _ in range(5):
        server.get("/")
    server.eventually("/", lambda pid: pid != first)
    assert "has served its share" in server.output


def test_hup_replaces_every_worker_and_loses_nothing(serve, tmp_path):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    before = two_pids(server)
    (tmp_path / "plain.py").write_text((tmp_path / "plain.py").read_text().replace('"one"', '"another"'))
    stop, lost = threading.Event(), []

    def keep_asking():
        while not stop.is_set():
            try:
                server.get("/")
            except OSError as error:
                lost.append(error)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    server.signal(signal.SIGHUP)
    server.wait_for(r"lifespan shutdown", times=2)
    stop.set()
    asking.join()
    assert not lost
    assert not before & pids(server)
    assert server.get("/version") == "another"


def test_hup_keeps_the_old_workers_when_the_new_code_is_broken(serve, tmp_path):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    before = two_pids(server)
    (tmp_path / "plain.py").write_text("not python at all\n")
    server.signal(signal.SIGHUP)
    server.wait_for("the old one goes on serving")
    assert pids(server) <= before


def test_hup_serves_an_edit_that_python_would_not_notice(serve, tmp_path):
    source = tmp_path / "plain.py"
    server = serve("plain:app", "--workers", "2", "--no-access-log", env=COMPILED)
    two_pids(server)
    [compiled] = (tmp_path / "__pycache__").glob("plain.*.pyc")
    seen = source.stat()
    source.write_text(source.read_text().replace('VERSION = "one"', 'VERSION = "two"'))
    # As if it had been edited right after the start: in the same second, to the same size.
    os.utime(source, ns=(seen.st_mtime_ns, seen.st_mtime_ns))
    os.utime(compiled, ns=(seen.st_mtime_ns + 1, seen.st_mtime_ns + 1))
    server.signal(signal.SIGHUP)
    server.wait_for(r"lifespan shutdown", times=2)
    assert {server.get("/version") for _ in range(10)} == {"two"}


def test_hup_keeps_compiled_code_that_is_beyond_doubt(serve, tmp_path):
    server = serve("plain:app", "--workers", "2", "--no-access-log", env=COMPILED)
    two_pids(server)
    [compiled] = (tmp_path / "__pycache__").glob("plain.*.pyc")
    later = (tmp_path / "plain.py").stat().st_mtime_ns + 10_000_000_000
    os.utime(compiled, ns=(later, later))
    server.signal(signal.SIGHUP)
    server.wait_for(r"lifespan shutdown", times=2)
    assert compiled.stat().st_mtime_ns == later


def test_ttin_and_ttou_change_the_number_of_workers(serve):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    two_pids(server)
    server.signal(signal.SIGTTIN)
    server.wait_for("worker 3 ready")
    server.signal(signal.SIGTTOU)
    server.wait_for(r"\[worker 3\] SIGTERM: stopping")
    assert server.stop() == 0


def test_a_signal_to_the_whole_group_stops_silently(serve):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    two_pids(server)
    os.killpg(server.pid, signal.SIGTERM)
    assert server.wait() == 0
    assert "error" not in server.output
    assert "warning" not in server.output


def test_a_second_signal_to_the_parent_ends_everybody(serve):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    workers = two_pids(server)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /hang HTTP/1.1\r\nhost: test\r\n\r\n")
        time.sleep(0.3)
        server.signal(signal.SIGINT)
        server.wait_for("stopping")
        server.signal(signal.SIGINT)
        assert server.wait(3) == 130
    assert not any(lives(pid) for pid in workers)


def test_workers_end_when_their_parent_is_killed(serve):
    server = serve("plain:app", "--workers", "2", "--no-access-log")
    workers = two_pids(server)
    os.kill(server.pid, signal.SIGKILL)
    end = time.monotonic() + 5
    while any(lives(pid) for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_worker_with_a_blocked_loop_is_replaced(serve):
    server = serve("plain:app", "--timeout-worker", "0.8")
    first = server.get("/")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /block HTTP/1.1\r\nhost: test\r\n\r\n")
        server.wait_for("--timeout-worker")
        assert server.get("/") != first
        server.wait_for(r'plain\.py", line \d+ in app')


def test_spawned_workers_serve_too(serve):
    server = serve("plain:app", "--workers", "2", env={"COVET_START_METHOD": "spawn"})
    assert server.pid not in two_pids(server)
    assert server.stop() == 0


def test_systemd_hears_the_parent(serve, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(path)
        channel.settimeout(10)
        server = serve("plain:app", "--workers", "2", env={"NOTIFY_SOCKET": path})
        ready = f"READY=1\nMAINPID={server.pid}".encode()
        assert channel.recv(100) == ready
        server.wait_for("worker 2 ready")
        assert channel.recv(100) == ready
        server.signal(signal.SIGHUP)
        assert channel.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert channel.recv(100) == ready
        server.stop()
        assert channel.recv(100) == b"STOPPING=1"


def test_usr1_reopens_the_log_files_of_every_worker(serve, tmp_path):
    (tmp_path / "log.json").write_text(
        '{"version": 1, "handlers": {"file": {"class": "logging.FileHandler", "filename": "access.log"}},'
        ' "loggers": {"covet.access": {"handlers": ["file"], "level": "INFO"}}}'
    )
    server = serve("plain:app", "--workers", "2", "--log-config", "log.json")
    two_pids(server)
    os.rename(tmp_path / "access.log", tmp_path / "old.log")
    server.signal(signal.SIGUSR1)
    end = time.monotonic() + 5
    while len(holders(tmp_path / "access.log")) < 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not holders(tmp_path / "old.log")


def holders(path):
    """Return the processes that have a file open."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            files = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        except OSError:
            continue
        if str(path) in files:
            found.add(pid)
    return found


def test_as_process_1_it_reaps_orphans(serve, tmp_path):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("a process namespace needs root and util-linux (unshare)")
    (tmp_path / "orphans.py").write_text(
        "import os, subprocess\n"
        "from plain import app as plain\n"
        "async def app(scope, receive, send):\n"
        "    if scope['type'] == 'http' and scope['path'] == '/orphan':\n"
        "        subprocess.run(['sh', '-c', 'sleep 0.1 &'])\n"
        "    await plain(scope, receive, send)\n"
    )
    launcher = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    server = serve("orphans:app", "--workers", "2", launcher=launcher)
    first = children(server.pid)[0]
    server.wait_for("worker 2 ready")
    server.get("/orphan")
    server.get("/orphan")
    time.sleep(0.5)
    assert len(children(first)) == 2, "the workers, and no zombie"
    os.kill(first, signal.SIGTERM)
    assert server.wait() == 0


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]
