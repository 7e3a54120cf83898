"""What start-up says about an application's routes: conflicts, routes that are never reached, WebSockets.

Runs in the worker right after the import; with --strict a conflict or a route that is never reached stops the
start.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from covet.server import SettingsError, logs

from .route_table import Row, find_conflicts, list_routes

__all__ = ["RouteChecks"]

SHOWN = 20
FIRST = ("", "worker 1")  # the process that speaks for all


class RouteChecks(NamedTuple):
    """Check an application that has just been imported."""

    strict: bool
    warn: Callable[[str], None]

    def __call__(self, app: Any) -> None:
        """Warn about each finding.

        Raises:
            SettingsError: there are findings, and `strict` is on.
        """
        if not getattr(app, "routes", None) or logs.worker_name not in FIRST:
            return
        rows = list_routes(app)
        findings = find_conflicts(rows)
        if findings and self.strict:
            listed = "\n".join(f"  {finding}" for finding in findings[:SHOWN])
            raise SettingsError(f"{len(findings)} conflicts or unreachable routes (--strict)\n{listed}")
        for finding in findings[:SHOWN]:
            self.warn(str(finding))
        if len(findings) > SHOWN:
            self.warn(f"and {len(findings) - SHOWN} more; see covet routes")
        self._tell_of_websockets([row for row in rows if row.kind == "websocket"])

    def _tell_of_websockets(self, rows: list[Row]) -> None:
        if rows:
            more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
            self.warn(
                f"WebSocket {rows[0].path} ({rows[0].where}){more}: this server does not speak WebSocket yet "
                "and answers 404; run the application under another ASGI server, such as uvicorn"
            )
