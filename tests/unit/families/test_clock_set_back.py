"""The clock goes back an hour between two starts of the server: whatever is newest by the order of commits wins
(behaviour.md D-50)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mailreeve.formats.addresses import parse_address
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.model.decisions import Action
from mailreeve.policy.model.facts import MessageFacts, WebFacts
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.store import keys
from mailreeve.store.schema import audit_event
from mailreeve.wire.tokens import Kind

HOUR = timedelta(hours=1)
ANN, BOB = "ann@corp.test", "bob@corp.test"
SENDER = {"type": "individual_email_address", "emailAddress": "x@out.test"}
EVERYONE = {"type": "everyone"}
SCOPE = {"description": "d", "from": SENDER, "to": EVERYONE}


@pytest.fixture
def one(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    for address in (ANN, BOB):
        account.call("user/create-user", {"emailAddress": address})

    def call(path, **item):
        (row,) = account.call(path, item)
        return row

    return call


@pytest.fixture
def set_back(account, monkeypatch):
    """Start again with the clock set back an hour; and again, and again."""
    started = [0]

    def start_again() -> None:
        started[0] += 1
        back = started[0] * HOUR
        real = time.time_ns
        monkeypatch.setattr(keys.time, "time_ns", lambda: real() - HOUR // timedelta(microseconds=1) * 1_000)
        monkeypatch.setattr(keys, "_ticks", keys._Ticks())
        monkeypatch.setattr(account.services.store, "_clock", lambda: datetime.now(UTC) - back)

    return start_again


def decision(account):
    facts = MessageFacts(parse_address("x@out.test"), parse_address(ANN), time.time(), (), source_trusted=True)
    return decide_mail(account.policies(), facts)


def test_the_newer_blocked_sender_policy_wins(account, one, set_back):
    """In either direction: a block after an exemption, and an exemption after that."""
    verdicts = []
    for option in ("no_action", "block_sender", "no_action"):
        one("policy/blockedsenders/create-policy", option=option, policy=SCOPE)
        verdicts.append(decision(account).action)
        set_back()
    assert verdicts == [Action.DELIVER, Action.REJECT, Action.DELIVER]


def test_the_newer_alteration_policy_wins(account, one, set_back):
    path = "policy/address-alteration"
    for name in ("older", "newer", "newest"):
        made = one(f"{path}/create-address-alteration-set", description=name)
        policy = SCOPE | {"description": name}
        one(f"{path}/create-policy", addressAlterationSetId=made["id"], policy=policy)
        assert decision(account).winners[PolicyType.ADDRESS_ALTERATION].description == name
        set_back()


def test_the_newer_definition_wins(account, one, set_back):
    """A definition cannot be changed: it is replaced by a newer one for the same address."""
    for name in ("older", "newer", "newest"):
        altered = {"addressType": "envelope_to", "routing": "all", "originalAddress": ANN}
        altered["newAddress"] = f"{name}@corp.test"
        one("policy/address-alteration/create-definition", addressAlterations=[altered])
        assert decision(account).recipient == f"{name}@corp.test"
        set_back()


def test_the_newer_web_list_wins(account, one, set_back):
    """Of two entries that are equal but for the age of their lists."""
    for name in ("older", "newer", "newest"):
        urls = [{"action": "block", "type": "domain", "value": "x.test"}]
        policies = [{"description": name, "from": EVERYONE, "to": EVERYONE}]
        made = one("policy/webwhiteurl/create-policy-with-targets", description=name, urls=urls, policies=policies)
        found = decide_web(account.policies(), WebFacts("http://x.test/", time.time()))
        assert account.services.ids.seal(Kind.WEB_POLICY, found.policy_id, account.id) == made["id"]
        set_back()


def test_the_personal_entry_that_was_changed_last_stays_where_lists_join(account, one, set_back):
    """Made or changed: what counts is the revision."""
    write = "managedsender/permit-or-block-sender"
    for sender in ("made.test", "changed.test"):
        one(write, sender=sender, to=ANN, action="permit")
    one(write, sender="changed.test", to="desk@corp.test", action="permit")
    set_back()
    one(write, sender="made.test", to="desk@corp.test", action="block")
    one(write, sender="changed.test", to="desk@corp.test", action="block")
    set_back()
    one("user/update-alias", aliasFor=ANN, alias="desk@corp.test")
    held = account.policies().managed.of(ANN).entries
    assert {sender: entry.action for sender, entry in held.items()} == {
        "made.test": "block",
        "changed.test": "block",
    }


def test_keys_and_the_audit_log_are_in_the_order_of_commits(account, one, set_back):
    """Whoever pages through a list finds what was made last at its end, and so it is with the log."""
    made = []
    for number in range(4):
        made.append(one("directory/create-group", description=f"no. {number}")["id"])
        set_back()
    (listed,) = account.call("directory/find-groups", {})
    assert [folder["id"] for folder in listed["folders"]] == made
    query = select(audit_event.c.revision).where(audit_event.c.account_id == account.id).order_by(audit_event.c.id)
    revisions = account.services.store.read(account.id, lambda work: list(work.execute(query).scalars()))
    assert len(revisions) > 4
    assert revisions == sorted(revisions)
