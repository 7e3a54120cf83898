"""Which names compatibility covers: the modules of FastAPI and Starlette, and the modules of covet they mean.

Data only, read by the finder and the loader. A name that is not here does not exist while covet stands in.
"""

from covet import SUBMODULES

__all__ = ["FASTAPI", "LOADED_WITH_FASTAPI", "VERSIONS", "target"]

# Releases whose behaviour covet has; what `__version__` and the distributions' metadata say.
VERSIONS = {"fastapi": "0.165.0", "starlette": "1.10.0"}
# The modules and packages directly below `fastapi`; what is inside a package is whatever covet has there.
FASTAPI = SUBMODULES | {
    "__main__",
    "_compat",
    "_form_limits",
    "cli",
    "staticfiles",
    "templating",
    "testclient",
}
# `import fastapi` imports these as well. Monitoring agents wait for such names with import hooks, and must
# have patched what is inside before the first route is made. Starlette's come first, as they do there.
LOADED_WITH_FASTAPI = (
    "starlette.applications",
    "starlette.background",
    "starlette.concurrency",
    "starlette.convertors",
    "starlette.datastructures",
    "starlette.exceptions",
    "starlette.formparsers",
    "starlette.middleware.base",
    "starlette.middleware.errors",
    "starlette.middleware.exceptions",
    "starlette.requests",
    "starlette.responses",
    "starlette.routing",
    "starlette.staticfiles",
    "starlette.status",
    "starlette.types",
    "starlette.websockets",
    "fastapi.background",
    "fastapi.concurrency",
    "fastapi.datastructures",
    "fastapi.dependencies.models",
    "fastapi.dependencies.utils",
    "fastapi.encoders",
    "fastapi.exception_handlers",
    "fastapi.exceptions",
    "fastapi.middleware.asyncexitstack",
    "fastapi.param_functions",
    "fastapi.params",
    "fastapi.requests",
    "fastapi.responses",
    "fastapi.routing",
    "fastapi.security",
    "fastapi.types",
    "fastapi.utils",
    "fastapi.websockets",
    "fastapi.applications",
)


def target(name: str) -> str | None:
    """Return the module of covet that `name`, of FastAPI or Starlette, means; None for an unknown one."""
    root, _, rest = name.partition(".")
    if root == "starlette":
        return None if rest == "mirror" else f"covet.{name}"
    if not rest:
        return "covet"
    return f"covet.{rest}" if rest.partition(".")[0] in FASTAPI else None
