"""Records what FastAPI's tutorial applications answer: run by an interpreter that has the real FastAPI.

`python tutorial_answers.py FOLDER` prints JSON, {module: record}, for each application below FOLDER/docs_src
that starts. Each is imported in a fork of its own, in a scratch folder. It must never import covet.
"""

import base64
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tutorial_folder import lay_out
from tutorial_requests import HEADERS, requests_of

PATIENCE = 20  # seconds for one application
AT_ONCE = 2
ASKED = 6  # times each request is made; five books at random must not look steady
AS_OVER_A_SOCKET: dict[str, Any] = {
    "base_url": "http://127.0.0.1:8000",
    "client": ("127.0.0.1", 50000),
    "raise_server_exceptions": False,
}
KINDS = ("FastAPI", "Starlette")

Record = dict[str, Any]


def application(module: Any) -> tuple[str, Any]:
    """Return the name and the object of the module's application."""
    names = {"app": getattr(module, "app", None)} | vars(module)
    for name, value in names.items():
        if any(kind.__name__ in KINDS for kind in type(value).__mro__):
            return name, value
    raise LookupError("no application")


def ask(client: Any, request: Record) -> Record:
    """Make one request; the answer, with its body in base 64."""
    answer = client.request(
        request["method"],
        request["path"],
        headers=HEADERS | request["headers"],
        content=base64.b64decode(request["body"]),
    )
    return {
        "status": answer.status_code,
        "type": answer.headers.get("content-type"),
        "body": base64.b64encode(answer.content).decode(),
    }


def record(module: str, folder: Path) -> Record:
    """Import an application, ask it for its document and what the document says."""
    from fastapi.testclient import TestClient

    known = set(sys.modules)
    with tempfile.TemporaryDirectory() as place:
        lay_out(folder, Path(place))
        os.chdir(place)
        sys.path.insert(0, place)
        name, app = application(importlib.import_module(module))
        needs = {name.partition(".")[0] for name in set(sys.modules) - known}
        answers: list[Record] = []
        with TestClient(app, **AS_OVER_A_SOCKET) as client:
            client.follow_redirects = False
            client.headers.clear()
            document = app.openapi() if hasattr(app, "openapi") else {}
            for request in requests_of(document, getattr(app, "openapi_url", None)):
                signal.alarm(PATIENCE)
                first, *others = [ask(client, request) for _ in range(ASKED)]
                # What depends on the time, on chance or on earlier requests cannot be compared.
                steady = all(other == first for other in others)
                answers.append({"request": request, "answer": first, "steady": steady})
    needs -= {"docs_src", "fastapi", "starlette", *sys.stdlib_module_names}
    public = sorted(name for name in needs if not name.startswith("_"))
    return {"attribute": name, "needs": public, "answers": answers}


def in_fork(work: Callable[[], Record]) -> tuple[int, int]:
    """Run `work` in a child; return its process id and the pipe its result comes through."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    os.close(reader)
    os.dup2(2, 1)
    signal.alarm(PATIENCE)
    try:
        result = work()
    except BaseException:
        result = {"error": traceback.format_exc(limit=-1)}
    with os.fdopen(writer, "w") as pipe:
        json.dump(result, pipe)
    os._exit(0)


def main(folder: Path) -> None:
    """Record every application."""
    warnings.simplefilter("ignore")
    import fastapi.openapi.utils
    import fastapi.testclient  # noqa: F401  (each fork then starts with everything loaded)

    modules = sorted(
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in (folder / "docs_src").rglob("*.py")
        if path.name != "__init__.py"
    )
    records: dict[str, Record] = {}
    for start in range(0, len(modules), AT_ONCE):
        batch = modules[start : start + AT_ONCE]
        children = [in_fork(partial(record, module, folder)) for module in batch]
        for module, (pid, reader) in zip(batch, children, strict=True):
            with os.fdopen(reader) as pipe:
                text = pipe.read()
            os.waitpid(pid, 0)
            records[module] = json.loads(text) if text else {"error": "ended without an answer"}
    json.dump(records, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
