"""--log-config: the user's own logging configuration, as a JSON or YAML dictConfig or an ini file.

Loaded only when the flag is given. `disable_existing_loggers` is off unless the file says otherwise.
"""

import importlib
import json
import logging.config
from pathlib import Path
from typing import Any

from .settings import SettingsError

__all__ = ["apply"]


def apply(path: str) -> None:
    """Apply the configuration in `path`.

    Raises:
        SettingsError: the file cannot be read or is no logging configuration.
    """
    try:
        if path.endswith((".json", ".yaml", ".yml")):
            config = _read(path)
            config.setdefault("disable_existing_loggers", False)
            logging.config.dictConfig(config)
        else:
            logging.config.fileConfig(path, disable_existing_loggers=False)
    except ImportError:
        raise SettingsError(
            f"--log-config {path}: YAML needs PyYAML. Install it: pip install pyyaml"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise SettingsError(f"--log-config {path}: {_reason(error)}") from None


def _read(path: str) -> dict[str, Any]:
    text = Path(path).read_text(encoding="utf-8")
    config = json.loads(text) if path.endswith(".json") else importlib.import_module("yaml").safe_load(text)
    if not isinstance(config, dict):
        raise ValueError("the file does not hold a mapping")
    return config


def _reason(error: BaseException) -> str:
    """dictConfig hides what was wrong in the cause of its exception."""
    cause = error.__cause__
    return f"{error}: {cause}" if cause is not None else str(error)
