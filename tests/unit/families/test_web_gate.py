"""The gate that every web door asks: what it says, what it records, and what is made of the records."""

from __future__ import annotations

import random
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx2
import pytest

from mailreeve.app.server.web_server import blocked_requests, make_gate
from mailreeve.app.settings import Settings
from mailreeve.console.blocked import PATH, BlockPages
from mailreeve.families.web_log import keeper as keeping
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.web.door import web_door
from mailreeve.web.frames import HEAD, VERSION, Ask, Batch, Hello, length_of, read_answers, read_welcome, written
from mailreeve.web.requests import WebAnswer, WebRequest

CREATE = "policy/webwhiteurl/create-policy-with-targets"
EVERYONE = {"type": "everyone"}


MAIL_POLICY = {
    "option": "block_sender",
    "policy": {"description": "x", "from": {"type": "email_domain", "emailDomain": "x.test"}, "to": EVERYONE},
}


class Opened:
    """As much of an open folder as a gate needs."""

    def __init__(self, services) -> None:
        self.services, self.store = services, services.store


class Web:
    """A gate over one account, with its records."""

    def __init__(self, account, sample: float = 0.0) -> None:
        self.account = account
        self.opened = Opened(account.services)
        self.server = make_gate(self.opened, lambda: Settings(web_allows_recorded=sample))

    def ask(self, url: str, **more: object) -> WebAnswer:
        return self.server.gate.decide(self.account.id, WebRequest(url, door="test", **more))

    def records(self, **item: object) -> list[dict]:
        anyio.run(self.server.records.write_waiting)
        return self.account.call("ext/find-web-records", item)


@pytest.fixture
def web(account) -> Web:
    account.call("domain/create-domain", {"domain": "corp.test"})
    for name in ("ann", "bob"):
        account.call("user/create-user", {"emailAddress": f"{name}@corp.test"})
    return Web(account)


def block(web: Web, *values: str, action: str = "block", from_: object = EVERYONE) -> dict:
    urls = [{"action": action, "type": "url" if "/" in one else "domain", "value": one} for one in values]
    target = {"description": "t", "from": from_}
    return web.account.call(CREATE, {"description": "Bad\nlist", "policies": [target], "urls": urls})[0]


def only(address: str) -> dict[str, str]:
    return {"type": "individual_email_address", "emailAddress": address}


def test_what_is_blocked_is_said_and_recorded(web):
    made = block(web, "bad.test")
    answer = web.ask("http://www.bad.test/x?y", method="GET", user="ann", client_address="10.0.0.1")
    assert not answer.passes
    assert answer.sentence == 'Blocked by the web list "Bad list": it names the domain bad.test.'
    (told,) = web.records(verdict="block")
    assert (told["id"], told["user"], told["login"]) == (answer.decision_id, "ann@corp.test", "ann")
    assert (told["policy"]["id"], told["host"], told["client"]) == (made["id"], "www.bad.test", "10.0.0.1")
    for item, number in (
        ({"domain": "bad.test"}, 1),
        ({"host": "bad.test"}, 0),
        ({"host": "www.bad.test", "user": "ANN@corp.test"}, 1),
        ({"client": "10.0.0.2"}, 0),
        ({"policyId": made["id"], "since": "1h"}, 1),
        ({"until": "1h"}, 0),
        ({"domain": "ad.test"}, 0),
    ):
        assert len(web.records(**item)) == number, item


def test_what_passes_is_recorded_as_a_sample(account):
    web = Web(account, 0.25)
    answers = [web.ask("http://good.test/") for _ in range(100)]
    assert {answer.verdict for answer in answers} == {WebVerdict.NONE}
    assert sum(bool(answer.decision_id) for answer in answers) == len(web.records()) == 25
    assert [bool(Web(account).ask("http://good.test/").decision_id) for _ in range(9)] == [False] * 9


@pytest.mark.parametrize(
    ("user", "verdict"),
    [
        ("ann@corp.test", "block"),
        ("ANN@CORP.TEST", "block"),
        ("ann", "block"),
        ("CORP\\Ann", "block"),
        ("bob", "none"),
        ("ann@other.test", "none"),
        ("nobody", "none"),
        ("", "block"),
        ("@", "none"),
    ],
)
def test_who_browses_is_the_proxys_user_or_whose_address_it_is(web, user, verdict):
    """A name that is nobody's is not the user whose address it is: somebody else sits there."""
    block(web, "bad.test", from_=only("ann@corp.test"))
    web.account.call("ext/set-web-clients", {"network": "10.0.0.7", "user": "ann@corp.test"})
    answer = web.ask("http://bad.test/", user=user, client_address="10.0.0.7")
    assert answer.verdict.value == verdict


def test_a_bare_name_that_two_users_have_is_nobody(web):
    web.account.call("domain/create-domain", {"domain": "second.test"})
    web.account.call("user/create-user", {"emailAddress": "ann@second.test"})
    block(web, "bad.test", from_=only("ann@corp.test"))
    assert web.ask("http://bad.test/", user="ann").verdict is WebVerdict.NONE


@pytest.mark.parametrize(
    "url", ["http://", "", "http://[::1", "http://a b.test/", "x" * 70_000, "javascript:alert(1)"]
)
def test_a_url_that_cannot_be_read_is_blocked(web, url):
    answer = web.ask(url)
    assert (answer.verdict, answer.entry) == (WebVerdict.BLOCK, None)
    (told,) = web.records()
    assert (told["settledBy"], told["urlCut"]) == ("unreadable", len(url) > 2_048)
    (detail,) = web.account.call("ext/get-web-record", {"id": told["id"]})
    assert (detail["today"]["verdict"], detail["today"]["differs"]) == ("block", False)


def test_where_the_host_is_all_that_is_seen_a_path_is_neither_believed_nor_widened(web):
    block(web, "deep.test/secret", "deep.test/secret/more")
    for url in ("deep.test:443", "https://deep.test/secret", "deep.test/secret", "deep.test"):
        answer = web.ask(url, host_only=True)
        assert (answer.verdict, answer.not_enforceable) == (WebVerdict.NONE, 2)
        assert "cannot be enforced" in answer.sentence
    assert web.ask("https://deep.test/secret").verdict is WebVerdict.BLOCK
    block(web, "deep.test/", action="block")
    assert web.ask("deep.test:443", host_only=True).verdict is WebVerdict.BLOCK


def test_the_gate_says_what_an_explanation_says(web):
    """Of anything that is asked, by anybody, from anywhere."""
    noise = random.Random(11)
    hosts = ["a.test", "b.a.test", "c.test"]
    users = ["", "ann@corp.test", "bob@corp.test"]
    web.account.call("ext/create-web-location", {"name": "Here", "networks": ["10.0.0.0/29"]})
    web.account.call("ext/set-web-clients", {"network": "10.0.0.2", "user": "bob@corp.test"})
    for n in range(8):
        block(web, hosts[n % 3] + ["", "/x", "/x/y"][n // 3], action=noise.choice(["block", "allow"]),
              from_=noise.choice([EVERYONE, only("ann@corp.test")]))  # fmt: skip
    for _ in range(120):
        url = f"http://{noise.choice(hosts)}{noise.choice(['', '/', '/x', '/x/y/z', '/xy'])}"
        user, ip = noise.choice(users), noise.choice(["", "10.0.0.1", "10.0.0.2", "192.0.2.1"])
        answer = web.ask(url, user=user, client_address=ip)
        item = {"url": url} | ({"user": user} if user else {}) | ({"sourceIp": ip} if ip else {})
        (told,) = web.account.call("ext/explain-web", item)
        assert told["verdict"] == answer.verdict.value
        if answer.decision_id:
            anyio.run(web.server.records.write_waiting)
            (again,) = web.account.call("ext/explain-web", {"decisionId": answer.decision_id})
            assert (again["verdict"], again["policyId"]) == (told["verdict"], told["policyId"])


def test_a_record_says_what_would_be_decided_today(web):
    made = block(web, "bad.test")
    answer = web.ask("http://bad.test/")
    web.records()
    web.account.call("policy/webwhiteurl/delete-policy-with-targets", {"id": made["id"]})
    (told,) = web.account.call("ext/get-web-record", {"id": answer.decision_id})
    assert (told["verdict"], told["today"]["verdict"], told["today"]["differs"]) == ("block", "none", True)


def test_a_temporary_allow_is_told_as_one_and_found_by_its_id(account, web):
    """Also once it has ended, when nothing but the record knows of it."""
    block(web, "bad.test")
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    item = {"value": "bad.test", "user": "ann@corp.test", "until": soon, "reason": "Ticket 7"}
    (made,) = account.call("ext/allow-web", item)
    sampled = Web(account, 1.0)
    answer = sampled.ask("http://bad.test/", user="ann@corp.test")
    assert answer.sentence == 'Allowed by the temporary allow "Ticket 7": it names the domain bad.test.'
    sampled.records()
    (told,) = account.call("ext/get-web-record", {"id": answer.decision_id})
    assert told["policy"] == told["today"]["policy"] == {"id": made["id"], "description": "Ticket 7"}
    assert 'allow domain bad.test of the temporary allow "Ticket 7": it holds' in told["today"]["why"]
    account.call("ext/remove-web-allow", {"id": made["id"]})
    (told,) = sampled.records(policyId=made["id"])
    assert told["policy"] == {"id": made["id"], "description": "Ticket 7"}


def test_a_default_deny_is_told_as_one(web):
    made = block(web, "good.test", action="allow")
    web.account.call("ext/set-web-default-deny", {"id": made["id"], "defaultDeny": True, "confirmReach": True})
    answer = web.ask("http://other.test/")
    assert "it blocks what no web list allows" in answer.sentence
    web.records()
    (told,) = web.account.call("ext/get-web-record", {"id": answer.decision_id})
    assert (told["policy"]["id"], told["entry"]) == (made["id"], None)
    assert any(line.startswith("the default deny of the web list") for line in told["today"]["why"])


def test_under_a_default_deny_a_path_opens_a_request_and_no_tunnel(web):
    """Not widened to its host (D-27); what could not be looked at is told."""
    made = block(web, "good.test/docs", action="allow")
    web.account.call("ext/set-web-default-deny", {"id": made["id"], "defaultDeny": True, "confirmReach": True})
    assert web.ask("https://good.test/docs/1").verdict is WebVerdict.ALLOW
    tunnel = web.ask("good.test:443", method="CONNECT", host_only=True)
    assert (tunnel.verdict, tunnel.not_enforceable) == (WebVerdict.BLOCK, 1)
    assert tunnel.sentence.endswith(
        "1 more entry names a path on this host, which cannot be enforced without inspection."
    )


def test_a_draft_is_held_against_the_records(web):
    made = block(web, "bad.test")
    for url in ("http://bad.test/1", "http://bad.test/2"):
        web.ask(url)
    sampled = Web(web.account, 1.0)
    sampled.ask("http://fun.test/x", client_address="10.0.0.1")
    sampled.records()
    web.records()
    target = {"description": "t", "from": EVERYONE}
    urls = [{"action": "block", "type": "domain", "value": "fun.test"}]
    draft = [
        {"call": "policy/webwhiteurl/delete-policy-with-targets", "item": {"id": made["id"]}},
        {"call": CREATE, "item": {"description": "Fun", "policies": [target], "urls": urls}},
    ]
    (told,) = web.account.call("ext/replay-draft", {"draft": draft})
    assert told["web"]["changes"] == {"nowBlocked": 1, "noLongerBlocked": 2}
    assert told["web"]["examples"][0]["policy"] == "Fun"
    group = {"call": "policy/blockedsenders/create-policy", "item": MAIL_POLICY}
    (mail_only,) = web.account.call("ext/replay-draft", {"draft": [group]})
    assert "web" not in mail_only


def test_records_have_so_much_room_and_no_more(web, monkeypatch):
    """One client cannot take everybody's."""
    monkeypatch.setattr(keeping, "BY_CLIENT", 4_000)
    block(web, "bad.test")
    for _ in range(20):
        web.ask("http://bad.test/", client_address="10.0.0.1")
    web.ask("http://bad.test/", client_address="10.0.0.2")
    clients = [told["client"] for told in web.records()]
    assert 2 < len(clients) < 10
    assert clients.count("10.0.0.2") == 1
    assert web.server.records_left_out == 21 - len(clients)


def page(web: Web, method: str, path: str, wait: int = 0, **more: object) -> httpx2.Response:
    app = BlockPages(blocked_requests(web.opened, web.server), lambda network: wait)

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app, client=("192.0.2.7", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gate.test") as client:
            return await client.request(method, path, **more)

    return anyio.run(send)


def test_the_page_shows_a_decision_that_is_not_written_yet_and_escapes_all_of_it(web):
    block(web, "bad.test")
    answer = web.ask('http://bad.test/"><script>alert(1)</script>', user='<b>"', client_address="10.0.0.1")
    shown = page(web, "GET", f"{PATH}?id={answer.decision_id}")
    assert shown.status_code == 403
    assert "<script" not in shown.text
    assert "<b>" not in shown.text
    assert "&lt;script&gt;" in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"


def test_access_is_asked_for_once_and_listed(web):
    block(web, "bad.test")
    where = f"{PATH}?id={web.ask('http://bad.test/', user='ann').decision_id}"
    assert "<form" in page(web, "GET", where).text
    for reason in ("my work\n<b>", "again"):
        asked = page(web, "POST", where, data={"reason": reason})
        assert "Access was asked for" in asked.text
        assert "<form" not in asked.text
    (told,) = web.account.call("ext/get-web-access-requests", {})
    assert (told["reason"], told["user"], told["url"]) == ("my work <b>", "ann@corp.test", "http://bad.test/")
    web.account.call("ext/close-web-access-request", {"id": told["id"]})
    assert web.account.call("ext/get-web-access-requests", {}) == []


def test_whoever_has_no_decision_sees_nothing(web, other_account):
    """Nor is anything told by an id of what passed, by one that was made up, or by another kind of id."""
    made = block(web, "bad.test")
    passed = Web(web.account, 1.0)
    allowed = passed.ask("http://good.test/").decision_id
    passed.records()
    for path in (
        PATH,
        f"{PATH}?id=",
        f"{PATH}?id={'A' * 43}",
        f"{PATH}?id={made['id']}",
        f"{PATH}?id={allowed}",
        f"{PATH}/x?id={allowed}",
    ):
        for method in ("GET", "POST"):
            assert (
                page(web, method, path, **({"data": {"reason": "x"}} if method == "POST" else {})).status_code
                == 404
            )
    assert page(web, "PUT", PATH).status_code == 405
    assert page(web, "GET", PATH, wait=1_500).headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    "body", [b"", b"reason=", b"reason=+", b"reason=" + b"x" * 9_000, b"a=1&b=2&c=3&d=4&reason=x", b"\xff"]
)
def test_a_form_that_is_not_ours_asks_for_nothing(web, body):
    block(web, "bad.test")
    where = f"{PATH}?id={web.ask('http://bad.test/').decision_id}"
    assert page(web, "POST", where, content=body).status_code == 400
    assert web.account.call("ext/get-web-access-requests", {}) == []


def test_old_records_and_requests_are_forgotten(web, monkeypatch):
    block(web, "bad.test")
    where = f"{PATH}?id={web.ask('http://bad.test/').decision_id}"
    page(web, "POST", where, data={"reason": "x"})
    assert len(web.records()) == 1
    assert web.server.keeper.forget() == 0
    monkeypatch.setattr(keeping, "KEEP", -keeping.KEEP)
    assert web.server.keeper.forget() == 2
    assert web.records() == []


def talk(web: Web, path: Path, *said: bytes) -> list[bytes]:
    """What the door answers to these octets, frame by frame, until it closes or has nothing more to say."""
    codes = {"": web.account.id, "ONE": web.account.id}

    async def ask() -> list[bytes]:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            async with web_door(web.server.gate, codes.get, [listener]), await anyio.connect_unix(path) as stream:
                for octets in said:
                    await stream.send(octets)
                await stream.send_eof()
                data = b""
                with anyio.fail_after(10):
                    try:
                        while True:
                            data += await stream.receive()
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        pass
        found = []
        while data:
            end = HEAD + length_of(data[:HEAD])
            found.append(data[HEAD:end])
            data = data[end:]
        return found

    return anyio.run(ask)


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d") / "s"


def test_the_door_answers_batches_in_order(web, path):
    block(web, "bad.test")
    batches = [
        Batch(number, [Ask(f"http://{host}.test/", "GET", "", "", False) for host in ("bad", "good")])
        for number in (5, 6)
    ]
    welcome, *answers = talk(web, path, written(Hello(VERSION, "ONE", "squid")), *map(written, batches))
    assert read_welcome(welcome).ok
    told = [read_answers(body) for body in answers]
    assert [one.number for one in told] == [5, 6]
    assert [[each.verdict for each in one.told] for one in told] == [["block", "none"]] * 2
    assert {record["door"] for record in web.records()} == {"squid"}


@pytest.mark.parametrize(
    ("hello", "why"),
    [(Hello(VERSION + 1, "", "squid"), "version"), (Hello(VERSION, "TWO", "squid"), "no account TWO")],
)
def test_the_door_says_why_it_does_not_serve_a_helper(web, path, hello, why):
    (welcome,) = talk(web, path, written(hello))
    assert not read_welcome(welcome).ok
    assert why in read_welcome(welcome).why


@pytest.mark.parametrize(
    "octets",
    [b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x02\x91\x01", b""],
)
def test_the_door_closes_on_what_it_cannot_read(web, path, octets):
    assert talk(web, path, octets) == []
    path.unlink()
    assert len(talk(web, path, written(Hello(VERSION, "", "x")), octets)) == 1


def test_a_batch_that_is_too_large_is_not_decided(web, path):
    batch = Batch(1, [Ask("http://a.test/", "", "", "", False)] * 501)
    assert len(talk(web, path, written(Hello(VERSION, "", "x")), written(batch))) == 1
