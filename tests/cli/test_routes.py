"""`covet routes`, and what start-up says about routes that are never reached."""

import json
import re

import pytest

MAIN = """
from covet import APIRouter, CovetPy, WebSocket
from covet.starlette.routing import Mount, Route

app = CovetPy()
items = APIRouter(prefix="/items")

@app.get("/users/{name}")
async def user(name: str): ...

@app.get("/users/me")
async def me(): ...

@items.post("/", name="create", deprecated=True)
def create_item(): ...

@app.get("/hidden", include_in_schema=False)
async def hidden(): ...

@app.get("/hidden")
async def again(): ...

app.include_router(items)

def plain(request): ...

@app.websocket("/live")
async def live(websocket: WebSocket): ...

app.routes.append(Mount("/sub", routes=[Route("/inner", plain)]))
app.routes.append(Route("/sub/late", plain, name="late"))
"""


@pytest.fixture(autouse=True)
def _sources(tmp_path):
    (tmp_path / "main.py").write_text(MAIN)


def test_the_table_is_aligned(covet):
    answer = covet("routes")
    lines = answer.stdout.splitlines()
    assert answer.returncode == 0, answer.stderr
    assert lines[0].split() == ["METHOD", "PATH", "NAME", "WHERE", "FLAGS"]
    row = next(line for line in lines if "/users/{name}" in line)
    assert row.split()[:4] == ["GET", "/users/{name}", "user", "main.py:8"]
    assert row.index("/users") == lines[0].index("PATH")


def test_json_names_the_source_and_the_conflicts(covet):
    answer = covet("routes", "main:app", "--json")
    rows = {row["name"]: row for row in json.loads(answer.stdout)}
    assert rows["me"]["source"] == "main.py:11"
    assert rows["me"]["conflicts"] == [
        {"kind": "shadowed", "with": "GET /users/{name}", "where": "main.py:8"}
    ]
    assert rows["again"]["conflicts"][0]["kind"] == "conflict"
    assert rows["user"]["conflicts"] == []


def test_included_routers_are_listed_with_their_prefix(covet):
    rows = {row["name"]: row for row in json.loads(covet("routes", "--json").stdout)}
    assert rows["create"]["path"] == "/items/"
    assert rows["create"]["methods"] == ["POST"]
    assert "deprecated" in rows["create"]["flags"]
    assert "hidden" in rows["hidden"]["flags"]


def test_start_up_warns_with_both_lines(covet):
    answer = covet("run", "main:app", "--port", "0", "--strict")
    assert answer.returncode == 1
    assert "GET /users/me (main.py:11)" in answer.stderr
    assert "GET /users/{name} (main.py:8)" in answer.stderr


def test_a_foreign_application_without_routes_is_said(covet, tmp_path):
    (tmp_path / "plain.py").write_text("async def app(scope, receive, send): ...\n")
    answer = covet("routes", "plain:app")
    assert answer.returncode == 1
    assert "does not tell its routes" in answer.stderr


def test_mounts_websockets_and_starlette_routes_are_listed(covet):
    answer = covet("routes", "--json")
    rows = {row["name"] or row["path"]: row for row in json.loads(answer.stdout)}
    assert rows["live"]["methods"] == ["WS"]
    assert rows["plain"]["path"] == "/sub/inner"
    assert rows["plain"]["python"] == "a Starlette route"
    assert rows["/sub"]["methods"] == ["MOUNT"]
    assert rows["late"]["conflicts"][0]["with"] == "MOUNT /sub"


def test_without_strict_start_up_warns_and_goes_on(tmp_path):
    from covet.cli.discovery import find_application
    from covet.cli.route_checks import RouteChecks

    app = find_application("main.py", folder=str(tmp_path))()
    said = []
    RouteChecks(False, said.append)(app)
    assert any("/users/me" in message and "shadowed by" in message for message in said)


def test_a_reader_that_has_had_enough_is_no_error(covet, tmp_path):
    import subprocess
    import sys

    command = f"{sys.executable} -m covet routes --json | head -c 1"
    answer = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert answer.stderr == ""


def test_the_schema_shows_what_each_route_takes_calls_and_answers(covet):
    answer = covet("routes", "main:app", "--schema")
    assert answer.returncode == 0, answer.stderr
    assert "GET /users/{name}\n  path     name: str\n  call 1   user (async) main.py:8\n" in answer.stdout
    assert re.search(
        r"WS /live\n  call 1   live \(async\) main\.py:\d+\n  runs     in Python: a WebSocket", answer.stdout
    )
    assert "GET /sub/inner  main.py:" in answer.stdout


def test_the_schema_as_json_has_json_schemas(covet):
    answer = covet("routes", "main:app", "--json", "--schema")
    rows = {row["path"]: row for row in json.loads(answer.stdout)}
    assert rows["/users/{name}"]["plan"]["parameters"][0]["schema"] == {"type": "string"}
    assert rows["/sub/inner"]["plan"] is None


def test_a_serving_command_imports_no_framework_before_the_application_does():
    import subprocess
    import sys

    program = "import sys, covet.cli.run, covet.cli.dev; print('covet.routing' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_the_start_tells_of_websockets_that_are_not_served():
    from covet import CovetPy, WebSocket
    from covet.cli.route_checks import RouteChecks

    async def chat(websocket: WebSocket): ...

    app, said = CovetPy(), []
    RouteChecks(True, said.append)(app)
    assert said == []
    app.websocket("/chat")(chat)
    app.websocket("/news")(chat)
    RouteChecks(True, said.append)(app)
    assert len(said) == 1
    assert said[0].startswith("WebSocket /chat (")
    assert "and 1 more" in said[0]
    assert "uvicorn" in said[0]
