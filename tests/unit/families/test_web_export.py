"""Files of the lists for other programs, and the file by which browsers find their proxy."""

from __future__ import annotations

import json

import pytest
from tests.unit.families.conftest import BY_PATH

from mailreeve.access.caller import Origin
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.wire import envelope
from mailreeve.wire.errors import ItemRefused

CREATE = "policy/webwhiteurl/create-policy-with-targets"


@pytest.fixture
def listed(account):
    urls = [
        {"action": "block", "type": "domain", "value": "bad.test"},
        {"action": "block", "type": "url", "value": "path.test/x"},
    ]
    everyone = {"description": "all", "from": {"type": "everyone"}}
    account.call(CREATE, {"description": "Bad", "policies": [everyone], "urls": urls})
    pat = {
        "description": "Pat",
        "from": {"type": "individual_email_address", "emailAddress": "pat@corp.test"},
        "to": {"type": "everyone"},
    }
    urls = [{"action": "block", "type": "domain", "value": "pats.test"}]
    account.call(CREATE, {"description": "Pat", "policies": [pat], "urls": urls})
    return account


def file(account, path, item):
    request = envelope.decode(json.dumps({"data": [item]}).encode())
    asked = ready(account.services, BY_PATH[path], request, account.caller, Origin(account.caller.actor))
    (raw,) = carry_out(account.services, asked).data
    return b"".join(raw.content).decode().splitlines()


def test_a_file_has_the_names_and_says_what_it_leaves_out(listed):
    lines = file(listed, "ext/export-web-file", {"format": "hosts"})
    assert lines[0].startswith("# Web lists for everyone, at revision ")
    assert lines[1:] == [
        "# Not in this file: 1 list (Pat): for others, or at another time",
        "# Not in this file: 1 URL (path.test/x): about a part of a host, which a list of names cannot say",
        "# Not in this file: 1 name: what is below it; a hosts file names hosts alone",
        "0.0.0.0 bad.test",
    ]
    lines = file(listed, "ext/export-web-file", {"format": "unbound", "user": "pat@corp.test"})
    assert '  local-zone: "pats.test." always_nxdomain' in lines


def test_browsers_use_the_proxy_of_their_location(account):
    account.call("ext/create-web-location", {"name": "Paris", "networks": ["10.2.0.0/16", "2001:db8::/32"]})
    item = {
        "proxies": ["proxy.test:3128", "other.test:3128"],
        "places": [{"location": "paris", "proxies": ["10.2.0.1:8080"]}],
        "direct": ["corp.test"],
    }
    text = "\n".join(file(account, "ext/get-pac-file", item))
    assert 'var direct = ["corp.test"];' in text
    assert '"10.2.0.0",\n  "255.255.0.0",\n  "PROXY 10.2.0.1:8080"' in text
    assert 'var other = "PROXY proxy.test:3128; PROXY other.test:3128";' in text
    assert "2001" not in text
    text = "\n".join(file(account, "ext/get-pac-file", {**item, "orDirect": True}))
    assert '"PROXY 10.2.0.1:8080; DIRECT"' in text


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({}, "proxies"),
        ({"proxies": ['x"; alert(1); "']}, "proxies[0]"),
        ({"proxies": ["proxy.test"]}, "proxies[0]"),
        ({"proxies": ["p:1"], "places": [{"location": "Nowhere", "proxies": ["p:1"]}]}, "places[0].location"),
        ({"proxies": ["p:1"], "direct": ['a"b']}, "direct[0]"),
    ],
)
def test_what_is_no_proxy_or_domain_is_refused(account, item, field):
    with pytest.raises(ItemRefused) as refused:
        account.call("ext/get-pac-file", item)
    assert [one.field for one in refused.value.problems] == [field]


def test_no_name_of_a_list_and_no_argument_gets_out_of_its_comment(account):
    """A line of a configuration that the name of a list made would be one that somebody loads."""
    account.call("domain/create-domain", {"domain": "corp.test"})
    pat = {"description": "p", "from": {"type": "individual_email_address", "emailAddress": "pat@corp.test"}}
    urls = [{"action": "block", "type": "domain", "value": "pats.test"}]
    name = 'Pat\nserver:\n  local-zone: "x." refuse'
    account.call(CREATE, {"description": name, "policies": [pat], "urls": urls})
    for format_ in ("unbound", "hosts"):
        item = {"format": format_, "user": " kim@corp.test\n", "sourceIp": " 10.0.0.1\n"}
        lines = file(account, "ext/export-web-file", item)
        assert [line for line in lines if line[0] != "#"] == (["server:"] if format_ == "unbound" else [])
        assert lines[0].startswith("# Web lists for kim@corp.test from 10.0.0.1, at revision ")
