"""What does the API look like to a machine? An OpenAPI 3.1 document made from the declared endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final

import msgspec

from mailreeve.wire.endpoint import Admission, Endpoint
from mailreeve.wire.envelope import Failure
from mailreeve.wire.errors import Problem
from mailreeve.wire.pagination import Shown
from mailreeve.wire.raw_answer import CONTENT_TYPE, RawAnswer

_REF: Final = "#/components/schemas/{name}"
_SECURITY: Final[Mapping[Admission, list[dict[str, list[str]]]]] = {
    Admission.PASSWORD: [{"password": []}],
    Admission.APPLICATION: [{"application": []}],
}
"""What an operation asks for, where it is not what all others do."""

_MODULE: Final = re.compile(rb"mailreeve\.(?:\w+\.)*?(\w+)(?:\.types)?\.(?=[A-Z])")
"""What stands before the name of a type where there are several of that name. Where modules lie is nothing that a
client's generated code should depend on; the name of the family, or of the module, tells them apart."""


def document(endpoints: Sequence[Endpoint]) -> bytes:
    """The document as JSON."""
    types: list[type] = [Problem, Failure, Shown]
    for endpoint in endpoints:
        types += [endpoint.item, endpoint.answer]
    types = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(types, schema_hook=_anything, ref_template=_REF)
    schema_of = dict(zip(types, schemas, strict=True))
    paths = {f"/api/{e.path}": {"post": _operation(e, schema_of)} for e in endpoints}
    made = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Mailreeve",
                "version": version("mailreeve"),
                "description": "Mail and web policies, on the wire of the Mimecast API 1.0.",
            },
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "signed": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "Authorization",
                        "description": "MC {accessKey}:{signature}, with x-mc-app-id, x-mc-date and x-mc-req-id",
                    },
                    "token": {"type": "http", "scheme": "bearer"},
                    "password": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "Authorization",
                        "description": "Basic-Cloud {base64 of user:password}, with x-mc-app-id",
                    },
                    "application": {"type": "apiKey", "in": "header", "name": "x-mc-app-id"},
                },
            },
            "security": [{"signed": []}, {"token": []}],
        }
    )
    return _MODULE.sub(rb"\1.", made)


def _anything(kind: type) -> dict[str, object]:
    """The schema of what msgspec has none for: `object`, as the echoed item of a failure holds it."""
    if kind is object:
        return {"description": "Any value, as it was sent"}
    raise NotImplementedError


def _operation(endpoint: Endpoint, schema_of: dict[type, dict[str, object]]) -> dict[str, object]:
    pagination = {"pageSize": {"type": "integer"}, "pageToken": {"type": "string"}}
    request = {
        "type": "object",
        "properties": {
            "meta": {
                "type": "object",
                "properties": {"pagination": {"type": "object", "properties": pagination}},
            },
            "data": {"type": "array", "maxItems": endpoint.most, "items": schema_of[endpoint.item]},
        },
    }
    warnings = {"type": "array", "items": {"type": "string"}}
    meta: dict[str, object] = {"status": {"type": "integer"}, "warnings": warnings}
    if endpoint.lists:
        meta["pagination"] = schema_of[Shown]
    answer = {
        "type": "object",
        "required": ["meta", "data", "fail"],
        "properties": {
            "meta": {"type": "object", "required": ["status"], "properties": meta},
            "data": {"type": "array", "items": schema_of[endpoint.answer]},
            "fail": {"type": "array", "items": schema_of[Failure]},
        },
    }
    content: dict[str, object] = {"application/json": {"schema": answer}}
    if endpoint.answer is RawAnswer:  # The envelope is for refusals then.
        content[CONTENT_TYPE] = {"schema": {"type": "string", "format": "binary"}}
    security = _SECURITY.get(endpoint.admits)
    return {
        "operationId": endpoint.path,
        "tags": [endpoint.path.rpartition("/")[0]],
        "summary": endpoint.summary,
        "x-permissions": list(endpoint.permissions),
        "x-own-mailbox": endpoint.own,
        "requestBody": {"content": {"application/json": {"schema": request}}},
        "responses": {"200": {"description": "Done", "content": content}},
        **({} if security is None else {"security": security}),
    }
