"""Peers that vanish without a word, like a laptop whose lid was closed: nothing arrives, no reset comes.

Only a network of its own can lose packets: the server and the peers live in two network namespaces that the
test makes, joined by a cable that it cuts. Needs root and iproute2.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PEERS = str(Path(__file__).with_name("peers.py"))
ADDRESS, PEER_ADDRESS = "198.18.0.1", "198.18.0.2"  # for measurements (RFC 2544), inside the namespaces only
LIMITS = [f"--timeout-{what}=3" for what in ("headers", "body", "write", "keep-alive")]
MIB = 1 << 20


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=10).stdout


class Cable:
    """Two namespaces and the cable between them."""

    def __init__(self) -> None:
        self.server, self.peers = (f"covet-{os.getpid()}-{end}" for end in ("server", "peers"))

    def plug_in(self) -> None:
        for name in (self.server, self.peers):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.server, "link", "add", "near", "type", "veth", "peer", "far", "netns", self.peers)
        for name, end, address in ((self.server, "near", ADDRESS), (self.peers, "far", PEER_ADDRESS)):
            ip("-n", name, "address", "add", f"{address}/30", "dev", end)
            ip("-n", name, "link", "set", end, "up")

    def cut(self) -> None:
        ip("-n", self.peers, "link", "set", "far", "down")

    def inside(self, name: str) -> list[str]:
        return ["ip", "netns", "exec", name]

    def unsent(self) -> int:
        """Return how many bytes the server's system still tries to send."""
        rows = subprocess.run(
            [*self.inside(self.server), "ss", "-Htn"], check=True, capture_output=True, text=True, timeout=10
        )
        return sum(int(row.split()[2]) for row in rows.stdout.splitlines() if PEER_ADDRESS in row)

    def remove(self) -> None:
        for name in (self.server, self.peers):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=10, check=False)


@pytest.fixture
def cable() -> Iterator[Cable]:
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("ss")):
        pytest.skip("network namespaces need root and iproute2 (ip, ss)")
    cable = Cable()
    try:
        try:
            cable.plug_in()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield cable
    finally:
        cable.remove()


def test_peers_that_vanish_beside_a_healthy_client(serve, until, cable):
    server = serve("hostile:app", *LIMITS, launcher=cable.inside(cable.server), host="0.0.0.0")
    port = str(server.port)

    def health(samples: int) -> list[float]:
        command = [sys.executable, PEERS, "health", "127.0.0.1", port, str(samples)]
        asked = subprocess.run(
            [*cable.inside(cable.server), *command], check=True, capture_output=True, timeout=30
        )
        times: list[float] = json.loads(asked.stdout)
        return times

    health(100)
    memory, files = server.resident(), server.descriptors()
    crowd = subprocess.Popen(
        [*cable.inside(cable.peers), sys.executable, PEERS, "crowd", ADDRESS, port, "500"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert crowd.stdout is not None
        assert crowd.stdout.readline() == b"open\n"
        assert server.descriptors() >= files + 500
        cable.cut()
        assert health(400)[395] < 1
        assert until(lambda: server.descriptors() <= files + 2, 10)
        assert until(lambda: server.resident() - memory < 16 * MIB)
        assert until(lambda: cable.unsent() < MIB)
    finally:
        crowd.communicate()
    assert server.stop() == 0
