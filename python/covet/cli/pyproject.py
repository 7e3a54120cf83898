"""The line of pyproject.toml that names the application. Loaded when nothing else names it."""

import tomllib
from pathlib import Path

from covet.server.settings import SettingsError

__all__ = ["entrypoint"]


def entrypoint(path: Path) -> tuple[str, str] | None:
    """Return the entry point of [tool.covet], else of [tool.fastapi], with a word on where it comes from."""
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from None
    for table in ("covet", "fastapi"):
        value = tools.get(table, {}).get("entrypoint")
        if value is not None and not isinstance(value, str):
            raise SettingsError(
                f'{path.name}: entrypoint under [tool.{table}] must be text such as "main:app"'
            )
        if value:
            return value, f"from [tool.{table}] in {path.name}"
    return None
