"""Descriptions of native middleware as the engine reads them: what is none; predicates that call Python."""

import logging
from typing import Any

import pytest

GZIP = {"minimum_size": 5, "compresslevel": 9, "thread_minimum_size": 1000, "exclude_content_types": ["a/*"]}
VERDICTS = {"http://yes": "a match", "http://no": None}
CORS = {
    "allow_origins": [],
    "allow_all_origins": False,
    "allow_methods": ["GET"],
    "allow_origin_regex": lambda origin: VERDICTS[origin],
    "allow_headers": [],
    "allow_all_headers": False,
    "allow_credentials": False,
    "allow_private_network": False,
    "preflight_explicit_allow_origin": True,
    "simple_headers": [(b"x-a", b"caf\xe9")],
    "preflight_headers": [(b"vary", b"Origin")],
}


async def handler() -> str:
    return "native"


async def python(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 203, "headers": []})
    await send({"type": "http.response.body", "body": b"python"})


def test_python_decides_about_origins_and_an_error_means_no(
    serve: Any, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app.add("/", handler)
    app.settings["pipeline"] = {"outer": [("cors", CORS)], "inside": python}
    server = serve(app)
    for origin, allowed in [("http://yes", True), ("http://no", False), ("http://error", False)]:
        status, fields, _ = server.ask("/", origin=origin)
        assert status == 200
        assert fields.get("access-control-allow-origin") == (origin if allowed else None)
        assert fields["x-a"] == "caf\xe9"
    assert any("allow_origin_regex failed" in record.getMessage() for record in caplog.records)


def test_what_the_plan_does_not_answer_is_asked_inside(serve: Any, app: Any) -> None:
    app.settings |= {"pipeline": {"outer": [("gzip", GZIP)], "inside": python}, "direct": False}
    status, fields, body = serve(app).ask("/", accept_encoding="gzip")
    assert (status, fields["content-encoding"], body[:2]) == (203, "gzip", b"\x1f\x8b")


@pytest.mark.parametrize(
    "wrong", [1, ("gzip", {}), ("gzip", {**GZIP, "minimum_size": -1}), ("cors",), ("unheard_of", {}), None]
)
def test_what_is_no_description_leaves_the_application_to_python(
    serve: Any, app: Any, caplog: pytest.LogCaptureFixture, wrong: Any
) -> None:
    app.add("/", handler)
    app.settings["pipeline"] = {"outer": [wrong], "inside": python}
    app.python = python
    with caplog.at_level(logging.ERROR):
        assert serve(app).get("/") == (203, b"python")
    assert any("could not be compiled" in record.getMessage() for record in caplog.records)
