"""Which records are found, in which order; and what is shown of one."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from mailreeve.families.machinery import latest
from mailreeve.families.registry import ENDPOINTS
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State, Won
from mailreeve.families.tracking.terms import message_term, terms_of
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.store.keys import least_key, made_at, new_key
from mailreeve.wire.errors import ItemRefused

FIND, GET = "ext/find-mail-records", "ext/get-mail-record"
SENDERS = ("Ann@Out.test", "bob@out.test", "eve@bad.test", "")
RECIPIENTS = ("u@corp.test", "v@corp.test", "w@old.test")
STATES = (State.REJECTED, State.DEFERRED, State.DELIVERED)
SOURCES = ("192.0.2.1", "2001:db8::1")


def decision_id(number: int) -> str:
    return b32encode(number.to_bytes(10)).decode().lower()


def record(account_id: str, number: int = 0, **more: object) -> Outcome:
    known: dict[str, object] = {
        "account_id": account_id,
        "decision_id": decision_id(number),
        "at": datetime.now(UTC).timestamp(),
        "source_ip": SOURCES[0],
        "sender": "ann@out.test",
        "effective_sender": "ann@out.test",
        "recipient": "u@corp.test",
        "effective_recipient": "u@corp.test",
        "header_from": None,
        "subject": "",
        "message_id": "",
        "size": 0,
        "state": State.REJECTED,
        "stage": Stage.RCPT,
        "layer": "default",
        "reply": f"550 5.7.1 No [{decision_id(number)}]",
        "policy_id": "",
        "description": "",
        "revision": 1,
        "spam_checks": SpamChecks.RUN,
    }
    known |= more
    if "sender" in more and "effective_sender" not in more:
        known["effective_sender"] = more["sender"]
    if "recipient" in more and "effective_recipient" not in more:
        known["effective_recipient"] = more["recipient"]
    return Outcome(**known)


def keep(account, *outcomes: Outcome) -> None:
    account.write(lambda work: rows.add(work, outcomes))


def pages(account, item: dict, size: int, path: str = FIND) -> Iterator[list[dict]]:
    """The pages of a list, forward; and of each but the first, that the page before it is the one shown before."""
    token, shown = None, None
    for _ in range(1_000):
        pagination = {"pageSize": size} | ({} if token is None else {"pageToken": token})
        answer = account.answer(path, item, meta={"pagination": pagination})
        assert answer["fail"] == []
        yield answer["data"]
        told = answer["meta"]["pagination"]
        if shown and "previous" in told:
            back = {"pageSize": size, "pageToken": told["previous"]}
            assert account.answer(path, item, meta={"pagination": back})["data"][-1:] == shown[-1:]
        shown, token = answer["data"], told.get("next")
        if token is None:
            return
    raise AssertionError("the pages never end")


def found(account, item: dict, size: int = 500) -> list[dict]:
    return [row for page in pages(account, item, size) for row in page]


def ids(found_rows: list[dict]) -> list[str]:
    return [row["decisionId"] for row in found_rows]


def is_from(outcome: Outcome, text: str) -> bool:
    names = [outcome.sender, *(str(one.address) for one in outcome.header_from or () if one.address)]
    return _names(names, text)


def _names(addresses: list[str], text: str) -> bool:
    if text == "<>":
        return addresses[0] == ""
    if "@" in text[1:]:
        return text.lower() in [one.lower() for one in addresses]
    return text.removeprefix("@") in [one.rpartition("@")[2].lower() for one in addresses]


NAIVE: dict[str, Callable[[Outcome, str], bool]] = {
    "from": is_from,
    "to": lambda one, text: _names([one.recipient], text),
    "verdict": lambda one, text: one.state.value == text,
    "sourceIp": lambda one, text: one.source_ip == text,
    "messageId": lambda one, text: one.message_id.strip("<>").lower() == text.strip("<>").lower(),
    "queueId": lambda one, text: one.queue_id == text,
    "id": lambda one, text: one.decision_id.startswith(text),
}

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "from": st.sampled_from(["ann@out.test", "out.test", "@bad.test", "<>", "boss@brand.test", "brand.test"]),
        "to": st.sampled_from(["U@corp.test", "corp.test", "@old.test", "nobody@corp.test"]),
        "verdict": st.sampled_from(["rejected", "delivered", "accepted"]),
        "sourceIp": st.sampled_from(SOURCES),
        "messageId": st.sampled_from(["<m0@x.test>", "m1@X.test"]),
        "queueId": st.sampled_from(["QUEUE1"]),
        "id": st.sampled_from([decision_id(2), decision_id(3)[:14], decision_id(0)[:4]]),
    },
)


@st.composite
def some_records(draw: st.DrawFn) -> list[Outcome]:
    number = draw(st.integers(0, 12))
    made = []
    for n in range(number):
        author = draw(st.sampled_from([None, "boss@brand.test", "Ann@out.test"]))
        state = draw(st.sampled_from(STATES))
        made.append(
            record(
                "",
                n,
                sender=draw(st.sampled_from(SENDERS)),
                recipient=draw(st.sampled_from(RECIPIENTS)),
                state=state,
                stage=None if state is State.DELIVERED else Stage.RCPT,
                source_ip=draw(st.sampled_from(SOURCES)),
                message_id=draw(st.sampled_from(["", "<m0@x.test>", "<M1@x.test>"])),
                queue_id=draw(st.sampled_from(["", "QUEUE1"])),
                header_from=None if author is None else (HeaderFrom(parse_address(author)),),
            )
        )
    return made


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_records(), VALUES, st.lists(VALUES, max_size=2), st.booleans(), st.integers(1, 5), st.integers(1, 4))
def test_what_is_found_is_what_a_look_at_every_record_finds(
    services, new_account, monkeypatch_module, made, wanted, excluded, oldest_first, size, looked_at
):
    """Whatever is asked for, of however few keys one page looks at."""
    monkeypatch_module.setattr(latest, "LOOKED_AT", looked_at)
    account = new_account()
    made = [replace(one, account_id=account.id) for one in made]
    for one in made:
        keep(account, one)
    naive = [
        one.decision_id
        for one in made
        if all(NAIVE[name](one, text) for name, text in wanted.items())
        and not any(NAIVE[name](one, text) for item in excluded for name, text in item.items())
    ]
    item = wanted | {"exclude": excluded, "oldestFirst": oldest_first}
    assert ids(found(account, item, size)) == (naive if oldest_first else naive[::-1])


@pytest.fixture
def new_account(services, account):
    return lambda: type(account)(services)


@pytest.fixture
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_what_comes_later_is_found_after_a_record(account):
    keep(account, record(account.id, 1), record(account.id, 2))
    newest = found(account, {})[0]
    assert found(account, {"after": newest["id"], "oldestFirst": True}) == []
    keep(account, record(account.id, 3), record(account.id, 4, sender="x@else.test"))
    assert ids(found(account, {"after": newest["id"], "oldestFirst": True})) == [decision_id(3), decision_id(4)]
    only = {"after": newest["id"], "from": "else.test"}
    assert ids(found(account, only)) == [decision_id(4)]


def test_since_and_until_are_about_when_it_was_recorded(account):
    keep(account, record(account.id, 1))
    assert ids(found(account, {"since": "1h"})) == [decision_id(1)]
    assert ids(found(account, {"until": "1h"})) == []
    assert ids(found(account, {"since": "2d", "until": "2100-01-01"})) == [decision_id(1)]
    with pytest.raises(ItemRefused, match="since"):
        account.call(FIND, {"since": "1h", "until": "2h"})
    with pytest.raises(ItemRefused, match="until"):
        account.call(FIND, {"until": "yesterday"})


def test_the_least_key_of_a_time_is_less_than_a_key_of_then():
    key = new_key()
    assert least_key(made_at(key)) <= key < least_key(made_at(key) + 0.001)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"from": "a@b@c"}, "from"),
        ({"to": "*.test"}, "to"),
        ({"id": "abc"}, "id"),
        ({"id": "no id at all"}, "id"),
        ({"sourceIp": "300.1.1.1"}, "sourceIp"),
        ({"policyId": "x" * 43}, "policyId"),
        ({"after": "x" * 43}, "after"),
        ({"verdict": "lost"}, "verdict"),
        ({"exclude": [{"to": "u@corp.test"}, {"from": "@"}]}, "exclude[1].from"),
        ({"exclude": [{}] * 21}, "exclude"),
        ({"exclude": [{"to": "u@corp.test", "verdict": "rejected", "id": "abcd"}] * 7}, "exclude"),
    ],
)
def test_bad_criteria_are_named(account, item, field):
    with pytest.raises(ItemRefused) as caught:
        account.call(FIND, item)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_a_decision_is_shown_by_id_beginning_reply_or_message_id(account):
    of = {"message_id": "<1@x.test>", "decision_id": decision_id(5)}
    keep(account, *(record(account.id, recipient=to, **of) for to in ("u@corp.test", "v@corp.test")))
    keep(account, replace(record(account.id, 6), decision_id="zzzz" + decision_id(6)[4:]))
    for text in (decision_id(5), f"550 5.7.1 No [{decision_id(5)}]", f"[{decision_id(5)}]", "aaaa"):
        assert [row["to"] for row in account.call(GET, {"id": text})] == ["u@corp.test", "v@corp.test"]
    assert len(account.call(GET, {"messageId": "1@x.test"})) == 2
    (one,) = found(account, {"to": "v@corp.test"})
    assert [row["to"] for row in account.call(GET, {"id": one["id"]})] == ["v@corp.test"]
    for item in ({"id": decision_id(7)}, {"messageId": "2@x.test"}, {"id": "x" * 43}, {}):
        with pytest.raises(ItemRefused):
            account.call(GET, item)
    keep(account, replace(record(account.id), decision_id="aaaa" + decision_id(6)[:12]))
    with pytest.raises(ItemRefused, match="several"):
        account.call(GET, {"id": "aaaa"})


def test_policies_are_told_by_the_ids_that_their_family_takes(account):
    call = {"sender": "ann@out.test", "to": "u@corp.test", "action": "block"}
    account.call("domain/create-domain", {"domain": "corp.test"})
    account.call("user/create-user", {"emailAddress": "u@corp.test"})
    (entry,) = account.call("managedsender/permit-or-block-sender", call)
    key = account.services.ids.open("managed sender", entry["id"], account.id)
    won = (Won("managed_senders", key, "mine"),)
    keep(account, record(account.id, layer="managed_senders", policy_id=key, description="mine", winners=won))
    (shown,) = account.call(GET, {"id": decision_id(0)})
    assert shown["policy"] == {"type": "managed_senders", "id": entry["id"], "description": "mine"}
    assert shown["winners"] == [shown["policy"]]
    assert ids(found(account, {"policyId": entry["id"]})) == [decision_id(0)]
    # It still is as it was, as far as policies go; when the entry is turned round it is not.
    assert (shown["today"]["verdict"], shown["today"]["differs"]) == ("rejected", False)
    account.call("managedsender/permit-or-block-sender", call | {"action": "permit"})
    (shown,) = account.call(GET, {"id": decision_id(0)})
    assert (shown["verdict"], shown["today"]["verdict"]) == ("rejected", "delivered")
    assert shown["today"]["differs"]
    assert shown["today"]["revision"] > shown["revision"]


def test_what_depends_on_a_header_that_was_not_seen_is_not_told(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    scope = {
        "description": "by header",
        "fromPart": "header_from",
        "from": {"type": "email_domain", "emailDomain": "brand.test"},
        "to": {"type": "internal_addresses"},
    }
    account.call("policy/blockedsenders/create-policy", {"option": "block_sender", "policy": scope})
    author = (HeaderFrom(parse_address("a@brand.test")),)
    keep(account, record(account.id, 1))
    keep(
        account,
        record(account.id, 2, header_from=author),
        record(account.id, 3, header_from=(), header_cut=True),
    )
    (unseen,), (seen,), (cut,) = (account.call(GET, {"id": decision_id(n)}) for n in (1, 2, 3))
    assert unseen["today"]["verdict"] is None
    assert "never seen" in unseen["today"]["undetermined"]
    assert seen["today"]["verdict"] == "rejected"
    assert "beginning" in cut["today"]["undetermined"]


def test_terms_go_with_their_records(account):
    """Whatever holds the header of whom."""
    long_ago = 1_000.0
    header = {"header_from": (HeaderFrom(parse_address("a@brand.test"), "x" * 600),), "message_id": "<1@x.test>"}
    same = {"at": long_ago, "state": State.DELIVERED, "stage": None, **header}
    keep(account, *(record(account.id, n, recipient=f"u{n}@corp.test", **same) for n in range(5)))
    keep(account, record(account.id, 9, at=long_ago, **header))
    now = datetime.now(UTC)
    while account.write(lambda work: rows.forget(work, now, now, 2)):
        pass
    assert found(account, {}) == []
    left = account.write(lambda work: work.execute(select(message_term)).all())
    assert left == []


def test_a_source_refused_at_connect_is_nobody_to_nobody(account):
    nobody = record(account.id, sender="", recipient="", stage=Stage.CONNECT, state=State.DEFERRED)
    assert not [term for term in terms_of(nobody) if term[0] in "ftFT"]
    keep(account, nobody)
    (row,) = found(account, {"sourceIp": SOURCES[0]})
    assert (row["from"], row["to"], row["stage"]) == (None, None, "connect")
    assert found(account, {"from": "<>"}) == []
    (shown,) = account.call(GET, {"id": decision_id(0)})
    assert shown["today"]["verdict"] == "delivered"  # it would be heard out now


def test_a_call_asks_for_few_lists_that_may_take_long():
    """One of these looks at thousands of rows, and a call reads all it asks for in one transaction."""
    most = {one.path: one.most for one in ENDPOINTS}
    for path in (FIND, GET, "message-finder/search", "audit/get-audit-events", "ext/find-audit-events"):
        assert most[path] <= 10
