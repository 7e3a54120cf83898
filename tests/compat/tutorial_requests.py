"""Makes requests from an OpenAPI document: its own URL and the first operations, filled in from schemas.

Used by tutorial_answers.py in an interpreter without covet; standard library only. The same document always
gives the same requests.
"""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

__all__ = ["HEADERS", "requests_of"]

HEADERS = {
    "host": "127.0.0.1:8000",
    "user-agent": "tutorial",
    "accept": "*/*",
    "accept-encoding": "identity",
    "connection": "close",
}
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
OPERATIONS = 3
FORMATS = {
    "uuid": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "date-time": "2026-01-05T12:00:00Z",
    "date": "2026-01-05",
    "time": "12:00:00",
    "duration": "PT1H",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "binary": "content",
    "byte": "Y29udGVudA==",
}
DEPTH = 8

Json = dict[str, Any]


def requests_of(document: Json, url: str | None) -> list[Json]:
    """Return the request for the document itself, then one for each of its first operations."""
    requests = [_request("GET", url or "/openapi.json")]
    operations = [
        (method, path, entry[method])
        for path, entry in document.get("paths", {}).items()
        for method in METHODS
        if method in entry
    ]
    return requests + [_operation(document, *operation) for operation in operations[:OPERATIONS]]


def _request(method: str, path: str, headers: Json | None = None, body: bytes = b"") -> Json:
    return {
        "method": method,
        "path": path,
        "headers": headers or {},
        "body": base64.b64encode(body).decode(),
    }


def _operation(document: Json, method: str, path: str, operation: Json) -> Json:
    query: list[tuple[str, str]] = []
    headers: Json = {}
    for parameter in operation.get("parameters", []):
        name, schema = parameter["name"], parameter.get("schema", {})
        if not parameter.get("required"):
            continue
        value = parameter.get("example", sample(document, schema))
        texts = [_text(item) for item in value] if isinstance(value, list) else [_text(value)]
        if parameter["in"] == "path":
            path = path.replace("{" + name + "}", quote(texts[0], safe="/"))
        elif parameter["in"] == "query":
            query += [(name, text) for text in texts]
        elif parameter["in"] == "header":
            headers[name.lower()] = texts[0]
        else:
            headers["cookie"] = f"{name}={texts[0]}"
    if query:
        path += "?" + urlencode(query)
    body = b""
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        kind, media = next(iter(content.items()))
        body, headers["content-type"] = _body(document, kind, media)
    return _request(method.upper(), path, headers, body)


def _body(document: Json, kind: str, media: Json) -> tuple[bytes, str]:
    examples = [entry["value"] for entry in media.get("examples", {}).values() if "value" in entry]
    value = media.get("example", examples[0] if examples else sample(document, media.get("schema", {})))
    if kind == "application/x-www-form-urlencoded":
        return urlencode(value if isinstance(value, dict) else {}, doseq=True).encode(), kind
    if kind == "multipart/form-data":
        return _multipart(document, media["schema"], value), f"{kind}; boundary=frontier"
    return json.dumps(value).encode(), kind


def _multipart(document: Json, schema: Json, value: Json) -> bytes:
    parts = ""
    properties = _resolve(document, schema).get("properties", {})
    for name, content in value.items():
        entry = json.dumps(properties.get(name, {}))
        file = "binary" in entry or "octet-stream" in entry
        filename = '; filename="file.txt"\r\ncontent-type: text/plain' if file else ""
        for item in content if isinstance(content, list) else [content]:
            parts += (
                f'--frontier\r\ncontent-disposition: form-data; name="{name}"{filename}\r\n\r\n{item}\r\n'
            )
    return f"{parts}--frontier--\r\n".encode()


def sample(document: Json, schema: Json, depth: int = 0) -> Any:
    """Return a value that the schema allows, as far as its types, formats and bounds say."""
    schema = _resolve(document, schema)
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return sample(document, schema[key][0], depth)
    return _typed(document, schema, depth)


def _typed(document: Json, schema: Json, depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        if depth > DEPTH:
            return {}
        fields = schema.get("properties", {})
        wanted = schema.get("required") or list(fields)
        return {name: sample(document, fields.get(name, {}), depth + 1) for name in wanted}
    if kind == "array":
        return [sample(document, schema.get("items", {}), depth + 1)] if depth <= DEPTH else []
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    text: str = FORMATS.get(schema.get("format", ""), "Zm9v" if "contentEncoding" in schema else "foo")
    return text.ljust(schema.get("minLength", 0), "o")[: schema.get("maxLength", 1000)]


def _number(schema: Json) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 2) - 1)
    number: int | float = min(low, high) if low > high else low
    return int(number) if schema["type"] == "integer" else number


def _resolve(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
