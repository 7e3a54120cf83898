"""What every supported Python must do: import covet, serve one request over a socket, stop cleanly.

Run as a program (`python tests/smoke.py`) in an environment that has covet and nothing else.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

APP = """
from covet import CovetPy
app = CovetPy()

@app.get("/double/{number}")
async def double(number: int, plus: int = 0):
    return {"result": 2 * number + plus}

@app.get("/thread")
def thread():
    return "from a thread"
"""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> object:
    """Fetch `url` as JSON; try for ten seconds while the server starts."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no answer from {url}")


def main() -> None:
    """Start the server, ask twice, stop it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "smoke_app.py").write_text(APP)
        command = [sys.executable, "-m", "covet", "run", "smoke_app:app", "--app-dir", folder]
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], env=dict(os.environ)
        )
        try:
            assert get(f"http://127.0.0.1:{port}/double/20?plus=2") == {"result": 42}
            assert get(f"http://127.0.0.1:{port}/thread") == "from a thread"
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=15)
    assert code == 0, f"exit code {code}"
    print(f"smoke test passed on Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
