"""The server's limit on bodies under --compat: told once instead of enforced, unless it was asked for."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

APPLICATION = """
from fastapi import FastAPI, Request

app = FastAPI()

@app.post("/raw")
async def raw(request: Request):
    return len(await request.body())

@app.post("/json")
async def plan(body: list[str]):
    return len(body[0])

@app.post("/small", max_body_size=10)
async def small(request: Request):
    return len(await request.body())
"""
SERVES = re.compile(r" on http://127\.0\.0\.1:(\d+) ")
TOLD = "is kept in memory: without --compat it would be refused (413); --limit-body sets a limit"
SIZE = 17 << 20
REQUESTS = [(path, chunked) for path in ("/raw", "/json", "/small") for chunked in (False, True)]
BODY = b'["' + b"x" * SIZE + b'"]'


def pieces(body: bytes) -> Iterator[bytes]:
    yield body[: SIZE // 2]
    yield body[SIZE // 2 :]


def exchange(folder: Path, *options: str) -> tuple[list[tuple[int, str]], str]:
    """Serve, send large bodies with and without their length, stop; return the answers and what was said."""
    (folder / "main.py").write_text(APPLICATION)
    command = [sys.executable, "-m", "covet", "run", "main:app", "--compat", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", "0", *options],
        cwd=folder,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    answers: list[tuple[int, str]] = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := SERVES.search(line):
                answers = [ask(int(found[1]), path, chunked) for path, chunked in REQUESTS]
                break
    finally:
        process.send_signal(signal.SIGTERM)
        said.append(process.communicate(timeout=20)[0])
    return answers, "".join(said)


def ask(port: int, path: str, chunked: bool) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"content-type": "application/json"} | ({} if chunked else {"content-length": str(len(BODY))})
    try:
        connection.request("POST", path, pieces(BODY), headers, encode_chunked=chunked)
    except OSError:
        pass  # the answer may have come first
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def test_larger_bodies_pass_and_one_line_tells(tmp_path: Path) -> None:
    answers, said = exchange(tmp_path)
    assert answers[:2] == [(200, str(len(BODY)))] * 2
    assert answers[2:4] == [(200, str(SIZE))] * 2
    assert said.count(TOLD) == 1, said


def test_a_limit_of_the_application_stands(tmp_path: Path) -> None:
    answers, _ = exchange(tmp_path)
    assert [status for status, _ in answers[4:]] == [413, 413]


def test_a_limit_that_was_asked_for_stands(tmp_path: Path) -> None:
    answers, said = exchange(tmp_path, "--limit-body", "1000")
    assert [status for status, _ in answers] == [413] * 6
    assert TOLD not in said
