"""Web lists: entries and targets."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from recorder import Recorder

from scenes.words import ANN, EVERYONE, NO_ID, PATIENCE, Item, address, attribute, domain, group, raw

ROOM = "policy/webwhiteurl/"
CREATE, GET, UPDATE, DELETE = (ROOM + f"{n}-policy-with-targets" for n in ("create", "get", "update", "delete"))

ADD, REMOVE = "ext/add-web-entries", "ext/remove-web-entries"


def url(value: str, action: str = "block", kind: str = "domain") -> Item:
    return {"action": action, "type": kind, "value": value}


def web(description: str, *urls: Item, targets: Any = None) -> Item:
    everyone = [{"from": EVERYONE, "to": EVERYONE, "description": "all"}]
    return {"description": description, "urls": list(urls), "policies": everyone if targets is None else targets}


def beside(r: Recorder, id_: str) -> None:
    """What the live service does not have: default deny, temporary allows, imports, files, proxies that ask."""
    r.call("a default deny", "ext/set-web-default-deny", {"id": id_, "defaultDeny": True})
    r.call(
        "default denies that are refused",
        "ext/set-web-default-deny",
        {"id": NO_ID, "defaultDeny": True},
        {"id": id_},
    )
    r.call("lists with a default deny", "ext/get-web-default-deny", {})
    r.call("no default deny", "ext/set-web-default-deny", {"id": id_, "defaultDeny": False})
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    allow = {"value": "video.test/x", "user": ANN, "until": until, "reason": "Course"}
    made = r.call("temporary allows", "ext/allow-web", allow, {**allow, "user": None, "client": "10.0.0.7"})
    r.call(
        "temporary allows that are refused",
        "ext/allow-web",
        {**allow, "client": "10.0.0.7"},
        {**allow, "until": "2020-01-01"},
        {**allow, "until": "2990-01-01"},
        {**allow, "value": "*.x.test"},
    )
    r.call("all temporary allows", "ext/get-web-allows", {}, {"client": "10.0.0.7"})
    gone = {"id": made[0]["id"]}
    r.call("no temporary allow", "ext/remove-web-allow", gone, gone)
    entries = [url("ads.test"), url("com"), url("*.x.test"), url("ads.test"), url("ok.ads.test", "allow")]
    r.call("an import that is tried", "ext/import-web-entries", {"name": "Ads", "urls": entries, "dryRun": True})
    r.call("an import", "ext/import-web-entries", {"name": "Ads", "urls": entries})
    r.call("an import of nothing", "ext/import-web-entries", {"name": "Ads", "urls": []})
    raw(r, "a file", "ext/export-web-file", {"format": "hosts"})
    r.call("a file that is refused", "ext/export-web-file", {"format": "stone"})
    raw(r, "a PAC file", "ext/get-pac-file", {"proxies": ["proxy.test:3128"]})
    r.call("a PAC file that is refused", "ext/get-pac-file", {"proxies": ["a b"]})
    proxy = {"name": "gateway", "kind": "nginx", "userHeader": "Remote-User"}
    (made_proxy,) = r.call("a proxy", "ext/create-web-proxy", proxy)
    r.call("proxies that are refused", "ext/create-web-proxy", proxy, {"name": "x", "kind": "squid"})
    r.call("all proxies", "ext/get-web-proxies", {})
    gone = {"id": made_proxy["id"]}
    r.call("no proxy", "ext/delete-web-proxy", gone, gone)


def managed(r: Recorder) -> None:
    """Managed URLs, the logs that clients fetch beside them, and the packages."""
    room = "ttp/url/"
    bare = {"url": "Managed.test", "matchType": "domain", "action": "permit", "comment": None}
    whole = {"url": "https://managed.test:8443/Path?q=1#top", "comment": "Why", "disableRewrite": "true"}
    made = r.call("managed URLs", room + "create-managed-url", bare, whole)
    r.call(
        "managed URLs that are refused",
        room + "create-managed-url",
        {**whole, "action": "permit"},
        {"action": "block"},
        {"url": "*.managed.test"},
        {"url": "managed.test", "matchType": "near"},
    )
    r.pages("all managed URLs", room + "get-all-managed-urls", {}, 1)
    found = {"domainOrUrl": "managed.TEST", "exactMatch": False}
    r.call("managed URLs by text", room + "get-all-managed-urls", found, {**found, "exactMatch": True})
    r.call("a URL that a managed one decides", "ext/explain-web", {"url": "http://www.managed.test/"})
    gone = {"id": made[0]["id"]}
    r.call("no managed URL", room + "delete-managed-url", gone, gone, {"id": made[1]["id"]})
    r.call("a URL that is not rewritten", room + "decode-url", {"url": "https://x.test/s/abc"})
    early = {"from": "2020-01-01T00:00:00+0000", "to": "2020-01-02T00:00:00+0000"}
    for path in ("ttp/url/get-logs", "ttp/attachment/get-logs", "ttp/impersonation/get-logs"):
        r.call(f"an empty log of {path}", path, early, {"from": "soon"}, {"from": early["to"], "to": "2020-01-01"})
    packages = "provisioning/get-packages"
    r.call("packages", packages, {})
    path = f"/api/{packages}"
    r.send("packages asked for in vain", "POST", path, b"{", r.live.signed(path), who="admin")


def play(r: Recorder) -> None:
    r.call("a user", "user/create-user", {"emailAddress": ANN})
    r.call(
        "an attribute",
        "user/update-attributes",
        {"emailAddress": ANN, "attributes": [{"name": "team", "value": "Red"}]},
    )
    team = r.call("a group", "directory/create-group", {"description": "Team"})[0]["id"]
    targets = [
        {"description": f"for {n}", "from": side, "to": EVERYONE}
        for n, side in enumerate((address(ANN), domain("corp.test"), group(team), attribute("team", "Red")))
    ]
    made = r.call(
        "lists",
        CREATE,
        web("Bad", url("bad.test"), url("http://Bad.test/Path?q=1", "allow", "url")),
        web("For some", url("bücher.test"), targets=targets),
        web(
            "Flat",
            url("https://flat.test:8443/x", "block", "url"),
            targets=[{"fromType": "individual_email_address", "fromValue": ANN, "description": "flat"}],
        ),
    )
    r.call(
        "lists that are refused",
        CREATE,
        web(""),
        web("x", targets=[]),
        web("x", url("not a domain")),
        web("x", url("http://[::1", kind="url")),
        web("x", url("a.test"), url("A.test", "allow")),
        web("x", url("a.test", "perhaps")),
        web("x", url("a.test", kind="moon")),
        web("x", url("10.0.0.0/8")),
        web("x", url("a.test"), targets=[{"from": group(NO_ID)}]),
        web("d" * 600, url("a.test")),
        {"description": "x"},
        web("x", url("a.test"), targets=[{"from": {"type": "moon"}}]),
        web("x", url("*.a.test")),
        web("x", url("u" * 3000 + ".test")),
        web("x", url("127.1")),
        web("x", {**url("a.test"), "id": NO_ID}),
    )
    first = made[0]
    beside(r, first["id"])
    managed(r)
    one = first["urls"][0]["id"]
    target = first["policies"][0]["id"]
    keep = {"id": target, "from": EVERYONE, "description": "kept"}
    r.call(
        "changes",
        UPDATE,
        {"id": first["id"], "description": "Worse", "policies": [keep]},
        {
            "id": first["id"],
            "policies": [keep],
            "urls": [{**url("bad.test", "allow"), "id": one}, url("new.test")],
        },
        {
            "id": first["id"],
            "policies": [
                {"policy": {"from": address(ANN), "description": "as read"}, "id": target},
                {"from": domain("corp.test"), "description": "new"},
            ],
        },
        {"id": first["id"], "policies": [keep, {"from": domain("corp.test")}]},
    )
    r.call(
        "changes that are refused",
        UPDATE,
        {"id": NO_ID, "policies": [keep]},
        {"id": first["id"]},
        {"id": first["id"], "policies": [{**keep, "id": NO_ID}]},
        {"id": first["id"], "policies": [{"id": target}]},
        {"id": first["id"], "policies": [keep, keep]},
        {"id": first["id"], "policies": [{**keep, "id": made[1]["policies"][0]["id"]}]},
        {"id": first["id"], "policies": [keep], "urls": [{**url("x.test"), "id": made[1]["urls"][0]["id"]}]},
        {
            "id": first["id"],
            "policies": [keep],
            "urls": [{**url("x.test"), "id": one}, {**url("y.test"), "id": one}],
        },
    )
    entry = {**url("more.test"), "id": NO_ID}
    r.call(
        "entries added",
        ADD,
        {
            "id": first["id"],
            "urls": [entry, url("new.test"), url("BAD.test", "block"), url("more.test/x", "allow", "url")],
        },
        {"id": first["id"], "urls": [url("more.test")]},
        {"id": first["id"], "urls": [url("a,b"), url("ok.test"), url("*.x.test"), url("OK.test")]},
        {"id": first["id"], "urls": []},
        {"id": NO_ID, "urls": [entry]},
    )
    r.call(
        "entries removed",
        REMOVE,
        {
            "id": first["id"],
            "urls": [{"id": one}, {"value": "More.test"}, {"type": "url", "value": "http://more.test/x"}],
        },
        {
            "id": first["id"],
            "urls": [{"id": one}, {"value": "none.test"}, {"type": "domain", "value": "a,b"}, {"value": "*"}],
        },
        {"id": first["id"], "urls": [{"id": NO_ID}, {"id": one, "value": "new.test"}, {}]},
        {"id": NO_ID, "urls": [{"value": "new.test"}]},
    )
    r.call("one list, none", GET, {"id": first["id"]}, {"id": NO_ID}, {"id": "x"})
    r.call("all lists", GET)
    r.pages("lists", GET, {}, 1)
    r.call("by the gateway administrator", GET, who="gateway_administrator")
    r.call("by another account", GET, {"id": first["id"]}, who="foreign")
    r.call("zones that resolvers can fetch", "ext/get-web-zones", {})
    r.call("lists removed", DELETE, {"id": first["id"]}, {"id": first["id"]}, {"id": NO_ID})
    _places(r)


def _places(r: Recorder) -> None:
    """Locations, clients, and what was decided for them."""
    made = r.call(
        "locations",
        "ext/create-web-location",
        {"name": "Berlin", "networks": ["203.0.113.7/24", "2001:db8::/32"]},
        {"name": "BERLIN", "networks": ["192.0.2.1"]},
        {"name": "Nowhere", "networks": []},
        {"name": "Bad", "networks": ["300.0.0.1"]},
        {"name": "Spare", "networks": ["198.51.100.0/24"]},
    )
    berlin, spare = made[0]["id"], made[-1]["id"]
    bound = {"from": EVERYONE, "to": EVERYONE, "description": "there", "locations": [{"location": "berlin"}]}
    both = {**bound, "conditions": {"sourceIPs": ["10.0.0.0/8"]}}
    r.call(
        "lists that are bound to a location",
        CREATE,
        web("There", url("there.test"), targets=[bound]),
        web("x", url("a.test"), targets=[{**bound, "locations": [{"location": "Atlantis"}]}]),
        web("x", url("a.test"), targets=[{**bound, "locations": [{"location": "Berlin", "ip": "10.0.0.1"}]}]),
        web("x", url("a.test"), targets=[{**bound, "locations": [{"ip": "203.0.113.0/24"}]}]),
        web("x", url("a.test"), targets=[both]),
    )
    r.call(
        "locations changed",
        "ext/update-web-location",
        {"id": berlin, "networks": ["203.0.113.0/25"]},
        {"id": spare, "name": "Berlin"},
        {"id": NO_ID, "name": "x"},
    )
    r.call(
        "clients",
        "ext/set-web-clients",
        {"network": "10.0.0.7", "user": ANN},
        {"network": "10.1.0.0/16", "location": "berlin"},
        {"network": "10.2.0.0/16"},
        {"network": "10.2.0.0/16", "user": "nobody@corp.test"},
        {"network": "moon", "user": ANN},
    )
    r.call("clients listed", "ext/get-web-clients", {})
    r.call("locations deleted", "ext/delete-web-location", {"id": berlin}, {"id": spare}, {"id": NO_ID})
    r.call("locations listed", "ext/get-web-locations", {}, {"id": berlin})
    r.call("clients removed", "ext/remove-web-clients", {"network": "10.0.0.7"}, {"network": "10.0.0.7"})
    r.call(
        "records of web requests",
        "ext/find-web-records",
        {"verdict": "block", "domain": "there.test"},
        {"since": "1h", "until": "2h"},
        {"client": "moon"},
        {"host": "http://[::1"},
    )
    _blocked(r)


def _blocked(r: Recorder) -> None:
    """A request that a proxy asked about and was told to refuse, and somebody who asks for access."""
    r.call("a list of what is stopped", CREATE, web("Stop", url("stop.test")))
    (proxy,) = r.call("a proxy that asks", "ext/create-web-proxy", {"name": "door", "kind": "nginx"})
    asked = {"X-Mailreeve-Token": proxy["token"], "X-Original-URL": "http://stop.test/x"}
    asked |= {"X-Original-Method": "GET", "X-Forwarded-For": "203.0.113.9"}
    assert r.live.request("GET", "/web/check", headers=asked).status == 403
    of_host = {"host": "stop.test"}
    until = time.monotonic() + PATIENCE
    with r.live.client() as client:
        while not client.call("ext/find-web-records", of_host):  # written after the answer
            assert time.monotonic() < until, f"not recorded in {PATIENCE} s"
            time.sleep(0.05)
    (record,) = r.call("what was refused", "ext/find-web-records", of_host)
    r.call("a record of a web request", "ext/get-web-record", {"id": record["id"]}, {"id": NO_ID})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reason = b"reason=For+a+customer"
    page = f"/web/blocked?id={record['id']}"
    assert r.live.request("POST", page, reason, form).status == 403  # as the page itself
    (wish,) = r.call("requests for access", "ext/get-web-access-requests", {})
    for path in ("web-default-deny", "web-clients", "web-proxies", "web-access-requests"):
        r.call(f"{path}, not allowed", f"ext/get-{path}", {}, who="no_role")
    close = {"id": wish["id"]}
    r.call("a request for access closed", "ext/close-web-access-request", close, close, {"id": NO_ID})
