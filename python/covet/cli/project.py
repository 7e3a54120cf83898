"""The files of a project that `covet new` makes: path -> text, for str.format with the project's `name`."""

__all__ = ["DOCKER_FILES", "FILES"]

MAIN = '''\
"""The application. `covet dev` serves it; put further routers beside this file and include them here."""

from covet import CovetPy
from pydantic import BaseModel

app = CovetPy(title="{name}")


class Greeting(BaseModel):
    message: str


@app.get("/")
async def index() -> Greeting:
    return Greeting(message="It works. The documentation is at /docs.")


@app.get("/hello/{{name}}")
async def hello(name: str, times: int = 1) -> Greeting:
    return Greeting(message=" ".join(["Hello"] * times + [name]))
'''

TESTS = """\
from covet.testclient import TestClient

from app.main import app

client = TestClient(app)


def test_the_index_points_to_the_documentation():
    assert "/docs" in client.get("/").json()["message"]


def test_hello_greets_as_often_as_asked():
    answer = client.get("/hello/Ada", params={{"times": 2}})
    assert answer.json() == {{"message": "Hello Hello Ada"}}


def test_a_number_that_is_none_is_refused():
    assert client.get("/hello/Ada?times=many").status_code == 422
"""

PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["covetpy"]

[dependency-groups]
dev = ["coverage", "greenlet", "httpx2", "pytest"]

[tool.covet]
entrypoint = "app.main:app"

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]

[tool.coverage.run]
branch = true
source = ["app"]
# Handlers with `def` run in threads; SQLAlchemy's asyncio support runs in greenlets.
concurrency = ["thread", "greenlet"]
"""

README = """\
# {name}

    python -m venv .venv && . .venv/bin/activate
    pip install covetpy && pip install --group dev    # pip 25.1 or newer

    covet dev                                         # serve it and follow every edit
    covet routes                                      # what it answers to
    pytest                                            # run the tests
    coverage run -m pytest && coverage report         # and what they reach
    covet run                                         # serve it in production
"""

IGNORE = """\
.venv/
__pycache__/
.pytest_cache/
.coverage*
.env
"""

DOCKERFILE = """\
FROM python:3.13-slim
WORKDIR /srv
RUN pip install --no-cache-dir covetpy
COPY app app
COPY pyproject.toml .
USER nobody
EXPOSE 8000
CMD ["covet", "run"]
"""

DOCKER_IGNORE = """\
**
!app/**
!pyproject.toml
**/__pycache__
"""

FILES = {
    "app/__init__.py": "",
    "app/main.py": MAIN,
    "tests/test_main.py": TESTS,
    "pyproject.toml": PYPROJECT,
    "README.md": README,
    ".gitignore": IGNORE,
}
DOCKER_FILES = {"Dockerfile": DOCKERFILE, ".dockerignore": DOCKER_IGNORE}
