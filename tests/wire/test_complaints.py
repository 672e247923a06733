"""What users of other systems complain about, each answered on a running server and by its name.

The numbers are those of behaviour.md, section 11; 5, 6 and 16 are about web requests. Behind them stand the six
that are asked for most where mail is held. `docs/reference/complaints.md` is the same as a table.

All of it runs on one server: behind one in front that says what SPF and DMARC came to, and beside a spam engine
that says of a message what its field `X-Engine` has.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest

from mailreeve.client import ApiError, Target

EVERYONE = {"type": "everyone"}
INTERNAL = {"type": "internal_addresses"}
PUBLIC = "https://mail.corp.test"
PATIENCE = 30  # seconds until what has not arrived does not arrive
SPAM = "X-Engine: add header"
RIGHTLY = {"spf": "pass smtp.mailfrom=shop.test", "dmarc": "pass header.from=shop.test"}
FORGED = {"spf": "fail smtp.mailfrom=shop.test", "dmarc": "fail header.from=shop.test"}
SPOOFED = {"spf": "fail smtp.mailfrom=corp.test", "dmarc": "fail header.from=corp.test"}
SET = "managedsender/permit-or-block-sender"
BLOCKS = "policy/blockedsenders"
HELD, RELEASE = "gateway/get-hold-message-list", "gateway/hold-release"


def domain(name: str) -> dict[str, str]:
    return {"type": "email_domain", "emailDomain": name}


def address(name: str) -> dict[str, str]:
    return {"type": "individual_email_address", "emailAddress": name}


class Engine(BaseHTTPRequestHandler):
    """Speaks as rspamd does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        said = re.search(rb"^X-Engine: (.+?)\r?$", content, re.MULTILINE)
        answer = {
            "action": said[1].decode() if said else "no action",
            "score": 9.0 if said else 0.0,
            "symbols": {},
        }
        told = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def front_server(new_folder, live_server_class, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """The server of these tests, which the fixture `front` speaks to."""
    parent = tmp_path_factory.mktemp("complaints")
    engine = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    engine.daemon_threads = True
    threading.Thread(target=engine.serve_forever, args=(0.05,), daemon=True).start()
    environment = {
        "MAILREEVE_RATE_LIMIT": "100000000",
        "MAILREEVE_XCLIENT_HOSTS": "127.0.0.1/32",
        "MAILREEVE_TRUSTED_AUTHSERV_IDS": "front.corp.test",
        "MAILREEVE_SPAM_ENGINE": f"http://127.0.0.1:{engine.server_port}",
        "MAILREEVE_PUBLIC_URL": PUBLIC,
    }
    live = live_server_class(*new_folder(parent), parent / "maildir", environment=environment)
    live.start()
    yield live
    live.stop()
    engine.shutdown()
    engine.server_close()


class User:
    """A user without any role, with keys."""

    def __init__(self, front) -> None:
        self.address = front.recipient()
        front.client.call("user/create-user", {"emailAddress": self.address, "name": "somebody"})
        (made,) = front.client.call("ext/create-key", {"user": self.address, "name": "own"})
        names = {"app_id": "appId", "app_key": "appKey", "access_key": "accessKey", "secret_key": "secretKey"}
        keys = {ours: made[theirs] for ours, theirs in names.items()}
        self.client = front.ending.enter_context(front.live.client(keys))

    def set(self, action: str, sender: str, **more: str) -> dict:
        return self.client.call(SET, {"sender": sender, "to": self.address, "action": action, **more})[0]

    def listed(self) -> list[tuple[str, str]]:
        rows = self.client.call("ext/get-managed-senders", {"to": self.address})
        return [(row["sender"], row["type"]) for row in rows]

    def held(self) -> list[dict]:
        return list(self.client.call(HELD, {"admin": False}))


@pytest.fixture
def ann(front) -> User:
    return User(front)


@pytest.fixture
def policy(front):
    """`policy(api, from, …)`: the id of a new policy of any type, gone when the test is over."""

    def make(api: str, from_: dict, to: dict = EVERYONE, *, option: str | None = None, **more: object) -> str:
        told = {"description": "a test's", "from": from_, "to": to, **more}
        item = {"policy": told} | ({} if option is None else {"option": option})
        (row,) = front.client.call(f"{api}/create-policy", item)
        front.ending.callback(front.client.call, f"{api}/delete-policy", {"id": row["id"]})
        return row["id"]

    return make


def fate(front, sender: str, to: str, header: str | None = None, results: dict | None = None, *fields: str) -> str:
    """What became of a message from outside: `skip` or `run` where it was delivered, `held`, or the refusal."""
    sent = front.found(sender, to, header, results=results or RIGHTLY, fields=fields)
    verdict, _, reply = sent.verdict(to)
    if verdict == "deliver":
        return sent.copies[to].spam_checks
    return "held" if reply.startswith("250 ") else reply


def takes(front, subject: str) -> bytes:
    """The message that the next hop gets with this subject, once it is there; it is there no more afterwards."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        for file in (Path(front.live.maildir) / "new").iterdir():
            text = file.read_bytes()
            if message_from_bytes(text)["Subject"] == subject:
                file.unlink()
                return text
        threading.Event().wait(0.01)
    pytest.fail(f"{subject!r} did not arrive:\n{front.live.log()}")


def hold(front, to: str, sender: str, *fields: str) -> dict:
    """Have a message held as spam; as the list has it."""
    assert fate(front, sender, to, None, None, SPAM, *fields) == "held"
    return next(one for one in front.client.call(HELD, {"admin": True}) if one["to"]["emailAddress"] == to)


def nothing_more(front, decision: str) -> None:
    """Once the released message is recorded as delivered, nothing else is to come."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        found = front.client.call("ext/find-mail-records", {"id": decision, "oldestFirst": True})
        if [one["verdict"] for one in found] == ["held", "released", "delivered"]:
            break
        threading.Event().wait(0.01)
    assert [one["verdict"] for one in found] == ["held", "released", "delivered"]
    assert list((Path(front.live.maildir) / "new").iterdir()) == []


# ------------------------------------------------------------------------------------------------- the sixteen


def test_complaint_1_a_forgotten_argument_blocks_nobody(front, ann):
    """Both sides have to be named; and a block of the whole company is asked about where it can be."""
    with pytest.raises(ApiError) as refused:
        front.client.call(f"{BLOCKS}/create-policy", {"option": "block_sender", "policy": {"description": "oops"}})
    assert "policy.from" in str(refused.value.field)
    wide = {"description": "Oops", "from": EVERYONE, "to": EVERYONE}
    item = {"option": "block_sender", "policy": wide, "confirmReach": False}
    answer = front.client.send(f"{BLOCKS}/create-policy", item)
    assert [one.code for one in answer.failures] == ["err_policy_reach_unconfirmed"]
    assert fate(front, "x@shop.test", ann.address) == "run"


def test_complaint_2_why_a_policy_did_not_apply_is_answered(front, ann, policy):
    """In a sentence, for the very policy that was expected."""
    by_header = policy(BLOCKS, domain("shop.test"), option="block_sender", fromPart="header_from")
    told = front.explain("x@shop.test", ann.address, "ann@other.test", policyId=by_header)
    assert (told["verdict"], told["expected"]["id"], told["expected"]["applied"]) == ("deliver", by_header, False)
    assert "other.test" in told["expected"]["sentence"]
    told = front.explain("x@shop.test", ann.address, "x@shop.test", policyId=by_header)
    assert (told["verdict"], told["expected"]["won"]) == ("reject", True)


def test_complaint_3_a_change_is_tried_on_the_mail_that_came_and_changes_nothing(front, ann):
    shop = f"{uuid.uuid4().hex}.test"
    assert fate(front, f"x@{shop}", ann.address) == "run"
    draft = {"description": "No shop", "from": domain(shop), "to": INTERNAL}
    step = {"call": f"{BLOCKS}/create-policy", "item": {"option": "block_sender", "policy": draft}}
    (answer,) = front.client.call("ext/replay-draft", {"draft": [step], "since": "1h"})
    assert answer["changes"] == {"newly_refused": 1}
    assert answer["groups"][0]["cause"]["description"] == "No shop"
    assert front.client.call("ext/find-policies", {"from": shop}) == []
    assert fate(front, f"x@{shop}", ann.address) == "run"


def test_complaint_4_overlapping_lists_are_ranked_and_each_loser_is_told_of(front, ann, policy):
    """Four lists hold the same sender: one wins, and the explanation has a place for each that applied."""
    ann.set("permit", "shop.test")
    ann.set("block", "x@shop.test")
    permit = policy("ext/permittedsenders", domain("shop.test"))
    block = policy(BLOCKS, domain("shop.test"), option="block_sender")
    told = front.explain("x@shop.test", ann.address, spf="pass", spfDomain="shop.test")
    assert (told["verdict"], told["layer"]) == ("reject", "blocked_senders")
    winners = {name: won["id"] for name, won in told["winners"].items() if won}
    assert (winners["blocked_senders"], winners["permitted_senders"]) == (block, permit)
    entries = {one["description"]: one["place"] for one in told["trace"] if one["type"] == "managed_senders"}
    assert sorted(entries.values()) == [1, 2], "address before domain"
    assert fate(front, "x@shop.test", ann.address) == told["smtpReply"]


def test_complaint_5_of_two_web_lists_for_one_target_block_wins_and_both_are_shown(front):
    lists = [
        front.client.call(
            "policy/webwhiteurl/create-policy-with-targets",
            {
                "description": action,
                "policies": [{"description": action, "from": EVERYONE, "to": EVERYONE}],
                "urls": [{"action": action, "type": "domain", "value": "twice.test"}],
            },
        )[0]["id"]
        for action in ("allow", "block")
    ]
    (told,) = front.client.call("ext/explain-web", {"url": "http://twice.test/"})
    assert (told["verdict"], told["policyId"]) == ("block", lists[1])
    assert {one["policyId"] for one in told["trace"]} == set(lists)


def test_complaint_6_web_entries_come_by_thousands_in_one_call(front):
    rows = [
        {"policy": "Many", "type": "domain", "value": f"n{n}.many.test", "action": "block"} for n in range(2_000)
    ]
    (done,) = front.client.call("ext/import-web", {"rows": rows})
    assert (done["added"], done["refusedCount"]) == (2_000, 0)
    assert front.client.call("ext/explain-web", {"url": "http://n1999.many.test/"})[0]["verdict"] == "block"
    (again,) = front.client.call("ext/import-web", {"rows": rows})
    assert (again["unchanged"], again["changedAccount"]) == (2_000, False)


def test_complaint_7_ids_stay_policies_are_listed_and_changed_in_part(front, policy):
    made = policy(BLOCKS, domain("kept.test"), option="block_sender", comment="Ticket 1")
    change = {"id": made, "option": "block_sender", "policy": {"description": "another name"}}
    (changed,) = front.client.call(f"{BLOCKS}/update-policy", change)
    assert changed["id"] == made
    (row,) = front.client.call("ext/find-policies", {"from": "kept.test"})
    assert (row["id"], row["description"], row["comment"]) == (made, "another name", "Ticket 1")


def test_complaint_8_each_answer_says_how_many_calls_are_left_and_until_when(front):
    answers = [front.live.post("/api/account/get-account") for _ in range(3)]
    left = [int(one.headers["x-ratelimit-remaining"]) for one in answers]
    assert left[1] < left[0] or left[2] < left[1], "one of them may be the first of a new span"
    assert max(left) <= int(answers[0].headers["x-ratelimit-limit"])
    assert all(0 < int(one.headers["x-ratelimit-reset"]) <= 5_000 for one in answers), "milliseconds"


def test_complaint_9_a_change_holds_for_the_next_message_and_its_revision_is_seen(front, ann, policy):
    before = front.explain("x@shop.test", ann.address)["revision"]
    assert fate(front, "x@shop.test", ann.address) == "run"
    policy(BLOCKS, domain("shop.test"), option="block_sender")
    refused = fate(front, "x@shop.test", ann.address)
    assert refused.startswith("550 ")
    record = front.last_outcome(ann.address)
    assert record["revision"] > before
    assert record["revision"] == front.explain("x@shop.test", ann.address)["revision"]


def test_complaint_10_a_sender_hears_who_refused_and_by_that_it_is_lifted(front, ann):
    """A user's block reads otherwise than the account's. The id in the reply leads to the rule."""
    ann.set("block", "x@shop.test")
    by_user = front.found("x@shop.test", ann.address, results=RIGHTLY).refused[ann.address]
    assert by_user.text == "5.7.1 Envelope blocked - User Entry"
    made = front.block(Target.domain("shop.test"))
    by_account = front.found("x@shop.test", ann.address, results=RIGHTLY).refused[ann.address]
    assert by_account.text.startswith("5.7.1 Envelope rejected - block policy")
    (record,) = front.client.call("ext/get-mail-record", {"id": f"{by_account} [{by_account.decision_id}]"})
    assert record["policy"]["id"] == made.id
    front.delete(made)
    (record,) = front.client.call("ext/get-mail-record", {"id": by_user.decision_id})
    front.client.call("ext/remove-managed-sender", {"id": record["policy"]["id"]})
    assert fate(front, "x@shop.test", ann.address) == "run"


def test_complaint_11_a_personal_permit_does_not_let_in_who_only_claims_to_be_that_sender(front, ann):
    ann.set("permit", "x@shop.test")
    assert fate(front, "x@shop.test", ann.address) == "skip"
    assert fate(front, "x@shop.test", ann.address, None, FORGED) == "run"
    assert fate(front, "eve@far.test", ann.address, "x@shop.test", FORGED) == "run"
    assert fate(front, "x@shop.test", ann.address, None, FORGED, SPAM) == "held"


def test_complaint_12_an_allow_needs_nobodys_leave_and_ends_only_when_it_was_said_to(front, ann):
    ann.set("permit", "x@shop.test")
    ann.set("permit", "y@shop.test", expires="2090-01-01T00:00:00+0000")
    rows = {row["sender"]: row for row in ann.client.call("ext/get-managed-senders", {"to": ann.address})}
    assert "expires" not in rows["x@shop.test"]
    assert rows["y@shop.test"]["expires"].startswith("2090-01-01")
    late = {"at": "2091-01-01T00:00:00Z", "spf": "pass", "spfDomain": "shop.test"}
    told = {one: front.explain(f"{one}@shop.test", ann.address, **late)["spamChecks"] for one in "xy"}
    assert told == {"x": "skip", "y": "run"}
    assert fate(front, "x@shop.test", ann.address, None, None, SPAM) == "skip"
    assert fate(front, "y@shop.test", ann.address, None, None, SPAM) == "skip"


def test_complaint_13_which_rule_stopped_a_message_is_told_to_the_user_who_waits_for_it(front, ann, policy):
    """Without any role, from the user's own list of what was refused."""
    ann.set("block", "x@shop.test")
    fate(front, "x@shop.test", ann.address)
    policy(BLOCKS, domain("bank.test"), option="block_sender", description="No banks")
    fate(front, "y@bank.test", ann.address)
    (found,) = ann.client.call("gateway/get-rejections", {})
    told = {one["fromEnv"]["emailAddress"]: (one["type"], one["policyInfo"]) for one in found["rejections"]}
    assert told["y@bank.test"][1] == "No banks"
    assert told["x@shop.test"] == ("Managed senders", f"personal block of x@shop.test by {ann.address}")


def test_complaint_14_a_rule_is_tried_without_sending_anything(front, ann, policy):
    """An imagined message, and an imagined verdict of the engine; nothing is recorded."""
    policy("ext/permittedsenders", domain("shop.test"))
    more = {"spf": "pass", "spfDomain": "shop.test", "spamAction": "reject", "spamScore": 20}
    assert front.explain("x@shop.test", ann.address, **more)["verdict"] == "deliver"
    assert front.explain("x@other.test", ann.address, **more)["verdict"] == "reject"
    assert front.client.call("ext/find-mail-records", {"to": ann.address}) == []


def test_complaint_15_users_have_lists_of_their_own(front, ann):
    """Kept by themselves, without any role; one's list is not another's."""
    bob = User(front)
    ann.set("block", "shop.test")
    bob.set("permit", "x@shop.test")
    assert (ann.listed(), bob.listed()) == ([("shop.test", "Block")], [("x@shop.test", "Permit")])
    assert fate(front, "x@shop.test", ann.address).startswith("550 5.7.1 Envelope blocked - User Domain Entry")
    assert fate(front, "x@shop.test", bob.address) == "skip"


def test_complaint_16_web_lists_are_for_a_client_a_user_or_a_place(front, ann):
    scopes = {
        "user": {"from": address(ann.address)},
        "place": {"from": EVERYONE, "conditions": {"sourceIPs": ["192.0.2.0/24"]}},
    }
    for name, scope in scopes.items():
        front.client.call(
            "policy/webwhiteurl/create-policy-with-targets",
            {
                "description": name,
                "policies": [{"description": name, "to": EVERYONE, **scope}],
                "urls": [{"action": "block", "type": "domain", "value": f"{name}.own.test"}],
            },
        )

    def verdict(name: str, **who: str) -> str:
        return front.client.call("ext/explain-web", {"url": f"http://{name}.own.test/", **who})[0]["verdict"]

    assert [verdict("user", user=ann.address), verdict("user", user=front.recipient())] == ["block", "none"]
    assert [verdict("place", sourceIp=ip) for ip in ("192.0.2.9", "198.51.100.9")] == ["block", "none"]


# ------------------------------------------------------------------------------------ the six where mail is held


def test_release_allow_and_block_from_the_digest_without_signing_in(front, ann):
    """A confirming button acts, a GET never."""
    for name in ("release", "allow", "block"):
        hold(front, ann.address, f"{name}@shop.test")
    front.client.call("ext/send-digest", {"to": ann.address})
    digest = message_from_bytes(takes(front, "3 messages are held for you"))
    text = digest.get_payload(0).get_payload(decode=True).decode().replace("\r\n", "\n")
    links = re.findall(r"^ +(Deliver|Remove)([^\n]*):\n +(\S+)$", text, re.MULTILINE)
    paths: dict[tuple[str, str], str] = {}
    for verb, words, url in links:
        does = "permit" if "permit" in words else verb
        assert url.startswith(f"{PUBLIC}/digest/")
        path = urlsplit(url).path
        page = front.live.request("GET", path)  # nobody signs in
        [sender] = set(re.findall(r"(\w+)@shop\.test", page.body.decode()))
        paths[sender, does] = path
    assert len(paths) == len(links) == 9
    assert (len(ann.held()), ann.listed()) == (3, []), "nine links were opened"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for wanted in (("release", "Deliver"), ("allow", "permit"), ("block", "Remove")):
        assert front.live.request("POST", paths[wanted], b"confirm=yes", form).status == 200
    arrived = {message_from_bytes(takes(front, "a test's"))["From"] for _ in range(2)}
    assert arrived == {"release@shop.test", "allow@shop.test"}
    assert (ann.held(), sorted(ann.listed())) == (
        [],
        [("allow@shop.test", "Permit"), ("block@shop.test", "Block")],
    )
    assert fate(front, "block@shop.test", ann.address).startswith("550 5.7.1 Envelope blocked - User Entry")
    assert fate(front, "allow@shop.test", ann.address, None, None, SPAM) == "skip"


def test_user_domain_and_account_lists_have_a_stated_order(front, ann, policy):
    """From the weakest up: what each adds beats what was there before, for the very next message."""
    x, to = "x@shop.test", ann.address

    def now() -> str:
        return fate(front, x, to)[:3]

    assert now() == "run"
    front.found(to, x, source="127.0.0.1")  # Ann writes to X, who is spared from then on
    assert now() == "ski"
    ann.set("block", "shop.test")
    assert now() == "550", "a stated wish beats a side effect"
    ann.set("permit", x)
    assert now() == "ski", "the user's address beats the user's domain"
    ann.set("block", x)
    assert now() == "550"
    permit = policy("ext/permittedsenders", domain("shop.test"))
    assert now() == "ski", "the account's permit beats the user's block"
    policy(BLOCKS, domain("shop.test"), option="block_sender")
    assert now() == "550", "the account's block beats its permit"
    policy(BLOCKS, address(x), option="no_action")
    assert now() == "ski", "an exemption of the address beats the block of the domain"
    assert front.explain(x, to, spf="pass", spfDomain="shop.test")["winners"]["permitted_senders"]["id"] == permit


def test_why_it_was_stopped_stands_in_the_list_itself(front, ann, policy):
    """What is held, what was refused, and the digest: each row names the cause and the policy."""
    policy("ext/spam-policies", domain("shop.test"), description="Spam of shops")
    hold(front, ann.address, "x@shop.test")
    (row,) = ann.held()
    assert (row["policyInfo"], row["reasonCode"]) == (
        "Spam of shops", "message_hold_applied_spam_signature_policy",
    )  # fmt: skip
    assert row["reason"] == "Message Hold Applied - Spam Signature policy"
    assert "Spam of shops" in front.run("hold", "list", "--to", ann.address)
    front.client.call("ext/send-digest", {"to": ann.address})
    digest = message_from_bytes(takes(front, "1 message is held for you"))
    assert "Spam of shops" in digest.get_payload(0).get_payload(decode=True).decode()
    (found,) = front.client.call("message-finder/search", {"advancedTrackAndTraceOptions": {"to": ann.address}})
    assert [one["status"] for one in found["trackedEmails"]] == ["held"]


@pytest.mark.parametrize("kind", ["policy", "account's group", "personal", "whom one wrote to"])
def test_an_allow_does_not_admit_forgeries(front, ann, policy, kind):
    x, to = "x@shop.test", ann.address
    match kind:
        case "policy":
            policy("ext/permittedsenders", address(x))
        case "account's group":
            front.permit_for_all(x)
        case "personal":
            ann.set("permit", x)
        case "whom one wrote to":
            front.found(to, x, source="127.0.0.1")
    assert fate(front, x, to, None, RIGHTLY, SPAM) == "skip"
    assert fate(front, x, to, None, FORGED, SPAM) == "held"
    assert fate(front, "eve@far.test", to, x, FORGED, SPAM) == "held"
    assert fate(front, "eve@far.test", to, f"{x} <eve@far.test>", FORGED, SPAM) == "held"


def test_a_release_reaches_the_inbox_once(front, ann):
    """As it came, to the octet, however many release it at once; and it is not held again."""
    received = "Received: from far.test by mx.corp.test; Fri, 27 Nov 2026 10:00:00 +0000"
    one = hold(front, ann.address, "x@shop.test", received, "X-Odd:  two   blanks ")

    def release(client) -> str:
        try:
            client.call(RELEASE, {"id": one["id"]})
        except ApiError as refused:
            return refused.code
        return "released"

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(release, [front.client, ann.client] * 2))
    assert sorted(done) == ["err_held_message_decided"] * 3 + ["released"]
    arrived = takes(front, "a test's")
    own = f"{received}\nX-Odd:  two   blanks \n\nHello.\n".encode()
    assert arrived.endswith(b"\nX-Engine: add header\n" + own)
    nothing_more(front, one["decisionId"])
    assert ann.held() == []
    assert fate(front, "x@shop.test", ann.address, None, None, SPAM) == "held", "the next one is decided as ever"


def test_a_user_asks_for_a_release_and_a_moderator_approves(front, ann, policy):
    policy("ext/antispoofing", INTERNAL, option="hold")
    assert fate(front, "boss@corp.test", ann.address, None, SPOOFED) == "held"
    (one,) = ann.held()
    with pytest.raises(ApiError) as refused:
        ann.client.call(RELEASE, {"id": one["id"]})
    assert refused.value.code == "err_held_message_moderated"
    ann.client.call("ext/ask-held-release", {"id": one["id"], "reason": "from my bank"})
    (asked,) = front.client.call(HELD, {"admin": True, "asked": True})
    assert (asked["id"], asked["askedBy"], asked["askedWhy"]) == (one["id"], ann.address, "from my bank")
    assert list((Path(front.live.maildir) / "new").iterdir()) == [], "asking releases nothing"
    front.client.call(RELEASE, {"id": one["id"]})
    takes(front, "a test's")
    nothing_more(front, one["decisionId"])
    assert list(front.client.call(HELD, {"admin": True, "asked": True})) == []


def test_the_table_of_complaints_has_these_tests():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "complaints.md").read_text("utf-8")
    here = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`(test_[^`]+)` \|", page)) == here - {"test_the_table_of_complaints_has_these_tests"}
