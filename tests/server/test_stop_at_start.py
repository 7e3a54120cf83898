"""A stop at any moment of the start: it is heard at once, and whatever has started is shut down once."""

import os
import re
import signal
import time

import pytest

STARTS = """
import asyncio, os
from contextlib import asynccontextmanager
from covet import CovetPy

@asynccontextmanager
async def lifespan(app):
    await asyncio.sleep(0.02)
    os.write(1, b"lifespan started\\n")
    yield
    os.write(1, b"lifespan ended\\n")

app = CovetPy(lifespan=lifespan)
"""
# Runs in every process of the server before anything else: the parent's import of one module takes for ever.
SLOW_IMPORT = """
import os, sys, time

class Slow:
    parent = os.getpid()

    def find_spec(self, name, path=None, target=None):
        if name == "anyio.to_thread" and os.getpid() == self.parent:
            os.write(1, b"the parent imports\\n")
            time.sleep(60)

sys.meta_path.insert(0, Slow())
"""
MODES = {"one worker": (), "two workers": ("--workers", "2"), "reload": ("--reload",)}
STEPS = int(os.environ.get("COVET_TEST_STARTS", "12"))  # for each mode and signal
# Coverage starts in `site`, before covet can, and its start swallows a Ctrl+C.
UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
LONGEST = 0.7  # seconds: some time past the moment at which the second worker is ready


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", MODES)
def test_a_stop_at_any_moment_of_the_start(serve, tmp_path, mode, number):
    (tmp_path / "starts.py").write_text(STARTS)
    for step in range(STEPS):
        server = serve("starts:app", *MODES[mode], ready=False, env=UNMEASURED)
        time.sleep(LONGEST * step / STEPS)
        server.signal(number)
        asked = time.monotonic()
        # Until Python has come to covet's own code, the end is Python's own.
        code = server.wait(10)
        assert code in (0, -number, 130) or re.search(r"import_site|frozen site|runpy", server.output)
        assert time.monotonic() - asked < 2, server.output
        assert server.output.count("lifespan started") == server.output.count("lifespan ended")
        assert "error" not in server.output, server.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", ["two workers", "reload"])
def test_a_stop_while_the_parent_imports(serve, tmp_path, mode, number):
    (tmp_path / "starts.py").write_text(STARTS)
    (tmp_path / "sitecustomize.py").write_text(SLOW_IMPORT)
    server = serve("starts:app", *MODES[mode], ready=False, env={"PYTHONPATH": str(tmp_path)})
    server.wait_for("the parent imports")
    server.signal(number)
    asked = time.monotonic()
    assert server.wait(10) == 0, server.output
    assert time.monotonic() - asked < 2, server.output
    assert server.output.count("lifespan started") == server.output.count("lifespan ended")
    assert "Traceback" not in server.output, server.output


@pytest.mark.parametrize("module", ["covet.server.sockets", "covet.server.supervisor"])
def test_ctrl_c_is_not_lost_in_an_import_of_the_command(serve, tmp_path, module):
    slow = SLOW_IMPORT.replace("anyio.to_thread", module)
    # Exceptions come to nothing in the callbacks in which the import system drops its locks.
    slow = slow.replace(
        "            time.sleep(60)\n",
        """            try:
                time.sleep(60)
            except BaseException:
                pass
""",
    )
    (tmp_path / "sitecustomize.py").write_text(slow)
    server = serve("plain:app", "--workers", "2", ready=False, env={"PYTHONPATH": str(tmp_path)})
    server.wait_for("the parent imports")
    server.signal(signal.SIGINT)
    assert server.wait(5) == -signal.SIGINT
    assert "Traceback" not in server.output
