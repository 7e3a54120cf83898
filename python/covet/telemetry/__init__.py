"""Telemetry as FastAPI names it: the settings an application takes, and what a request has to tell.

OpenTelemetry is no dependency. Signals are not recorded here yet; instrumentations that wrap the application
(`opentelemetry-instrument` and others) work as ever, and find nothing of ours in their way.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from covet.requests import Request
from covet.websockets import WebSocket

__all__ = ["TelemetryConfig", "TelemetryData", "get_telemetry_data"]


class TelemetryConfig(TypedDict, total=False):
    """What `CovetPy(telemetry={…})` accepts: OpenTelemetry's providers and which signals to record."""

    tracer_provider: Any
    meter_provider: Any
    logger_provider: Any
    tracing: bool
    metrics: bool
    logs: bool
    operation_spans: bool
    auto_configure: bool
    exclude: Callable[[MutableMapping[str, Any]], bool] | None


@dataclass(kw_only=True)
class TelemetryData:
    """What is known of the request that is being answered."""

    request: Request | None = None
    websocket: WebSocket | None = None
    body: Any = None
    values: dict[str, Any] | None = None
    errors: Sequence[Any] | None = None


_current: ContextVar[TelemetryData | None] = ContextVar("covet_telemetry_data", default=None)


def get_telemetry_data(context: Any = None) -> TelemetryData | None:
    """Return what is known of the current request; None where no telemetry is recorded."""
    return _current.get()
