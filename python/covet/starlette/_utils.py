"""Small things that applications import although they are private. Re-exports only."""

from covet.callables import AwaitableCallable, is_async_callable
from covet.concurrency import (
    AwaitableOrContextManager,
    AwaitableOrContextManagerWrapper,
    SupportsAsyncClose,
    create_collapsing_task_group,
)
from covet.hosts import ParsedHost, parse_host_header
from covet.route_path import get_route_path
from covet.starlette.mirror import mirror

__all__ = [
    "AwaitableCallable",
    "AwaitableOrContextManager",
    "AwaitableOrContextManagerWrapper",
    "ParsedHost",
    "SupportsAsyncClose",
    "create_collapsing_task_group",
    "get_route_path",
    "is_async_callable",
    "parse_host_header",
]

mirror(__name__, "covet.callables", "covet.concurrency", "covet.hosts", "covet.route_path")
