"""A Terraform provider's life with each of its resources, over HTTP with access tokens.

What it creates reads equal, so that the plan shows no difference, and what it changes in place reads equal again
with the ids it knows. The members sent are those that clients.md lists for the provider. It compares each of them
with what it reads; dates must be absent where a policy is eternal (clients.md, "What the answers must hold").
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailreeve.client import Client

ALTERATION = "policy/address-alteration/"
WEB = "policy/webwhiteurl/"


@pytest.fixture
def client(server) -> Iterator[Client]:
    with server.oauth_client() as found:
        yield found


def differences(sent: object, read: object, path: str = "") -> list[str]:
    """Where the answer does not hold what was sent. What it holds beside that, the provider does not look at."""
    if isinstance(sent, dict) and isinstance(read, dict):
        return [
            found
            for name, value in sent.items()
            for found in differences(value, read.get(name, "absent"), f"{path}.{name}")
        ]
    if isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        return [
            found
            for n, (one, other) in enumerate(zip(sent, read, strict=True))
            for found in differences(one, other, f"{path}[{n}]")
        ]
    return [] if sent == read and type(sent) is type(read) else [f"{path}: sent {sent!r}, read {read!r}"]


def one(client: Client, path: str, item: dict) -> dict:
    (row,) = client.call(path, item)
    return row


POLICIES = {
    "eternal": {
        "description": "Eternal",
        "enabled": True,
        "enforced": False,
        "override": False,
        "bidirectional": False,
        "fromPart": "envelope_from",
        "fromEternal": True,
        "toEternal": True,
        "from": {"type": "everyone"},
        "to": {"type": "everyone"},
    },
    "dated": {
        "description": " Dated, and with all members ",
        "comment": "Made by Terraform",
        "enabled": False,
        "enforced": True,
        "override": True,
        "bidirectional": True,
        "fromPart": "both",
        "fromEternal": False,
        "fromDate": "2026-12-01T00:00:00+0100",
        "toEternal": False,
        "toDate": "2027-12-01T00:00:00Z",
        "from": {"type": "individual_email_address", "emailAddress": "Bob.O'Neil@Partner.TEST"},
        "to": {"type": "everyone"},
        "conditions": {"sourceIPs": ["192.0.2.1", "198.51.100.7/24", "2001:DB8::/48"]},
    },
    "domain": {
        "description": "Domain",
        "enabled": True,
        "enforced": False,
        "override": False,
        "bidirectional": False,
        "fromPart": "header_from",
        "fromEternal": True,
        "toEternal": False,
        "toDate": "2027-01-01T00:00:00+00:00",
        "from": {"type": "email_domain", "emailDomain": "Bücher.Example"},
        "to": {"type": "everyone"},
    },
}
PAIRS = [(one, other) for one in POLICIES for other in POLICIES if one != other]


@pytest.fixture
def set_id(client) -> str:
    return one(client, f"{ALTERATION}create-address-alteration-set", {"description": "Terraform"})["id"]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_address_alteration_policy(client, set_id, first, second):
    sent = {"addressAlterationSetId": set_id, "policy": POLICIES[first]}
    made = one(client, f"{ALTERATION}create-policy", sent)
    read = one(client, f"{ALTERATION}get-policy", {"id": made["id"]})
    assert differences(sent, made) == differences(sent, read) == []
    changed = {"id": made["id"], "addressAlterationSetId": set_id, "policy": POLICIES[second]}
    after = one(client, f"{ALTERATION}update-policy", changed)
    read = one(client, f"{ALTERATION}get-policy", {"id": made["id"]})
    assert differences(changed, after) == differences(changed, read) == []
    for side in ("from", "to"):
        if POLICIES[second][f"{side}Eternal"]:
            assert f"{side}Date" not in read["policy"]
    assert one(client, f"{ALTERATION}delete-policy", {"id": made["id"]}) == {"id": made["id"], "deleted": True}
    assert client.call(f"{ALTERATION}get-policy", {"id": made["id"]}) == []


def test_address_alteration_set_and_definition(client):
    """Both are made and removed, never changed: the provider replaces a definition."""
    sent = {"description": "Names, with a space "}
    made = one(client, f"{ALTERATION}create-address-alteration-set", sent)
    child = one(
        client, f"{ALTERATION}create-address-alteration-set", {"description": "Below", "parentId": made["id"]}
    )
    read = one(client, f"{ALTERATION}get-address-alteration-set", {"folderId": made["id"], "depth": 2})
    assert differences(sent, read) == []
    assert (
        differences([{"description": "Below", "parentId": made["id"], "id": child["id"]}], read["folders"]) == []
    )
    for item in (
        {
            "addressType": "all",
            "originalAddress": "Ann@CORP.test",
            "newAddress": "A.B@Out.Test",
            "routing": "outbound",
        },
        {
            "addressType": "to_cc_bcc",
            "originalAddress": "*@corp.test",
            "newAddress": "*@Bücher.test",
            "routing": "all",
        },
        {
            "addressType": "envelope_to",
            "originalAddress": "Info@*",
            "newAddress": "x@corp.test",
            "routing": "inbound",
        },
    ):
        done = one(
            client, f"{ALTERATION}create-definition", {"folderId": child["id"], "addressAlterations": [item]}
        )
        assert done["success"] is True
        listed = one(client, f"{ALTERATION}get-definition", {"folderId": child["id"]})["items"]
        assert differences([item | {"id": done["id"]}], listed) == []
        gone = one(client, f"{ALTERATION}delete-definition", {"id": done["id"]})
        assert gone == {"id": done["id"], "success": True}


MANAGED = [
    {"url": "bare.example", "matchType": "domain", "action": "block", "comment": None},
    {"url": "bare.example", "matchType": "explicit", "action": "permit", "comment": "Explicit"},
    {
        "url": "https://www.managed.example/Path?a=1",
        "matchType": "explicit",
        "action": "block",
        "comment": " With a space ",
        "disableLogClick": True,
        "disableRewrite": True,
        "disableUserAwareness": True,
    },
]


def test_managed_urls(client):
    """Made, read among all of them with `meta` and no `data`, and removed; what changes is made anew."""
    room = "ttp/url/"
    made = [one(client, f"{room}create-managed-url", item) for item in MANAGED]
    kept = {name for item in MANAGED for name in item} - {"url", "comment"}
    for sent, answered in zip(MANAGED, made, strict=True):
        assert differences({name: sent[name] for name in kept & sent.keys()}, answered) == []
        assert answered["comment"] == (sent["comment"] or "")
    listed = client.every(f"{room}get-all-managed-urls", page_size=2)
    assert [row for row in listed if row["id"] in {row["id"] for row in made}] == made
    (refused,) = client.send(f"{room}create-managed-url", MANAGED[0]).failures
    assert refused.code == "err_managed_url_exists_code"
    for row in made:
        assert one(client, f"{room}delete-managed-url", {"id": row["id"]})["id"] == row["id"]
    (gone,) = client.send(f"{room}delete-managed-url", {"id": made[0]["id"]}).failures
    assert (gone.code, gone.item) == ("err_managed_url_not_found", {}), "as recorded live, without the item"


def test_packages(client):
    """Which the provider reads to see what there is."""
    (product,) = one(client, "provisioning/get-packages", {})["products"]
    assert set(product) == {"id", "name"}


URLS = [
    {"action": "block", "type": "url", "value": "https://Bad.example:8443/Path/?b=1&a=2#top"},
    {"action": "block", "type": "domain", "value": "Bücher.example"},
    {"action": "allow", "type": "url", "value": "http://good.example/a%20b/"},
    {"action": "allow", "type": "domain", "value": "WWW.Good.example."},
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_web_list(client, first, second):
    """The policy fields are flat in what is sent and nested in what is read."""
    sent = {"description": " List ", "urls": URLS, "policies": [POLICIES[first]]}
    made = one(client, f"{WEB}create-policy-with-targets", sent)
    expected = {"description": " List ", "urls": URLS, "policies": [{"policy": POLICIES[first]}]}
    read = one(client, f"{WEB}get-policy-with-targets", {"id": made["id"]})
    assert differences(expected, made) == differences(expected, read) == []
    target_id, entry_ids = read["policies"][0]["id"], [entry["id"] for entry in read["urls"]]
    urls = [entry | {"action": "block"} for entry in reversed(URLS)]
    changed = {
        "id": made["id"],
        "description": "Other",
        "urls": urls,
        "policies": [{"id": target_id} | POLICIES[second], POLICIES[first]],
    }
    after = one(client, f"{WEB}update-policy-with-targets", changed)
    expected = {
        "id": made["id"],
        "description": "Other",
        "urls": [entry | {"id": key} for entry, key in zip(urls, reversed(entry_ids), strict=True)],
        "policies": [{"id": target_id, "policy": POLICIES[second]}, {"policy": POLICIES[first]}],
    }
    read = one(client, f"{WEB}get-policy-with-targets", {"id": made["id"]})
    assert differences(expected, after) == differences(expected, read) == []
    gone = one(client, f"{WEB}delete-policy-with-targets", {"id": made["id"]})
    assert (gone["id"], gone["deleted"]) == (made["id"], True)
    assert client.call(f"{WEB}get-policy-with-targets", {"id": made["id"]}) == []
