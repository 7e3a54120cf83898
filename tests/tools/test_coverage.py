"""Coverage sees what runs: handlers, dependencies, and functions in the thread pool."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from .conftest import APP, Start, fetch


def test_coverage_sees_handlers_dependencies_and_threads(start: Start, app_file: Path) -> None:
    process, port = start("-m", "coverage", "run", "--concurrency=thread", f"--include={app_file}")
    assert fetch(f"http://127.0.0.1:{port}/sum") == "22"
    assert fetch(f"http://127.0.0.1:{port}/thread") == '"from a thread"'
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    report = app_file.with_name("report.json")
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)], cwd=app_file.parent, check=True
    )
    executed = set(json.loads(report.read_text())["files"]["tool_app.py"]["executed_lines"])
    lines = APP.splitlines()
    for line in ("value = 20", "value = 2", "total = a + b", 'answer = "from a thread"', "return answer"):
        assert lines.index(f"    {line}") + 1 in executed, line
