"""FastAPI's own tutorial applications, unmodified, under `covet run --compat`, over a real socket.

They come from the source distribution on PyPI, into a cache, and are not part of this repository. What the
real FastAPI answers is recorded once by tutorial_answers.py in the reference environment. A sample runs here;
all of them with COVET_ALL_TUTORIALS=1.
"""

import base64
import functools
import hashlib
import http.client
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .tutorial_folder import ENVIRONMENT, lay_out
from .tutorial_requests import HEADERS

VERSION = "0.165.0"
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = Path(os.environ.get("COVET_CACHE") or Path.home() / ".cache/covet")
PROGRAMS = ("tutorial_answers.py", "tutorial_folder.py", "tutorial_requests.py")
SAMPLE = 16
START = 60  # seconds
SERVES = re.compile(r" on http://127\.0\.0\.1:(\d+) ")

Record = dict[str, Any]


def fetch() -> Path:
    """Return the folder of FastAPI's source distribution; download it when the cache lacks it."""
    place = CACHE / f"fastapi-{VERSION}"
    if place.is_dir():
        return place
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "fastapi"]
        subprocess.run([*command, "--dest", folder, f"fastapi=={VERSION}"], check=True, capture_output=True)
        with tarfile.open(Path(folder, f"fastapi-{VERSION}.tar.gz")) as archive:
            archive.extractall(folder, filter="data")
        Path(folder, place.name).rename(place)
    return place


def reference_python() -> str:
    """Return the interpreter that has the real FastAPI."""
    chosen = os.environ.get("COVET_REFERENCE_PYTHON")
    if chosen:
        return chosen
    made = subprocess.run([ROOT / "scripts/reference.sh"], capture_output=True, text=True, check=True)
    return made.stdout.strip()


@functools.cache
def recorded() -> dict[str, Record]:
    """Return what the real FastAPI answers: {module: record}, for each tutorial that starts there."""
    folder, python = fetch(), reference_python()
    programs = [(HERE / name).read_bytes() for name in PROGRAMS]
    mark = hashlib.sha256(b"".join([*programs, os.path.realpath(python).encode(), python.encode()]))
    cached = CACHE / f"tutorials-{VERSION}-{mark.hexdigest()[:12]}.json"
    if not cached.is_file():
        command = [python, "-s", str(HERE / "tutorial_answers.py"), str(folder)]
        environment = os.environ | ENVIRONMENT | {"PYTHONPATH": ""}
        made = subprocess.run(command, capture_output=True, check=True, env=environment)
        cached.write_bytes(made.stdout)
    everything: dict[str, Record] = json.loads(cached.read_text())
    return {module: record for module, record in everything.items() if "error" not in record}


def chosen() -> list[str]:
    """Choose every application, or a sample that stays the same and is spread over the chapters."""
    usable = [
        module
        for module, record in recorded().items()
        if all(importlib.util.find_spec(name) is not None for name in record["needs"])
    ]
    if os.environ.get("COVET_ALL_TUTORIALS"):
        return usable
    return usable[:: max(1, len(usable) // SAMPLE)]


class Served:
    """An application under `covet run --compat`."""

    def __init__(self, application: str, place: Path) -> None:
        command = [sys.executable, "-m", "covet", "run", application, "--compat", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--app-dir", str(place)],
            cwd=place,
            env=os.environ | ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    def port(self) -> int:
        """Wait until it serves."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            found = SERVES.search(line)
            if found:
                return int(found[1])
        raise AssertionError(f"it does not start:\n{self.said}")

    def stop(self) -> None:
        """End it, and insist that it ends by itself."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stderr is not None
        self.said += self.process.stderr.read()
        self.process.stderr.close()
        assert self.process.wait(START) == 0, self.said


def ask(port: int, request: Record) -> Record:
    """Make one request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(request["method"], request["path"], skip_host=True, skip_accept_encoding=True)
        body = base64.b64decode(request["body"])
        length = {"content-length": str(len(body))} if body else {}
        for name, value in (HEADERS | request["headers"] | length).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = base64.b64encode(answer.read()).decode()
        return {"status": answer.status, "type": answer.getheader("content-type"), "body": content}
    finally:
        connection.close()


def differences(module: str, record: Record, place: Path) -> list[str]:
    """Serve an application; say which requests it answers otherwise than under FastAPI."""
    lay_out(fetch(), place)
    served = Served(f"{module}:{record['attribute']}", place)
    try:
        port = served.port()
        found = []
        # The order in which SQLAlchemy loads columns, so that of SQLModel's keys, changes from run to run.
        loose = "sqlalchemy" in record["needs"]
        for entry in record["answers"]:
            request, expected = entry["request"], entry["answer"]
            answer, again = ask(port, request), ask(port, request)
            if not entry["steady"]:
                answer, expected = answer | {"body": ""}, expected | {"body": ""}
            if not same(answer, expected, loose):
                found.append(f"{request['method']} {request['path']}\n{shown(expected)}\n{shown(answer)}")
            elif entry["steady"] and not same(again, expected, loose):
                found.append(f"{request['method']} {request['path']}: the second answer differs")
        return found
    finally:
        served.stop()


def same(answer: Record, expected: Record, loose: bool) -> bool:
    """Compare two answers, byte for byte; OpenAPI documents by their values, all JSON when `loose`."""
    if answer == expected or answer | {"body": ""} != expected | {"body": ""}:
        return answer == expected
    bodies = [base64.b64decode(entry["body"]) for entry in (answer, expected)]
    if not loose and not bodies[1].startswith(b'{"openapi":'):
        return False
    return answer["type"] == "application/json" and json.loads(bodies[0]) == json.loads(bodies[1])


def shown(answer: Record) -> str:
    """Render an answer for a person."""
    return f"  {answer['status']} {answer['type']} {base64.b64decode(answer['body'])[:2000]!r}"


def judge(module: str) -> str:
    """Return what is wrong with one application, or nothing."""
    with tempfile.TemporaryDirectory() as place:
        try:
            found = differences(module, recorded()[module], Path(place))
        except (AssertionError, OSError, http.client.HTTPException) as error:
            found = [f"{type(error).__name__}: {error}"]
    return "\n".join(found)


@pytest.mark.timeout(0)
def test_tutorials_answer_as_under_fastapi() -> None:
    modules = chosen()
    assert len(modules) >= SAMPLE
    with ThreadPoolExecutor(2) as pool:
        wrong = {
            module: found for module, found in zip(modules, pool.map(judge, modules), strict=True) if found
        }
    report = "\n\n".join(f"{module}: {found}" for module, found in wrong.items())
    assert not wrong, f"{len(wrong)} of {len(modules)} differ\n\n{report}"
