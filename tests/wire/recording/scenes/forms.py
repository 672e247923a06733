"""The form of every endpoint's items, from the schemas that the server publishes: nothing, wrong types, members
that nobody knows, texts that are too long, several items of mixed fate; and who may call it."""

from __future__ import annotations

from typing import Any

from recorder import Recorder

ROLES = (
    "super_administrator",
    "full_administrator",
    "basic_administrator",
    "help_desk",
    "gateway_administrator",
    "no_role",
)


def play(r: Recorder) -> None:
    described = r.live.request("GET", "/openapi.json").json()
    schemas = described["components"]["schemas"]
    # Whoever signs out at all can call nothing else afterwards.
    for full_path in sorted(described["paths"], key=lambda path: (path.endswith("/logout"), path)):
        if not full_path.startswith("/api/"):
            continue
        path = full_path.removeprefix("/api/")
        content = described["paths"][full_path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        names = _members(content, schemas)
        r.permission(path, ROLES)
        r.call(f"{path}: nothing", path)
        r.call(f"{path}: wrong types", path, *({name: {"a": [1]}} for name in names), dict.fromkeys(names, 7))
        r.call(f"{path}: blanks", path, dict.fromkeys(names, " "), dict.fromkeys(names))
        if names:
            r.call(
                f"{path}: too long, not text",
                path,
                {names[0]: "x" * 4097},
                {names[0]: "a\x00b"},
                {names[0]: "\x1b"},
            )
            r.call(f"{path}: members nearly known", path, {names[0] + "s": "x", "nobodyKnows": 1})


def _members(schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    """The members of an item, by following the schema of the request to the items of `data`."""
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        elif "data" in schema.get("properties", {}):
            schema = schema["properties"]["data"]
        elif schema.get("type") == "array":
            schema = schema["items"]
        else:
            return list(schema.get("properties", {}))
