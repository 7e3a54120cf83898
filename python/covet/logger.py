"""The logger of what the framework itself has to say; under FastAPI's name, which people configure."""

import logging

__all__ = ["logger"]

logger = logging.getLogger("fastapi")
