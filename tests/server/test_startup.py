"""What a server must not load before its first answer: start-up time and memory are promises.

Each module here costs every process milliseconds and memory, and a plain application needs none of them.
"""

import json

APP = """
import sys
from __main__ import LOADED_BEFORE
from covet import CovetPy

app = CovetPy()

@app.get("/loaded")
async def loaded():
    return sorted(set(sys.modules) - LOADED_BEFORE)
"""
# A measuring tool may load anything before us; only what we load counts.
PROGRAM = """
import sys
LOADED_BEFORE = set(sys.modules)
from covet.cli.main import main
sys.exit(main(sys.argv[3:]))
"""
LATE = {
    "anyio._backends._asyncio": "for threads: comes with the first `def`",
    "covet.cli.env_file": "for --env-file",
    "covet.encoder_table": "for objects that are neither plain data nor models; loads pydantic.networks",
    "covet.formparsers.parsers": "for forms",
    "covet.middleware.traceback_page": "for errors under debug",
    "covet.openapi.docs": "for pages made by hand",
    "covet.openapi.generator": "for the document",
    "covet.openapi.models": "for the document",
    "covet.openapi.pages": "for the documentation pages",
    "covet.param_functions": "for parameters that are declared",
    "covet.routing.include_context": "for routers that are included",
    "covet.routing.plan": "for whoever looks at a plan",
    "covet.security.models": "for security schemes: pydantic models, whose schemas take long to make",
    "covet.server.error_page": "for broken code under reload",
    "covet.server.supervisor": "for several workers and reload",
    "covet.testing": "for tests",
    "covet.sse_event": "for handlers that send events",
    "email.message": "for what parses whole headers: a front end's pages, importlib.metadata",
    "encodings.idna": "for host names that are not ASCII",
    "html": "for pages",
    "http.cookies": "for cookies that are set or quoted",
    "importlib.metadata": "for pydantic's plugins, with the first complete model: none of ours may be one",
    "pydantic.networks": "for addresses",
    "shutil": "loads the archive formats; argparse asks it for the terminal's width, for help only",
    "tempfile": "for uploads",
    "zipfile": "comes with importlib.metadata",
}


def test_the_first_answer_loads_nothing_that_it_does_not_need(serve, tmp_path) -> None:
    (tmp_path / "main.py").write_text(APP)
    server = serve("main:app", python=["-c", PROGRAM])
    server.get("/loaded")
    loaded = set(json.loads(server.get("/loaded")))  # the second tells what the first has loaded
    assert "covet.routing" in loaded
    assert {name: why for name, why in LATE.items() if name in loaded} == {}
