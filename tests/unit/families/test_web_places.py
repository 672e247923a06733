"""Locations and clients: who browses, and from where, as decisions, explanations and lists have it."""

from __future__ import annotations

import pytest

from mailreeve.formats.networks import parse_ip
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.facts import WebFacts
from mailreeve.wire.errors import ItemRefused

CREATE = "policy/webwhiteurl/create-policy-with-targets"
UPDATE = "policy/webwhiteurl/update-policy-with-targets"
GET = "policy/webwhiteurl/get-policy-with-targets"
EVERYONE = {"type": "everyone"}
BLOCK = [{"action": "block", "type": "domain", "value": "bad.test"}]


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    for name in ("ann", "bob"):
        account.call("user/create-user", {"emailAddress": f"{name}@corp.test"})
    account.call("ext/create-web-location", {"name": "Berlin", "networks": ["10.1.0.0/16", "2001:db8::/48"]})
    return account


def bound(*names: str) -> dict[str, object]:
    return {"description": "t", "from": EVERYONE, "locations": [{"location": name} for name in names]}


def block(account, *targets: dict[str, object]) -> dict:
    return account.call(CREATE, {"description": "Bad", "policies": list(targets), "urls": BLOCK})[0]


def verdict(account, source: str | None = None) -> str:
    facts = WebFacts("http://bad.test/", 1.8e9, None, None if source is None else parse_ip(source))
    return decide_web(account.policies(), facts).verdict.value


def refusal(account, path: str, item: dict[str, object]) -> tuple[str | None, str]:
    with pytest.raises(ItemRefused) as refused:
        account.call(path, item)
    problem = refused.value.problems[0]
    return problem.field, problem.code


def test_a_list_that_is_bound_to_a_location_follows_it(corp):
    """Its own networks, those of clients that are said to be there, and what becomes of either."""
    block(corp, bound("berlin"))
    assert [verdict(corp, source) for source in (None, "10.1.2.3", "10.2.0.1", "2001:db8::9")] == [
        "none",
        "block",
        "none",
        "block",
    ]
    corp.call("ext/set-web-clients", {"network": "10.2.0.0/24", "location": "Berlin"})
    assert verdict(corp, "10.2.0.1") == "block"
    corp.call("ext/remove-web-clients", {"network": "10.2.0.0/24"})
    assert verdict(corp, "10.2.0.1") == "none"
    (place,) = corp.call("ext/get-web-locations", {})
    assert place["lists"] == 1
    corp.call("ext/update-web-location", {"id": place["id"], "networks": ["10.9.0.0/16"]})
    assert [verdict(corp, source) for source in ("10.1.2.3", "10.9.9.9")] == ["none", "block"]


def test_a_location_is_narrower_than_everyone_and_wider_than_a_user(corp):
    block(corp, bound("Berlin"))
    allow = [{**BLOCK[0], "action": "allow"}]
    everyone = {"description": "t", "from": EVERYONE}
    corp.call(CREATE, {"description": "All", "policies": [everyone], "urls": allow})
    assert (verdict(corp, "10.1.0.1"), verdict(corp, "10.2.0.1")) == ("block", "allow")
    ann = {"description": "t", "from": {"type": "individual_email_address", "emailAddress": "ann@corp.test"}}
    corp.call(CREATE, {"description": "Ann", "policies": [ann], "urls": allow})
    corp.call("ext/set-web-clients", {"network": "10.1.0.1", "user": "ann@corp.test"})
    assert (verdict(corp, "10.1.0.1"), verdict(corp, "10.1.0.2")) == ("allow", "block")


def test_locations_stay_over_an_update_that_does_not_name_them(corp):
    """A client that knows nothing of them must not have the list hold everywhere."""
    made = block(corp, bound("Berlin"))
    assert {one["location"] for one in made["policies"][0]["locations"]} == {"Berlin"}
    target = {"id": made["policies"][0]["id"], "description": "t", "from": EVERYONE}
    for sent in (target, {"description": "new", "from": {"type": "internal_addresses"}}):
        (changed,) = corp.call(UPDATE, {"id": made["id"], "policies": [sent], "urls": BLOCK})
        assert changed["policies"][0]["locations"] == made["policies"][0]["locations"]
    as_read = corp.call(GET, {"id": made["id"]})[0]
    assert corp.call(UPDATE, as_read)[0]["policies"][0]["locations"] == made["policies"][0]["locations"]
    (lifted,) = corp.call(UPDATE, {"id": made["id"], "policies": [{**target, "locations": []}], "urls": BLOCK})
    assert lifted["policies"][0]["locations"] == []
    assert corp.call("ext/get-web-locations", {})[0]["lists"] == 0


def test_the_narrowest_client_says_whose_an_address_is(corp):
    corp.call("ext/set-web-clients", {"network": "10.0.0.0/8", "user": "ann@corp.test"})
    corp.call("ext/set-web-clients", {"network": "10.0.0.7", "user": "bob@corp.test"})
    places = corp.policies().places
    found = [places.user_at(parse_ip(text)) for text in ("10.0.0.7", "::ffff:10.0.0.7", "10.0.0.8", "11.0.0.1")]
    assert [None if one is None else str(one) for one in found] == [
        "bob@corp.test",
        "bob@corp.test",
        "ann@corp.test",
        None,
    ]


def test_a_client_follows_its_user_and_goes_with_it(corp):
    corp.call("ext/set-web-clients", {"network": "10.0.0.7", "user": "ann@corp.test"})
    corp.policies()
    corp.call("ext/rename-user", {"emailAddress": "ann@corp.test", "newAddress": "anna@corp.test"})
    assert str(corp.policies().places.user_at(parse_ip("10.0.0.7"))) == "anna@corp.test"
    corp.call("ext/remove-user", {"emailAddress": "anna@corp.test", "force": True})
    assert corp.policies().places.user_at(parse_ip("10.0.0.7")) is None
    assert corp.call("ext/get-web-clients", {}) == []


def test_what_makes_no_sense_is_refused_and_names_its_field(corp):
    item = {"description": "x", "urls": BLOCK, "policies": [bound("Atlantis")]}
    assert refusal(corp, CREATE, item) == ("policies[0].locations[0].location", "err_web_location_not_found")
    both = {**bound("Berlin"), "conditions": {"sourceIPs": ["10.0.0.0/8"]}}
    field, _ = refusal(corp, CREATE, {"description": "x", "urls": BLOCK, "policies": [both]})
    assert field == "policies[0].locations"
    elsewhere = {**bound(), "locations": [{"location": "Berlin", "ip": "10.9.9.9"}]}
    field, _ = refusal(corp, CREATE, {"description": "x", "urls": BLOCK, "policies": [elsewhere]})
    assert field == "policies[0].locations[0].ip"
    assert refusal(corp, "ext/create-web-location", {"name": "BERLIN", "networks": ["10.0.0.1"]}) == (
        "name",
        "err_web_location_already_exists",
    )
    assert refusal(corp, "ext/create-web-location", {"name": "x", "networks": []})[0] == "networks"
    assert (
        refusal(corp, "ext/create-web-location", {"name": "x", "networks": ["10.0.0.1", "y"]})[0] == "networks[1]"
    )
    assert refusal(corp, "ext/set-web-clients", {"network": "10.0.0.1"})[1] == "err_validation_exactly_one"


def test_a_location_in_use_is_not_deleted(corp):
    (place,) = corp.call("ext/get-web-locations", {})
    made = block(corp, bound("Berlin"))
    delete = "ext/delete-web-location"
    assert refusal(corp, delete, {"id": place["id"]})[1] == "err_web_location_in_use"
    corp.call("policy/webwhiteurl/delete-policy-with-targets", {"id": made["id"]})
    corp.call("ext/set-web-clients", {"network": "10.0.0.1", "location": "Berlin"})
    assert refusal(corp, delete, {"id": place["id"]})[1] == "err_web_location_in_use"
    corp.call("ext/remove-web-clients", {"network": "10.0.0.1"})
    corp.call(delete, {"id": place["id"]})
    assert corp.call("ext/get-web-locations", {}) == []


def test_an_explanation_knows_whose_address_it_is(corp):
    ann = {"description": "t", "from": {"type": "individual_email_address", "emailAddress": "ann@corp.test"}}
    block(corp, ann)
    corp.call("ext/set-web-clients", {"network": "10.0.0.7", "user": "ann@corp.test"})
    for item, wanted in (({"sourceIp": "10.0.0.7"}, "block"), ({"sourceIp": "10.0.0.8"}, "none"), ({}, "none")):
        (told,) = corp.call("ext/explain-web", {"url": "http://bad.test/", **item})
        assert told["verdict"] == wanted
