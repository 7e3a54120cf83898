"""Slow, stalled, vanished and far too many clients: the healthy one beside them does not notice."""

import resource
import socket
import struct
import time

import pytest

RESET = struct.pack("ii", 1, 0)
MIB = 1 << 20


def room(wanted):
    """As many connections as this process may hold, at most `wanted`; too few is said, not hidden."""
    possible = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200
    if possible < wanted // 4:
        pytest.skip(f"only {possible} descriptors for {wanted} connections")
    return min(wanted, possible)


def assert_healthy(server):
    assert server.latencies(400)[395] < 1


def test_slow_heads_beside_a_healthy_client(serve, until):
    server = serve("hostile:app", "--timeout-headers", "3")
    server.get()
    before, memory = server.descriptors(), server.resident()
    slow = []
    for number in range(room(1000)):
        slow.append(server.connect())
        slow[-1].sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: " if number % 2 else b"G")
    for connection in slow[::2]:
        connection.sendall(b"E")
    assert_healthy(server)
    assert server.resident() - memory < 64 * MIB
    assert until(lambda: server.descriptors() <= before + 2, 6)
    for connection in slow:
        connection.close()
    assert server.process.poll() is None


def test_peers_that_stop_reading_beside_a_healthy_client(serve, until):
    server = serve("hostile:app", "--timeout-write", "4")
    server.get()
    before, memory = server.descriptors(), server.resident()
    stalled = []
    for _ in range(room(500)):
        stalled.append(server.connect(receive_buffer=4096))
        stalled[-1].sendall(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
    assert_healthy(server)
    assert server.resident() - memory < 500 * MIB // 2
    assert until(lambda: server.descriptors() <= before + 2, 15)
    for connection in stalled:
        connection.close()


def test_a_peer_that_stops_reading_is_sent_little(serve):
    server = serve()
    with server.connect() as stalled:
        stalled.sendall(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
        made = -1
        while made != (made := int(server.get("/made"))):
            time.sleep(0.3)
    assert made < MIB


def test_a_client_that_only_asks_is_answered_no_further(serve):
    server = serve()
    asked = 100
    with server.connect() as pipelining:
        pipelining.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n" * asked)
        made = -1
        while made != (made := int(server.get("/made"))):
            time.sleep(0.3)
        assert made < 8 * MIB
        # Once it reads, it gets everything.
        left = asked * MIB
        while left > 0:
            piece = pipelining.recv(1 << 20)
            assert piece
            left -= piece.count(b"x")
    assert int(server.get("/made")) == asked * MIB


def test_aborted_uploads_leave_nothing(serve, until):
    server = serve()
    server.get()

    def upload():
        with server.connect() as connection:
            connection.sendall(b"POST /piecewise HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n")
            connection.sendall(b"x" * 200_000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    check_flat(server, until, upload)


def check_flat(server, until, abort):
    for _ in range(400):
        abort()
    assert until(lambda: server.get("/open") == "0")
    memory, files = server.resident(), server.descriptors()
    for _ in range(200):
        abort()
    assert until(lambda: server.get("/open") == "0")
    assert server.resident() - memory < 32 * MIB
    assert until(lambda: server.descriptors() <= files)


def test_without_descriptors_it_waits_and_recovers(serve, until):
    server = serve(files=128)
    server.get()
    before = server.descriptors()
    crowd = [server.connect() for _ in range(300)]
    time.sleep(0.5)
    used, start = server.processor(), time.monotonic()
    time.sleep(1.5)
    assert (server.processor() - used) / (time.monotonic() - start) < 0.2
    for connection in crowd:
        connection.close()
    start = time.monotonic()
    server.get()
    assert time.monotonic() - start < 2
    assert until(lambda: server.descriptors() <= before + 1)
