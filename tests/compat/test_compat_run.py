"""`covet run --compat`, `covet routes --compat`, COVET_COMPAT: what was written for FastAPI, unchanged."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

APPLICATION = """
import json, logging
from fastapi import FastAPI
from starlette.requests import Request

app = FastAPI()

class Notes(logging.Filter):
    def filter(self, record):
        print("args", json.dumps(record.args), record.name, flush=True)
        return record.args[2] != "/quiet"

logging.getLogger("uvicorn.access").addFilter(Notes())

@app.get("/")
def index(request: Request) -> str:
    return type(request).__module__

@app.get("/quiet")
def quiet() -> str:
    return "quiet"
"""
SERVES = re.compile(r" on http://127\.0\.0\.1:(\d+) ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APPLICATION)
    (tmp_path / "fastapi.py").write_text("raise RuntimeError('not this one')")
    return tmp_path


def covet(folder: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "covet", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def answers(process: "subprocess.Popen[str]", *paths: str) -> tuple[list[str], str]:
    """Wait until it serves, ask for the paths, stop it; return the bodies and everything it printed."""
    assert process.stdout is not None
    said, bodies = "", []
    for line in process.stdout:
        said += line
        if found := SERVES.search(line):
            for path in paths:
                connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
                connection.request("GET", path)
                bodies.append(connection.getresponse().read().decode())
                connection.close()
            process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0, said
    process.stdout.close()
    return bodies, said


LOCAL = ("--host", "127.0.0.1", "--port", "0")


@pytest.fixture(params=["one process", "forked", "spawned", "variable"])
def served(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[list[str], str]]:
    more = {"forked": ("--workers", "2"), "spawned": ("--workers", "2", "--start-method", "spawn")}
    if request.param == "variable":
        process = covet(folder, "run", "main:app", *LOCAL, COVET_COMPAT="1")
    else:
        process = covet(folder, "run", "main:app", "--compat", *LOCAL, *more.get(request.param, ()))
    return answers(process, "/", "/quiet")


def test_the_application_runs_on_covet_in_every_kind_of_worker(served: tuple[list[str], str]) -> None:
    bodies, said = served
    assert bodies == ['"covet.requests"', '"quiet"'], said


def test_access_records_are_uvicorns(folder: Path) -> None:
    _, said = answers(covet(folder, "run", "main:app", "--compat", *LOCAL), "/", "/quiet")
    assert re.search(r'args \["127\.0\.0\.1:\d+", "GET", "/", "1\.1", 200\] uvicorn\.access', said)
    assert '"GET / HTTP/1.1" 200' in said
    assert '"GET /quiet' not in said


def test_other_records_come_from_uvicorns_logger(folder: Path) -> None:
    _, said = answers(covet(folder, "run", "main:app", "--compat", "--log-format", "json", *LOCAL), "/")
    assert '"logger": "uvicorn.error", "message": "covet ' in said
    assert '"logger": "uvicorn.access"' in said


def test_uvicorns_variables_count(folder: Path) -> None:
    environment = {
        "UVICORN_ACCESS_LOG": "no",
        "UVICORN_LIMIT_MAX_REQUESTS": "100",
        "UVICORN_LOG_LEVEL": "debug",
    }
    process = covet(folder, "run", "main:app", "--compat", "--log-level", "info", *LOCAL, **environment)
    _, said = answers(process, "/")
    assert "args" not in said
    assert "[worker 1]" in said, "recycling needs a parent"
    assert "debug" not in said, "a flag wins"


def test_routes_are_listed(folder: Path) -> None:
    told, _ = covet(folder, "routes", "main:app", "--compat").communicate(timeout=60)
    assert re.search(r"GET +/quiet +quiet", told)


def test_without_the_flag_the_advice_names_it(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import fastapi.nothing")
    process = covet(tmp_path, "routes", "main:app")
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "--compat" in told or "fastapi" in told


def test_an_unreadable_variable_is_a_wrong_command_line(folder: Path) -> None:
    process = covet(folder, "routes", "main:app", COVET_COMPAT="perhaps")
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "COVET_COMPAT: 'perhaps' is not yes or no" in told
