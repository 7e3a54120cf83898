"""Clients for tests that need them in a network namespace of their own: `ip netns exec` runs this there.

peers.py crowd ADDRESS PORT COUNT    open COUNT connections, say "open", wait for the end of stdin
peers.py health ADDRESS PORT COUNT   ask for / COUNT times, print the sorted times as JSON
"""

import http.client
import json
import socket
import sys
import time

HEAD = b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n"
UPLOAD = b"POST /piecewise HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 1000
# What a peer has sent when it vanishes: it reads a stream, keeps a connection, uploads, or has begun a head.
BEGINNINGS = (HEAD % b"/stream", HEAD % b"/", UPLOAD, b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")


def crowd(address: str, port: int, count: int) -> None:
    """Open the connections and keep them."""
    peers = []
    for number in range(count):
        peer = socket.create_connection((address, port), 10)
        peer.sendall(BEGINNINGS[number % len(BEGINNINGS)])
        peers.append(peer)
    for peer in peers[1 :: len(BEGINNINGS)]:
        assert peer.recv(65536).startswith(b"HTTP/1.1 200")
    print("open", flush=True)
    sys.stdin.read()


def health(address: str, port: int, count: int) -> None:
    """Ask over one connection and take the time of each answer."""
    taken = []
    connection = http.client.HTTPConnection(address, port, timeout=10)
    for _ in range(count):
        start = time.monotonic()
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        taken.append(time.monotonic() - start)
        time.sleep(0.002)
    connection.close()
    print(json.dumps(sorted(taken)))


if __name__ == "__main__":
    kind, address, port, count = sys.argv[1:]
    {"crowd": crowd, "health": health}[kind](address, int(port), int(count))
