"""`covet openapi`: the document in its forms, and what has changed since an older one."""

import json

import pytest
import yaml

MAIN = """
from pydantic import BaseModel

from covet import CovetPy

class Book(BaseModel):
    title: str
    pages: int | None = None

app = CovetPy(title="Bücher")
older = CovetPy(openapi_version="3.0.3")

@app.post("/books")
def add(book: Book) -> Book: ...

async def plain(scope, receive, send): ...

broken = CovetPy()
broken.openapi = lambda: 1 / 0
"""


@pytest.fixture(autouse=True)
def _sources(tmp_path):
    (tmp_path / "main.py").write_text(MAIN)


def test_the_document_is_written_to_stdout(covet):
    answer = covet("openapi")
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout)
    assert document["openapi"] == "3.1.0"
    assert list(document["paths"]) == ["/books"]
    assert answer.stderr == ""


def test_the_document_is_written_into_a_file(covet, tmp_path):
    answer = covet("openapi", "main:app", "-o", "openapi.json")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert json.loads((tmp_path / "openapi.json").read_text())["info"]["title"] == "Bücher"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"main.py", "openapi.json"}


def test_a_file_that_cannot_be_written_is_said(covet):
    answer = covet("openapi", "main:app", "-o", "nowhere/openapi.json")
    assert answer.returncode == 1
    assert answer.stderr == "error: -o nowhere/openapi.json: No such file or directory\n"


def test_yaml_says_the_same(covet):
    text = covet("openapi", "main:app", "--format", "yaml").stdout
    assert text.startswith("openapi: 3.1.0\ninfo:\n  title: Bücher\n")
    assert "&id" not in text
    assert yaml.safe_load(text) == json.loads(covet("openapi", "main:app").stdout)


def test_yaml_without_pyyaml_names_the_way_to_it(covet, tmp_path):
    (tmp_path / "yaml.py").write_text("raise ModuleNotFoundError('yaml')")
    answer = covet("openapi", "main:app", "--format", "yaml", PYTHONPATH=str(tmp_path))
    assert answer.returncode == 1
    assert "pip install 'covetpy[yaml]'" in answer.stderr


def test_the_older_version_is_written_on_demand(covet):
    document = json.loads(covet("openapi", "main:app", "--spec", "3.0").stdout)
    assert document["openapi"] == "3.0.3"
    pages = document["components"]["schemas"]["Book"]["properties"]["pages"]
    assert pages == {"type": "integer", "nullable": True, "title": "Pages"}


def test_the_newer_version_cannot_be_had_of_an_application_with_the_older(covet):
    answer = covet("openapi", "main:older", "--spec", "3.1")
    assert answer.returncode == 1
    assert "openapi_version='3.0.3'" in answer.stderr


def test_no_change_is_said(covet):
    covet("openapi", "main:app", "-o", "old.json")
    answer = covet("openapi", "main:app", "--diff", "old.json")
    assert (answer.returncode, answer.stdout) == (0, "nothing has changed\n")


def test_breaking_changes_are_the_exit_code(covet, tmp_path):
    covet("openapi", "main:app", "-o", "old.json")
    (tmp_path / "main.py").write_text(MAIN.replace("pages: int | None = None", "pages: int"))
    answer = covet("openapi", "main:app", "--diff", "old.json")
    assert answer.returncode == 1
    assert "breaking  Book: property 'pages' is required now" in answer.stdout.splitlines()
    assert answer.stdout.splitlines()[-1] == "2 breaking, 0 other"


def test_changes_are_told_to_programs(covet, tmp_path):
    covet("openapi", "main:app", "-o", "old.json")
    (tmp_path / "main.py").write_text(MAIN + "\n@app.get('/new')\ndef new(): ...\n")
    answer = covet("openapi", "main:app", "--diff", "old.json", "--json")
    assert answer.returncode == 0
    change = {"kind": "path-added", "place": "/new", "message": "the path was added", "breaking": False}
    assert json.loads(answer.stdout) == {"breaking": 0, "changes": [change]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "--diff old.json: No such file or directory"),
        ("{", "old.json: the document is not JSON"),
        ('{"openapi": "3.1.0", "paths": {"/books": {"$ref": "#/nowhere"}}}', "#/nowhere points to nothing"),
    ],
)
def test_an_unusable_old_document_is_said(covet, tmp_path, content, message):
    if content is not None:
        (tmp_path / "old.json").write_text(content)
    answer = covet("openapi", "main:app", "--diff", "old.json")
    assert answer.returncode == 1
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr


def test_json_without_diff_is_a_wrong_command_line(covet):
    answer = covet("openapi", "main:app", "--json")
    assert answer.returncode == 2
    assert "--json goes with --diff" in answer.stderr


def test_an_application_without_a_document_is_said(covet):
    answer = covet("openapi", "main:plain")
    assert answer.returncode == 1
    assert "without an OpenAPI document" in answer.stderr


def test_a_document_that_cannot_be_made_shows_the_users_line(covet):
    answer = covet("openapi", "main:broken")
    assert answer.returncode == 1
    assert "main:broken cannot make its document" in answer.stderr
    assert "broken.openapi = lambda: 1 / 0" in answer.stderr
