"""`python -m covet.server.spawned`: a worker in an interpreter of its own, started by process.py alone."""

import base64
import os
import pickle
import socket
import sys

from . import logs
from .link import Line
from .process import ORDERS, Orders
from .sockets import Listener
from .worker import Worker

__all__ = ["main"]


def main() -> int:
    """Carry out the orders that the parent left in the environment."""
    packed = os.environ.pop(ORDERS, "")
    if not packed:
        print("error: covet.server.spawned is started by covet itself; use: covet run", file=sys.stderr)
        return 2
    orders: Orders = pickle.loads(base64.b64decode(packed))
    logs.configure(orders.settings)
    logs.set_worker(f"worker {orders.number}")
    listeners = [Listener(socket.socket(fileno=fd), address) for fd, address in orders.listeners]
    line = Line(socket.socket(fileno=orders.line))
    return Worker(orders.settings, orders.load, listeners, line, wait_for_go=orders.wait_for_go).run()


if __name__ == "__main__":
    sys.exit(main())
