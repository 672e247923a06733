"""The OpenAPI document describes every endpoint and refers to nothing that is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from mailreeve.api.openapi import document
from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire.endpoint import Endpoint

DOCUMENT = json.loads(document(ENDPOINTS))


def every_object(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from every_object(member)


def operation(endpoint: Endpoint) -> dict[str, dict]:  # type: ignore[type-arg]
    return DOCUMENT["paths"][f"/api/{endpoint.path}"]["post"]  # type: ignore[no-any-return]


def resolved(schema: dict[str, object]) -> dict[str, object]:
    """The schema itself, or the one that it refers to."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    return DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]  # type: ignore[no-any-return]


def test_it_is_an_openapi_document() -> None:
    """With what every such document must have."""
    assert re.fullmatch(r"3\.1\.\d+", DOCUMENT["openapi"])
    assert DOCUMENT["info"]["title"]
    assert DOCUMENT["info"]["version"]
    schemes = DOCUMENT["components"]["securitySchemes"]
    ways = [*DOCUMENT["security"], *(way for e in ENDPOINTS for way in operation(e).get("security", []))]
    assert {name for way in ways for name in way} == schemes.keys()
    assert operation(next(e for e in ENDPOINTS if e.path == "login/login"))["security"] == [{"password": []}]


def test_every_reference_resolves() -> None:
    """Within the document, to a schema."""
    references = {found["$ref"] for found in every_object(DOCUMENT) if "$ref" in found}
    prefix = "#/components/schemas/"
    assert len(references) > 30
    assert all(isinstance(r, str) and r.startswith(prefix) for r in references)
    assert {str(r).removeprefix(prefix) for r in references} <= DOCUMENT["components"]["schemas"].keys()


def test_no_name_is_given_twice() -> None:
    """Two schemas of one name would be one to whoever reads the document."""

    def once(members: list[tuple[str, object]]) -> dict[str, object]:
        assert len(dict(members)) == len(members)
        return dict(members)

    json.loads(document(ENDPOINTS), object_pairs_hook=once)


def test_the_names_of_schemas_are_allowed() -> None:
    """Letters, digits, dots, dashes and underscores (OpenAPI 3.1, Components Object); not where a module lies."""
    assert not any(name.startswith("mailreeve") for name in DOCUMENT["components"]["schemas"])
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in DOCUMENT["components"]["schemas"])


def test_every_endpoint_is_there_and_nothing_else() -> None:
    """Each once, with POST only."""
    assert DOCUMENT["paths"].keys() == {f"/api/{endpoint.path}" for endpoint in ENDPOINTS}
    assert all(path.keys() == {"post"} for path in DOCUMENT["paths"].values())
    names = [path["post"]["operationId"] for path in DOCUMENT["paths"].values()]
    assert len(set(names)) == len(names) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.path)
def test_an_operation_says_what_the_endpoint_declares(endpoint: Endpoint) -> None:
    """Permissions, summary, batch size, and the schemas of item and answer."""
    said = operation(endpoint)
    assert said["x-permissions"] == [str(permission) for permission in endpoint.permissions]
    assert said["summary"] == endpoint.summary
    request = said["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]
    assert request["maxItems"] == endpoint.most
    answer = said["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["required"] == ["meta", "data", "fail"]
    assert ("pagination" in answer["properties"]["meta"]["properties"]) is endpoint.lists
    for schema, declared in (
        (request["items"], endpoint.item),
        (answer["properties"]["data"]["items"], endpoint.answer),
    ):
        assert resolved(schema)["title"] == declared.__name__
        names = set(resolved(schema)["properties"])  # type: ignore[arg-type]
        assert names == set(declared.__struct_encode_fields__)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.path)
def test_an_endpoint_has_a_permission_and_a_summary(endpoint: Endpoint) -> None:
    """None is open by omission: the few that need no permission are those that the catalogue has without one, that
    see to whose mailbox it is, or that are about the caller alone."""
    assert endpoint.summary.endswith(".")
    open_to_all = {"user/get-most-used-contacts", "audit/get-categories", "provisioning/get-packages"}
    by_mailbox = {f"archive/get-{name}" for name in ("message-list", "message-detail", "message-part", "file")}
    about_the_caller = {f"login/{name}" for name in ("discover-authentication", "login", "logout")}
    about_the_caller |= {f"ext/{name}" for name in ("change-password", "get-my-keys", "revoke-my-key")}
    assert endpoint.permissions or endpoint.path in open_to_all | by_mailbox | about_the_caller
    assert re.fullmatch(r"[a-z-]+(/[a-z-]+)+", endpoint.path)
