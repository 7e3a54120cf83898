"""The application: names, middleware, exception handlers, what may be changed, what must not happen early."""

import inspect
import pickle
import subprocess
import sys
import threading

import pytest

import covet
from covet import APIRouter, CovetPy, FastAPI, HTTPException, Request, telemetry
from covet._engine import generation
from covet.exceptions import RequestValidationError
from covet.middleware.errors import ServerErrorMiddleware
from covet.responses import JSONResponse, PlainTextResponse
from covet.testclient import TestClient


def test_fastapi_is_covetpy():
    assert FastAPI is CovetPy
    assert covet.applications.FastAPI is CovetPy


@pytest.mark.parametrize("name", covet.__all__)
def test_every_public_name_is_there(name):
    assert getattr(covet, name) is not None
    assert name in dir(covet)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        covet.nothing  # noqa: B018


def test_unknown_settings_are_type_errors():
    with pytest.raises(TypeError):
        CovetPy(openapi_prefix="/x")


def test_importing_and_constructing_starts_nothing():
    program = (
        "import threading, asyncio, os\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "import covet\n"
        "covet.CovetPy()\n"
        "assert threading.active_count() == 1\n"
        "assert len(os.listdir('/proc/self/fd')) == before\n"
        "import sys\n"
        "late = {'httpx', 'httpx2', 'typer', 'rich', 'covet.openapi.models', 'covet.security.models'}\n"
        "assert not late & set(sys.modules)\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PYDANTIC_DISABLE_PLUGINS": "1"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_stack_is_built_once_and_errors_are_outermost():
    app = CovetPy()
    client = TestClient(app)
    client.get("/")
    stack = app.middleware_stack
    assert isinstance(stack, ServerErrorMiddleware)
    client.get("/")
    assert app.middleware_stack is stack


def test_function_middleware():
    app = CovetPy()

    @app.middleware("http")
    async def mark(request: Request, call_next):
        response = await call_next(request)
        response.headers["x-mark"] = "1"
        return response

    app.get("/")(lambda: "x")
    assert TestClient(app).get("/").headers["x-mark"] == "1"


def test_exception_handlers():
    class Mine(Exception): ...

    def refuse(request, exc):
        return PlainTextResponse("refused", 400)

    app = CovetPy(exception_handlers={RequestValidationError: refuse})

    @app.exception_handler(Mine)
    async def handle(request, exc):
        return JSONResponse("mine", 418)

    @app.exception_handler(500)
    async def broken(request, exc):
        return PlainTextResponse("broken", 500)

    @app.get("/")
    def read(kind: int):
        raise [Mine(), KeyError(), HTTPException(404, headers={"x": "y"}), HTTPException(304)][kind]

    client = TestClient(app, raise_server_exceptions=False)
    assert client.get("/").text == "refused"
    assert client.get("/?kind=0").status_code == 418
    assert client.get("/?kind=1").text == "broken"
    assert client.get("/?kind=2").headers["x"] == "y"
    assert client.get("/?kind=3").content == b""


@pytest.mark.parametrize(
    "change",
    [
        lambda app: app.dependency_overrides.update({len: max}),
        lambda app: setattr(app, "dependency_overrides", {}),
        lambda app: app.exception_handlers.pop(HTTPException, None),
        lambda app: app.add_exception_handler(404, print),
        lambda app: app.router.routes.pop(),
        lambda app: setattr(app.router, "redirect_slashes", False),
        lambda app: setattr(app.routes[0], "status_code", 201),
        lambda app: setattr(app, "debug", True),
        lambda app: app.include_router(APIRouter()),
    ],
)
def test_what_plans_are_made_from_counts_as_changed(change):
    app = CovetPy()
    before = generation()
    change(app)
    assert generation() > before


def test_overrides_are_a_dict():
    assert isinstance(CovetPy().dependency_overrides, dict)


def module_level():
    return "x"


def test_an_application_that_has_not_served_can_be_pickled():
    router = APIRouter()
    router.get("/x")(module_level)
    assert pickle.loads(pickle.dumps(router.routes[0].dependant)).call is module_level


def test_no_thread_is_left_by_an_application():
    before = threading.active_count()
    CovetPy()
    assert threading.active_count() == before


def test_telemetry_settings_are_taken():
    app = CovetPy(telemetry={"tracing": False})
    assert app.telemetry == {"tracing": False}
    assert telemetry.get_telemetry_data() is None
    assert telemetry.TelemetryData(body=1).body == 1


def test_the_constructor_takes_keywords_only():
    kinds = {each.kind for each in inspect.signature(CovetPy).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
