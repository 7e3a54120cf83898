"""How much of a body may be kept whole in memory where no `max_body_size` says so: the server's own limit.

Our server refuses what is larger. Under `covet run --compat` without a `--limit-body` it only tells so, once
a process, because no other ASGI server has such a limit. `Request.body()` and the engine's table ask here.
"""

from __future__ import annotations

import logging

from covet._engine import Limits
from covet.http_exceptions import BodyTooLarge

__all__ = ["HeldBody", "held_body"]

logger = logging.getLogger("covet")


class HeldBody:
    """What happens beyond the limit, in this process."""

    def __init__(self) -> None:
        self.only_tells = False
        self._told = False

    def only_tell(self) -> None:
        """Let larger bodies pass from now on, with a warning for the first."""
        self.only_tells = True

    def table_limit(self, given: int | None) -> int | None:
        """Return the size up to which the engine collects bodies for plans; larger ones are Python's."""
        if given is None and self.only_tells:
            return int(Limits.defaults()["max_body"])
        return given

    def exceeded(self, limit: int) -> None:
        """Refuse a body that is larger than the limit, or tell so.

        Raises:
            BodyTooLarge: unless this process only tells.
        """
        if not self.only_tells:
            raise BodyTooLarge
        if not self._told:
            self._told = True
            logger.warning(
                "a body of more than %d bytes is kept in memory: without --compat it would be refused (413); "
                "--limit-body sets a limit",
                limit,
            )


held_body = HeldBody()
