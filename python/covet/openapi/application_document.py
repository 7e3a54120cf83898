"""The document of an application, or of a part of it, with the application's settings for all its documents.

`CovetPy.openapi` and `Document.openapi` call it; what it makes is theirs to keep.
"""

from __future__ import annotations

import importlib
from typing import Any

from covet.openapi.document import get_openapi

__all__ = ["application_document"]


def application_document(app: Any, **changed: Any) -> dict[str, Any]:
    """Return the document of an application; `changed` are arguments of `get_openapi` that differ from it."""
    older = app.openapi_version.startswith("3.0.")
    described: dict[str, Any] = {
        "title": app.title,
        "version": app.version,
        "openapi_version": "3.1.0" if older else app.openapi_version,
        "summary": app.summary,
        "description": app.description,
        "terms_of_service": app.terms_of_service,
        "contact": app.contact,
        "license_info": app.license_info,
        "routes": app.routes,
        "webhooks": app.webhooks.routes,
        "tags": app.openapi_tags,
        "servers": app.servers,
        "separate_input_output_schemas": app.separate_input_output_schemas,
        "external_docs": app.openapi_external_docs,
    }
    document = (app._maker("get_openapi") or get_openapi)(**(described | changed))
    # Both are for applications that ask for them.
    if app.generate_examples:
        document = importlib.import_module("covet.openapi.examples").with_examples(document)
    if older:
        downgrade = importlib.import_module("covet.openapi.downgrade").downgrade
        document = downgrade(document, version=app.openapi_version)
    return document
