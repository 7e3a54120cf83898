"""`--shutdown-delay`: after SIGTERM the server goes on as if nothing had happened, and only then drains."""

import os
import signal
import time

import pytest

BOTH = pytest.mark.parametrize("workers", ["1", "2"])


@BOTH
def test_newcomers_are_served_until_the_delay_is_over(serve, workers):
    server = serve("plain:app", "--workers", workers, "--shutdown-delay", "1.5")
    server.signal(signal.SIGTERM)
    asked = time.monotonic()
    served = 0
    while time.monotonic() - asked < 1:
        server.get("/version")
        served += 1
        time.sleep(0.05)
    assert server.wait() == 0
    assert 1.4 < time.monotonic() - asked < 4
    assert served > 3
    assert server.output.count("serving on for 1.5 s (--shutdown-delay)") == 1
    assert server.output.count("lifespan shutdown") == int(workers)


@BOTH
def test_a_second_signal_begins_the_drain(serve, workers):
    server = serve("plain:app", "--workers", workers, "--shutdown-delay", "60")
    server.signal(signal.SIGTERM)
    server.wait_for("serving on")
    server.signal(signal.SIGTERM)
    assert server.wait(4) == 0
    assert "lifespan shutdown" in server.output


@BOTH
def test_ctrl_c_is_not_delayed(serve, workers):
    server = serve("plain:app", "--workers", workers, "--shutdown-delay", "60")
    server.signal(signal.SIGINT)
    assert server.wait(4) == 0


def test_a_worker_that_is_replaced_leaves_at_once(serve):
    server = serve("plain:app", "--workers", "2", "--shutdown-delay", "60")
    server.wait_for("worker 2 ready")
    server.signal(signal.SIGHUP)
    server.wait_for("lifespan shutdown", times=2, timeout=8)
    server.signal(signal.SIGINT)


def test_a_worker_that_dies_meanwhile_is_replaced(serve):
    server = serve("plain:app", "--workers", "2", "--shutdown-delay", "3")
    server.wait_for("worker 2 ready")
    server.signal(signal.SIGTERM)
    server.wait_for("serving on")
    victim = int(server.get())
    os.kill(victim, signal.SIGKILL)
    server.wait_for(r"worker \d ready", times=2)
    assert server.wait() == 0


def test_a_server_that_does_not_serve_yet_stops_at_once(serve, tmp_path):
    (tmp_path / "slow.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(100)\n")
    for workers in ("1", "2"):
        server = serve("slow:app", "--workers", workers, "--shutdown-delay", "60", ready=False)
        server.wait_for("importing")
        server.signal(signal.SIGTERM)
        assert server.wait(4) == 0
