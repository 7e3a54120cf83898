"""Spans of OpenTelemetry. Re-exports only."""

from covet.middleware.opentelemetry import OpenTelemetryMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "OpenTelemetryMiddleware",
]

mirror(__name__, "covet.middleware.opentelemetry")
