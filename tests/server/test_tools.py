"""Other people's tools see handlers, dependencies and pool threads: coverage, py-spy, debugpy."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

APP = """import time

from covet import CovetPy, Depends

app = CovetPy()

def dependency():
    value = 1
    return value

@app.get("/async")
async def handler(value: int = Depends(dependency)):
    doubled = value * 2
    return doubled

@app.get("/sync")
def in_a_thread():
    text = "from a thread"
    return text

@app.get("/sleep")
def sleeps_in_a_thread():
    time.sleep(2)
"""
BODIES = {8, 9, 13, 14, 18, 19}  # the lines inside dependency, handler and in_a_thread


@pytest.fixture(autouse=True)
def _source(tmp_path):
    (tmp_path / "main.py").write_text(APP)


@pytest.mark.parametrize("core", ["ctrace", "sysmon"])
def test_coverage_sees_handlers_dependencies_and_threads(serve, tmp_path, core):
    pytest.importorskip("coverage")
    if core == "sysmon" and sys.version_info < (3, 12):
        pytest.skip("sys.monitoring came with Python 3.12")
    (tmp_path / "coveragerc").write_text("[run]\nconcurrency = thread\nsource = .\n")
    before = ["-m", "coverage", "run", "--rcfile", "coveragerc", "--data-file", "data"]
    server = serve("main:app", python=before, env={"COVERAGE_CORE": core})
    server.get("/async")
    server.get("/sync")
    assert server.stop() == 0
    report = [
        sys.executable,
        "-m",
        "coverage",
        "json",
        "--rcfile",
        "coveragerc",
        "--data-file",
        "data",
        "-o",
        "out.json",
    ]
    subprocess.run(report, cwd=tmp_path, check=True, capture_output=True)
    executed = json.loads((tmp_path / "out.json").read_text())["files"]["main.py"]["executed_lines"]
    assert set(executed) >= BODIES


def test_py_spy_names_the_handler_that_runs(serve):
    tool = shutil.which("py-spy") or shutil.which("py-spy", path=os.path.dirname(sys.executable))
    if tool is None:
        pytest.skip("py-spy is not installed")
    server = serve("main:app")
    asking = threading.Thread(target=server.get, args=("/sleep",))
    asking.start()
    time.sleep(1)
    dump = subprocess.run([tool, "dump", "--pid", str(server.pid)], capture_output=True, text=True)
    asking.join()
    if "ermission" in dump.stderr:
        pytest.skip("this machine does not let py-spy look")
    assert "sleeps_in_a_thread" in dump.stdout


def test_a_server_runs_under_debugpy(serve):
    pytest.importorskip("debugpy")
    server = serve("main:app", python=["-Xfrozen_modules=off", "-m", "debugpy", "--listen", "127.0.0.1:0"])
    assert server.get("/async") == "2"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
