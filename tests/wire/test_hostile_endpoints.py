"""Every endpoint is given hostile items: none breaks, and none lets one account see or touch another.

The items follow the schemas that the server publishes, with something wrong here and there: other types, endless
text, broken text, numbers beyond all bounds, ids that are another account's, of another kind, or forged. The
second account of the same database holds a marker in everything that the first one never sends, so that the
marker in any answer is a leak.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, nan

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from mailreeve.api.openapi import document
from mailreeve.client import Client, DefinitionItem, Policy, Target, WebEntry
from mailreeve.families.registry import ENDPOINTS

OPENAPI = json.loads(document(ENDPOINTS))
SCHEMAS = OPENAPI["components"]["schemas"]
PATHS = sorted(OPENAPI["paths"])
LOGIN, LOGOUT, CHANGE = "/api/login/login", "/api/login/logout", "/api/ext/change-password"
WITH_PASSWORD = {LOGIN, LOGOUT, CHANGE}
PASSWORD = "the password of a guest"
# A password is hashed, which is slow on purpose.
SLOW = {"/api/user/create-user", "/api/user/update-user", *WITH_PASSWORD}

Json = object


# ------------------------------------------------------------------------------------------------ values


@dataclass(frozen=True)
class Id:
    """Stands for an id that is known only once the server runs: whose, which of them, and in which member."""

    whose: str
    number: int
    member: str = ""


HOSTILE_TEXT = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\u202egnp.exe",
    "\U0001f600@corp.test",
    "a" * 4097,
    "é" * 4096,
    "../../etc/passwd",
    "' OR '1'='1",
    '"; DROP TABLE account; --',
    "<script>alert(1)</script>",
    "%00%n%s{0}${x}",
    "true",
    "0",
    "1e999",
    "null",
    "@",
    "a@",
    "@b",
    "*@*",
    "a@b@c",
    "MTOKEN:",
    "eNo" * 60,
    "http://[::1",
    "http://0x7f.1/",
    "https://user:pw@host.test:99999/%zz",
    "http://" + "a." * 200 + "test/",
    "xn--a",
    "-.test",
    "a..b",
    "10.0.0.0/33",
    "::/0",
    "1.2.3.4.5",
    "0001-01-01T00:00:00-2359",
    "9999-12-31T23:59:59+2359",
    "2020-02-30T00:00:00+0000",
    "1900-01-01T00:00:00+0000",
]
POISON = ["\ud800", "x\udfff", inf, -inf, nan, 10**400]  # JSON has no words for these: they spoil a whole request.
ADDRESSES = ["ann@corp.test", "boss@corp.test", "postmaster@corp.test", "ann@other.test", "root@other.test"]
SENDERS = ["new@shop.test", "shop.test", "@sub.shop.test", "ann@corp.test", ""]
DOMAINS = ["corp.test", "sub.corp.test", "other.test", "shop.test", "\u4f8b.test", "new.test"]
DATES = ["2020-01-01T00:00:00+0000", "2030-01-01T00:00:00Z", "2025-06-01T00:00:00", "1900-01-01T00:00:00+0000"]
NETWORKS = ["10.0.0.0/8", "8.8.8.8/24", "2001:db8::/32", "192.0.2.1"]
URLS = ["http://bad.test/path?q=1", "bad.test", "https://a.bad.test:8443/", "B\u00fccher.test"]
# What each member is likely to be given; a name that ends in one of these counts as well.
LIKELY: dict[str, list[str]] = {
    "emailAddress": ADDRESSES,
    "primaryAddress": ADDRESSES,
    "delegateAddress": ADDRESSES,
    "aliasFor": ADDRESSES,
    "alias": ["other-ann@corp.test", "x@corp.test", "ann@corp.test"],
    "to": ADDRESSES,
    "user": ADDRESSES,
    "from": [*SENDERS, "<>"],
    "sender": SENDERS,
    "fromValue": ADDRESSES + DOMAINS,
    "toValue": ADDRESSES + DOMAINS,
    "originalAddress": ["ann@corp.test", "*@corp.test", "ann@*", "@corp.test"],
    "newAddress": ["boss@corp.test", "*@corp.test", "boss@*", "@corp.test"],
    "emailDomain": DOMAINS,
    "domain": DOMAINS,
    "fromDate": DATES,
    "toDate": DATES,
    "archiveStartDate": DATES,
    "at": DATES,
    "sourceIPs": NETWORKS,
    "sourceIp": ["192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1"],
    "url": URLS,
    "value": URLS + DOMAINS,
    "headerFrom": ['"The Boss" <boss@corp.test>', "a@b.test, c@d.test", "=?utf-8?q?=00?= <x@y.test>"],
    "inboundType": ["any", "known", "SMTP", "none"],
    "password": ["a good password", "short"],
    "pageToken": ["", "MTAuNTA"],
}
WORDS = ["a word", "Blocked Senders", "team", "Zo\u00eb"]

numbers = st.integers(-2, 5) | st.sampled_from([2**31, 2**63 - 1, 2**64, -(2**63) - 1, 1.5, -0.0, 1e308])
texts = st.one_of(
    st.sampled_from(HOSTILE_TEXT),
    st.text(max_size=12),
    st.builds(Id, st.sampled_from(["own", "foreign", "forged"]), st.integers(0, 200)),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)


def _nested(depth: int) -> Json:
    value: Json = "deep"
    for n in range(depth):
        value = [value] if n % 2 else {"policy": value}
    return value


garbage = st.one_of(
    scalars,
    st.lists(scalars, max_size=4),
    st.dictionaries(st.sampled_from(["id", "type", "", "\x00", "a"]), scalars, max_size=4),
    st.integers(5, 30).map(_nested),
)


def odds(draw, n: int, of: int) -> bool:
    """True `n` times out of `of`. Asked for is the middle: the ends are drawn more often."""
    low = (of - n) // 2
    return n > 0 and (low or 1) <= draw(st.integers(0, of - 1)) < low + n


def likely_text(member: str) -> SearchStrategy[Json]:
    """What an honest client, or one of another account, would send in a member of that name."""
    if member == "id" or member.endswith("Id"):
        whose = st.sampled_from(["right", "right", "right", "own", "foreign", "forged"])
        return st.builds(Id, whose, st.integers(0, 200), st.just(member))
    return st.sampled_from(LIKELY.get(member, WORDS))


@st.composite
def fitting(draw, schema: dict, wild: int, member: str = "") -> Json:
    """A value that fits a schema, but for `wild` out of 24 values at any depth."""
    if wild and odds(draw, wild, 24):
        return draw(garbage)
    if "$ref" in schema:
        return draw(fitting(SCHEMAS[schema["$ref"].rpartition("/")[2]], wild, member))
    if "anyOf" in schema:
        return draw(fitting(draw(st.sampled_from(schema["anyOf"])), wild, member))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            required = set(schema.get("required", ()))
            # One draw for all members: which of them to leave out. Proper requests leave out little.
            members = st.integers(0, 2 ** len(properties) - 1)
            absent = draw(members) if wild else draw(members) & draw(members) & draw(members)
            value: dict[str, Json] = {}
            for n, (name, inner) in enumerate(properties.items()):
                if not absent >> n & 1 or (name in required and not (wild and odds(draw, wild, 24))):
                    value[name] = draw(fitting(inner, wild, name))
            if wild and odds(draw, 1, 8):
                unknown = draw(
                    st.sampled_from(["comment", "meta", "__class__", "\u202e", "account_id", "accountId"])
                )
                value[unknown] = draw(garbage)
            return value
        case "array":
            return draw(
                st.lists(fitting(schema.get("items", {}), wild, member), min_size=1 - bool(wild), max_size=3)
            )
        case "string":
            return draw(likely_text(member))
        case "boolean":
            return draw(st.booleans() | st.sampled_from(["true", "False"]))
        case "integer" | "number":
            return draw(st.integers(0, 3) | numbers if wild else st.integers(1, 3))
        case "null":
            return None
        case _:
            return draw(scalars)


@st.composite
def envelopes(draw, path: str, most: int) -> Json:
    """A whole request to an endpoint: a third of them proper, a third a little wrong, a third very."""
    properties = OPENAPI["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "properties"
    ]
    wild = draw(st.sampled_from([0, 1, 6]))
    items = draw(st.lists(fitting(properties["data"]["items"], wild), min_size=1, max_size=most))
    items = [item if isinstance(item, dict) else {"id": item} for item in items]
    envelope: dict[str, Json] = {"data": items}
    if odds(draw, 1, 4):
        pagination = properties["meta"]["properties"]["pagination"]
        envelope["meta"] = {"pagination": draw(fitting(pagination, wild))}
    if odds(draw, 1, 24):
        items[0]["poison"] = draw(st.sampled_from(POISON))
    return envelope


encodings = st.sampled_from(["json"] * 8 + ["python", "utf-8", "cut"])


# ------------------------------------------------------------------------------------------------ the two accounts


def fill(client: Client, domain: str, mark: str, name: str = "ann") -> None:
    """Give an account at least one of everything. `mark` is in all of it but `domain` and the names there."""
    ann, boss = f"{name}@{domain}", f"boss-of-{name}@{domain}"
    for address in (ann, boss):
        client.call("user/create-user", {"emailAddress": address, "name": f"{mark} name"})
    client.call("user/update-alias", {"alias": f"{mark}-alias@{domain}", "aliasFor": ann})
    attributes = [{"name": f"{mark} team", "value": f"{mark} red"}]
    client.call("user/update-attributes", {"emailAddress": ann, "attributes": attributes})
    group = client.call("directory/create-group", {"description": f"{mark} group"})[0]["id"]
    client.call("directory/create-group", {"description": f"{mark} inner", "parentId": group})
    client.call("directory/add-group-member", {"id": group, "emailAddress": f"friend@{mark}-friends.test"})
    client.call("directory/add-group-member", {"id": group, "domain": f"{mark}-partner.test", "notes": mark})
    client.block_sender(f"spam@{mark}-shop.test", ann)
    policy = Policy(f"{mark} policy", Target.address(f"x@{mark}-x.test"), Target.group(group), comment=mark)
    client.blocked_senders.create(policy)
    everyone = Policy(f"{mark} scope", Target.everyone(), Target.everyone(), comment=mark)
    scope = Policy(f"{mark} scope", Target.group(group), Target.everyone(), comment=mark)
    entries = [
        WebEntry("block", "domain", f"{mark}-bad.test"),
        WebEntry("allow", "url", f"http://{mark}-x.test/a"),
    ]
    client.web_lists.create(f"{mark} list", entries, [everyone, scope])
    folder = client.address_alteration.create_set(f"{mark} set")
    client.address_alteration.create_set(f"{mark} below", folder.id)
    definition = DefinitionItem(ann, f"{mark}-new@{domain}")
    client.address_alteration.create_definitions([definition], folder.id)
    client.address_alteration.create_policy(folder.id, scope)
    client.delegates.add(ann, boss)


READS: dict[str, tuple[str, dict[str, str]]] = {
    "blocked": ("policy/blockedsenders/get-policy", {}),
    "web": ("policy/webwhiteurl/get-policy-with-targets", {}),
    "set": ("policy/address-alteration/get-address-alteration-set", {"depth": "9"}),
    "alteration": ("policy/address-alteration/get-policy", {}),
    "attribute": ("attribute/find-attribute-types", {}),
    "group": ("directory/find-groups", {}),
    "domain": ("domain/get-internal-domain", {}),
    "account": ("account/get-account", {}),
    "user": ("user/get-internal-users", {}),
}


def everything(client: Client, domain: str, mark: str, name: str = "ann") -> dict[str, list[Json]]:
    """All that an account's own administrator can see of it, by kind."""
    ann = {"emailAddress": f"{name}@{domain}"}
    seen: dict[str, list[Json]] = {kind: client.call(path, item) for kind, (path, item) in READS.items()}
    seen["profile"] = client.call("user/get-profile", ann)
    seen["alias"] = client.call("user/get-aliases", ann)
    seen["value"] = client.call("user/get-attributes", ann)
    seen["delegate"] = client.call("user/find-delegate-users", {"primaryAddress": ann["emailAddress"]})
    seen["member"] = [
        client.call("directory/get-group-members", {"id": group["id"]}) for group in seen["group"][0]["folders"]
    ]
    seen["definition"] = [
        msgspec.to_builtins(definition)
        for folder in client.address_alteration.sets()
        for definition in client.address_alteration.definitions(folder_id=folder.id)
    ]
    # What becomes of mail shows the personal list, which nothing lists.
    item = {"from": f"spam@{mark}-shop.test", "to": ann["emailAddress"]}
    seen["managed"] = client.call("ext/explain-message", item)
    return seen


def right_kind(path: str, member: str) -> str:
    """Of which kind an id in that member of a request to that endpoint should be."""
    if member == "groupId" or (path.startswith("/api/directory/")):
        return "group"
    if "webwhiteurl" in path:
        return "web"
    if "address-alteration" in path:
        if member != "id" or path.endswith("get-address-alteration-set"):
            return "set"
        return "definition" if path.endswith("definition") else "alteration"
    if "delegate" in path:
        return "delegate"
    return "blocked" if "blockedsenders" in path else "attribute"


def all_ids(seen: Json) -> Iterator[str]:
    """The ids in answers: members named id, or ending in Id."""
    if isinstance(seen, dict):
        for name, value in seen.items():
            if isinstance(value, str) and (name == "id" or name.endswith("Id")) and len(value) > 20:
                yield value
            else:
                yield from all_ids(value)
    elif isinstance(seen, list):
        for value in seen:
            yield from all_ids(value)


def forged(of: str) -> Iterator[str]:
    """Texts that look like the id but are none."""
    yield of[:-1]
    yield of + "A"
    yield of[:-1] + ("A" if of[-1] != "A" else "B")
    yield ("A" if of[0] != "A" else "B") + of[1:]
    yield of.swapcase()
    yield of + "="
    yield f" {of}"


@dataclass
class Field:
    """The server with both accounts filled, one connection to it, and the ids to try."""

    shared: object
    before: dict[str, list[Json]]
    own: Client
    foreign: Client
    connection: http.client.HTTPConnection | None = None
    pools: dict[str, list[str]] = field(default_factory=dict)
    fillings: dict[str, str] = field(default_factory=dict)
    guests: Iterator[int] = field(default_factory=itertools.count)
    guest: str = ""

    def send(self, path: str, body: bytes) -> tuple[int, bytes]:
        """A signed call over the one connection, which is made anew when the server closed it."""
        live = self.shared.live
        if self.connection is None:
            self.connection = live.connect()
        self.connection.request("POST", path, body, self.headers(path))
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.will_close:
            self.connection.close()
        return answer.status, content

    def headers(self, path: str) -> dict[str, str]:
        """Signed, or a password where that lets in. Whoever signs out, or gets another password, does it once."""
        live = self.shared.live
        if path not in WITH_PASSWORD:
            return live.signed(path)
        # A guest who has a new password is no use any more.
        if not self.guest or path == CHANGE:
            self.guest = f"guest{next(self.guests)}@corp.test"
            self.own.call("user/create-user", {"emailAddress": self.guest, "password": PASSWORD})
        basic = base64.b64encode(f"{self.guest}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic-Cloud {basic}", "x-mc-app-id": live.credentials["app_id"]}
        if path == CHANGE:
            self.guest = ""
        if path != LOGOUT:
            return headers
        given = json.loads(live.request("POST", LOGIN, b"", headers).body)["data"][0]
        return live.signed(
            path, keys=live.credentials | {"access_key": given["accessKey"], "secret_key": given["secretKey"]}
        )

    def provide_for(self, path: str) -> None:
        """Fill the first account, once for each endpoint that takes things away, and note its ids."""
        reason = path if "delete" in path or "remove" in path else "the others"
        if reason in self.fillings:
            return
        name = f"ann{len(self.fillings)}" if self.fillings else "ann"
        self.fillings[reason] = name
        mark = f"mine{len(self.fillings)}"
        fill(self.own, "corp.test", mark, name)
        seen = everything(self.own, "corp.test", mark, name)
        own = list(dict.fromkeys(all_ids(list(seen.values()))))
        foreign = list(dict.fromkeys(all_ids(list(self.before.values()))))
        self.pools = {kind: list(dict.fromkeys(all_ids(rows))) for kind, rows in seen.items()}
        self.pools |= {"own": own, "foreign": foreign, "forged": [f for i in own for f in forged(i)]}

    def resolved(self, value: Json, path: str) -> Json:
        """The value with real ids in the places of their stand-ins."""
        if isinstance(value, Id):
            pool = self.pools[right_kind(path, value.member) if value.whose == "right" else value.whose]
            return pool[-1 - value.number % len(pool)]
        if isinstance(value, list):
            return [self.resolved(member, path) for member in value]
        if isinstance(value, dict):
            return {name: self.resolved(member, path) for name, member in value.items()}
        return value


@pytest.fixture(scope="module")
def ground(shared_server) -> Iterator[Field]:
    live, marker = shared_server.live, shared_server.marker
    with live.client() as own, live.client(shared_server.foreign) as foreign:
        fill(foreign, shared_server.foreign_domain, marker)
        before = everything(foreign, shared_server.foreign_domain, marker)
        assert all(marker in json.dumps(rows) for kind, rows in before.items() if kind != "delegate")
        standing = Field(shared_server, before, own, foreign)
        standing.provide_for("the others")
        yield standing
        if standing.connection is not None:
            standing.connection.close()


def encoded(envelope: Json, how: str) -> bytes:
    if how == "python":
        return repr(envelope).encode("utf-8", "surrogatepass")
    if how == "utf-8":
        return json.dumps(envelope, ensure_ascii=False).encode("utf-8", "surrogatepass")
    text = json.dumps(envelope).encode()
    return text[: len(text) // 2] if how == "cut" else text


def assert_documented(status: int, content: bytes, items: int, marker: str) -> None:
    """An envelope with a documented status, no sign of a fault of ours, and nothing of the other account."""
    text = content.decode("utf-8")
    assert status in (200, 400), text
    answer = json.loads(text)
    assert answer.keys() == {"meta", "data", "fail"}
    assert answer["meta"]["status"] == status
    assert isinstance(answer["data"], list)
    assert len(answer["fail"]) <= items
    for entry in answer["fail"]:
        assert entry["errors"], text
        for error in entry["errors"]:
            assert error.keys() <= {"code", "message", "retryable", "field"}
            assert error["code"], text
            assert error["message"], text
            assert isinstance(error["retryable"], bool), text
        keyless = [error["code"] for error in entry["errors"]] == ["err_managed_url_not_found"]  # as recorded live
        assert ("key" in entry) == (status == 200 and not keyless), text
    if status == 400:
        assert answer["data"] == [], text
        assert answer["fail"], text
    assert marker not in text, "something of the other account is in the answer"
    assert "Traceback" not in text


FILES = {"/api/audit/get-siem-logs", "/api/ext/export-web-file", "/api/ext/get-pac-file"}
"""Where a good item is answered with a file, and no envelope."""


def attack(data: DataObject, ground: Field, path: str, most: int) -> None:
    ground.provide_for(path)
    envelope = ground.resolved(data.draw(envelopes(path, most), label="request"), path)
    how = data.draw(encodings, label="encoding")
    status, content = ground.send(path, encoded(envelope, how))
    if path in FILES and status == 200 and not content.startswith(b"{"):
        assert ground.shared.marker.encode() not in content
        return
    assert_documented(status, content, len(envelope["data"]), ground.shared.marker)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in SLOW])
@given(data=st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_hostile_items_are_answered_item_by_item(ground: Field, path: str, data: DataObject) -> None:
    attack(data, ground, path, 3)


@pytest.mark.parametrize("path", sorted(SLOW))
@given(data=st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_hostile_items_are_answered_where_passwords_are_hashed(ground: Field, path: str, data: DataObject) -> None:
    attack(data, ground, path, 1)


@pytest.mark.parametrize("path", PATHS)
def test_ids_of_another_account_are_as_good_as_forged(ground: Field, path: str) -> None:
    """Every foreign id in every place for an id: the answer is the same as for an id that nobody ever had."""
    item = OPENAPI["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"][
        "data"
    ]
    properties = SCHEMAS[item["items"]["$ref"].rpartition("/")[2]].get("properties", {})
    places = [name for name in properties if name == "id" or name.endswith("Id")]
    for name in places:
        for foreign in ground.pools["foreign"]:
            nobodys = f"{foreign[:-6]}{'ba' if foreign[-6:-4] == 'aa' else 'aa'}{foreign[-4:]}"
            assert answered(ground, path, name, foreign) == answered(ground, path, name, nobodys), name


def answered(ground: Field, path: str, name: str, given: str) -> tuple[str, list[str]]:
    """What there is for an item with this id, and the codes of what is wrong with it. Nothing is there."""
    status, content = ground.send(path, json.dumps({"data": [{name: given}]}).encode())
    assert_documented(status, content, 1, ground.shared.marker)
    answer = json.loads(content)
    assert answer["data"] in ([], [{"items": []}], [{"trackedEmails": []}]), answer
    errors = answer["fail"][0]["errors"] if answer["fail"] else []
    return json.dumps(answer["data"]), sorted(error["code"] for error in errors)


def test_published_document_names_every_endpoint(ground: Field) -> None:
    """What is attacked here is what the running server offers."""
    answer = ground.shared.live.request("GET", "/openapi.json")
    assert answer.status == 200
    assert sorted(answer.json()["paths"]) == PATHS
    assert len(PATHS) == len(ENDPOINTS)


def test_after_all_of_it_the_other_account_is_untouched(ground: Field) -> None:
    """It runs last in this file, and says that nothing above changed what the second account holds."""
    after = everything(ground.foreign, ground.shared.foreign_domain, ground.shared.marker)
    assert after == ground.before


def test_after_all_of_it_the_server_serves_and_enforces(ground: Field) -> None:
    policy = Policy("after", Target.address("late@after.test"), Target.everyone(), override=True)
    made = ground.own.blocked_senders.create(policy)
    item = {"from": "late@after.test", "to": "ann@corp.test"}
    assert ground.own.call("ext/explain-message", item)[0]["verdict"] == "reject"
    ground.own.blocked_senders.delete(made.id)
    assert "call failed" not in ground.shared.live.log()
