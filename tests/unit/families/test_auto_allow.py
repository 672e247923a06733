"""Entries that come by themselves: when, for how long, how many, and what they never touch (behaviour.md 4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.keeping.kept import Kept
from mailreeve.families.managed_senders.auto_allow import KEPT_FOR, AutoAllowLimits, Correspondence, EndedEntries
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.families.tracking.record_budget import RecordBudget
from mailreeve.formats.addresses import parse_address
from mailreeve.policy.model.decisions import SpamChecks
from mailreeve.store.schema import audit_event
from mailreeve.wire.errors import ItemRefused

ANN = "ann@corp.test"
SET = "managedsender/permit-or-block-sender"
LIST = "ext/get-managed-senders"
REMOVE = "ext/remove-managed-sender"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Mail:
    """An account's outbound mail, as a door reports it, at a time of the test's choosing."""

    def __init__(self, account, **limits: object) -> None:
        self.account = account
        account.call("domain/create-domain", {"domain": "corp.test"})
        account.call("user/create-user", {"emailAddress": ANN, "name": "Ann"})
        self.limit(**limits)
        self.at(NOW)

    def limit(self, **limits: object) -> None:
        self.keeper = MessageKeeper(
            self.account.services.store, RecordBudget(()), auto_allow=AutoAllowLimits(**limits)
        )

    def at(self, moment: datetime) -> None:
        self.now = moment
        self.account.services.store._clock = lambda: moment

    def outcome(self, recipient: str, state: State, message_id: str = "") -> Outcome:
        return Outcome(
            account_id=self.account.id, decision_id="id", at=self.now.timestamp(), source_ip="", sender=ANN,
            effective_sender=ANN, recipient=recipient, effective_recipient=recipient, header_from=(), subject="",
            message_id=message_id, size=1, state=state, stage=None, layer="default", reply="", policy_id="",
            description="", revision=1, spam_checks=SpamChecks.RUN,
        )  # fmt: skip

    def send(
        self, *to: str, state: State = State.DELIVERED, answers: tuple[str, ...] = (), signed_in: str = ""
    ) -> None:
        """Ann writes to these, or somebody who is signed in under another name writes as Ann."""
        addresses = tuple(map(parse_address, to))
        outcomes = [self.outcome(str(one), state) for one in addresses]
        wrote = Correspondence(self.account.id, ANN, addresses, answers, signed_in)
        assert self.keeper.record([Kept(outcomes, correspondence=wrote)]) == [None]

    def listed(self, **which: object) -> list[tuple[str, str]]:
        return [(row["sender"], row["type"]) for row in self.account.call(LIST, {"to": ANN, **which})]

    def spared(self, sender: str) -> bool:
        """Whether the next message from there skips spam checks, says the explanation."""
        (told,) = self.account.call("ext/explain-message", {"from": sender, "to": ANN, "at": self.now.isoformat()})
        return told["verdict"] == "deliver" and told["spamChecks"] == "skip"

    def revision(self) -> int:
        return self.account.policies().revision


@pytest.fixture
def mail(account) -> Mail:
    return Mail(account)


def test_whom_a_user_wrote_to_is_permitted_on_the_next_message_for_120_days(mail):
    """Vector 34 is the other side of it."""
    assert not mail.spared("c@c.test")
    mail.send("C@c.test")
    assert mail.spared("c@c.test")
    assert mail.listed() == [("C@c.test", "Auto")]
    (row,) = mail.account.call(LIST, {"to": ANN})
    assert (row["setBy"], row["expires"]) == ("auto allow", "2026-09-29T12:00:00+0000")
    mail.at(NOW + KEPT_FOR - timedelta(seconds=1))
    assert mail.spared("c@c.test")
    mail.at(NOW + KEPT_FOR)
    assert not mail.spared("c@c.test")


def test_an_explanation_and_replay_name_the_entry(mail):
    mail.send("c@c.test")
    (told,) = mail.account.call("ext/explain-message", {"from": "c@c.test", "to": ANN, "at": NOW.isoformat()})
    winner = told["winners"]["managed_senders"]
    assert winner["description"] == f"auto allow of c@c.test by {ANN} until 2026-09-29 12:00 UTC"
    assert winner["id"] == mail.account.call(LIST, {"to": ANN})[0]["id"]


def test_it_is_renewed_at_most_once_a_day_so_that_a_frequent_correspondent_costs_nothing(mail):
    mail.send("c@c.test")
    first = mail.revision()
    mail.at(NOW + DAY - timedelta(seconds=1))
    mail.send("c@c.test")
    assert mail.revision() == first
    mail.at(NOW + DAY)
    mail.send("c@c.test")
    assert mail.revision() == first + 1
    mail.at(NOW + KEPT_FOR + DAY - timedelta(seconds=1))
    assert mail.spared("c@c.test")


@pytest.mark.parametrize("state", [State.REJECTED, State.DEFERRED, State.HELD])
def test_a_message_that_was_not_taken_permits_nobody(mail, state):
    mail.send("c@c.test", state=state)
    assert mail.listed() == []


def test_what_the_user_said_stays_and_beats_it(mail):
    """D-15, and one entry for a recipient and a sender (D-19)."""
    (block,) = mail.account.call(SET, {"sender": "c@c.test", "to": ANN, "action": "block"})
    mail.account.call(SET, {"sender": "d.test", "to": ANN, "action": "block"})
    mail.send("c@c.test", "x@d.test")
    assert mail.listed() == [("c@c.test", "Block"), ("d.test", "Block"), ("x@d.test", "Auto")]
    for sender in ("c@c.test", "x@d.test"):
        (told,) = mail.account.call("ext/explain-message", {"from": sender, "to": ANN, "at": NOW.isoformat()})
        assert (told["verdict"], told["layer"]) == ("reject", "managed_senders")
    assert mail.account.call(LIST, {"to": ANN, "type": "block"})[0]["id"] == block["id"]


def test_what_the_user_says_later_takes_its_place(mail):
    mail.send("c@c.test")
    (auto,) = mail.account.call(LIST, {"to": ANN})
    (made,) = mail.account.call(SET, {"sender": "c@c.test", "to": ANN, "action": "permit"})
    assert (made["id"], made["type"]) == (auto["id"], "Permit")
    assert "expires" not in made
    mail.send("c@c.test")
    assert mail.listed() == [("c@c.test", "Permit")]


def test_a_word_that_has_ended_gives_way(mail):
    until = (NOW + DAY).isoformat()
    mail.account.call(SET, {"sender": "c@c.test", "to": ANN, "action": "block", "expires": until})
    mail.send("c@c.test")
    assert mail.listed() == [("c@c.test", "Block")]
    mail.at(NOW + DAY)
    mail.send("c@c.test")
    assert mail.listed() == [("c@c.test", "Auto")]


def test_lists_tell_it_from_permits_and_it_can_be_removed(mail):
    mail.account.call(SET, {"sender": "p@p.test", "to": ANN, "action": "permit"})
    mail.send("c@c.test", "d@d.test")
    assert mail.listed(type="auto") == [("c@c.test", "Auto"), ("d@d.test", "Auto")]
    assert mail.listed(type="permit") == [("p@p.test", "Permit")]
    mail.account.call(REMOVE, {"to": ANN, "sender": "c@c.test"})
    (left,) = mail.account.call(LIST, {"to": ANN, "type": "auto"})
    assert mail.account.call(REMOVE, {"id": left["id"]})[0]["type"] == "Auto"
    assert not mail.spared("c@c.test")


def test_exports_hold_what_people_said(mail):
    """What was taken in again would be somebody's word, for good."""
    mail.account.call(SET, {"sender": "p@p.test", "to": ANN, "action": "permit"})
    mail.send("c@c.test")
    assert [row["sender"] for row in mail.account.call("ext/export-senders", {})] == ["p@p.test"]


def test_vector_35_a_reply_to_what_was_held_permits_nobody_new(mail):
    held = mail.outcome(ANN, State.HELD, "spam-1@evil.test")
    mail.keeper.record([Kept([held])])
    mail.send("c@c.test")
    mail.at(NOW + DAY)
    mail.send("x@evil.test", "c@c.test", answers=("other@x.test", "SPAM-1@evil.test"))
    assert mail.listed() == [("c@c.test", "Auto")]
    assert mail.account.call(LIST, {"to": ANN})[0]["expires"] == "2026-09-30T12:00:00+0000", "but renews"
    mail.send("x@evil.test", answers=("other@x.test",))
    assert mail.listed() == [("c@c.test", "Auto"), ("x@evil.test", "Auto")]


def test_a_message_to_many_is_a_mailing(account):
    mail = Mail(account, recipients=2)
    mail.send("a@a.test", "b@b.test", "c@c.test")
    assert mail.listed() == []
    mail.send("a@a.test", "b@b.test")
    assert len(mail.listed()) == 2


def test_a_user_gets_so_many_new_ones_in_a_day(account):
    mail = Mail(account, per_day=2)
    for name in "abcd":
        mail.send(f"{name}@x.test")
    assert mail.listed() == [("a@x.test", "Auto"), ("b@x.test", "Auto")]


def test_of_a_full_list_the_one_renewed_longest_ago_goes_and_no_word_of_the_users(account):
    mail = Mail(account, per_user=2, full=3)
    mail.account.call(SET, {"sender": "p@p.test", "to": ANN, "action": "permit"})
    for days, name in enumerate("ab"):
        mail.at(NOW + days * DAY)
        mail.send(f"{name}@x.test")
    mail.at(NOW + 2 * DAY)
    mail.send("a@x.test")
    mail.send("c@x.test")
    assert mail.listed() == [("p@p.test", "Permit"), ("a@x.test", "Auto"), ("c@x.test", "Auto")]
    for name in ("q", "r"):
        mail.account.call(SET, {"sender": f"{name}@p.test", "to": ANN, "action": "permit"})
    mail.send("d@x.test")
    assert [kind for _, kind in mail.listed()].count("Permit") == 3


def test_a_full_list_drops_one_for_a_word_of_the_users(account):
    """D-19: automatic entries are evicted, the longest ago first."""
    mail = Mail(account)
    account.services = replace(
        account.services, limits=replace(account.services.limits, managed_senders_per_user=2)
    )
    mail.send("a@x.test")
    mail.at(NOW + DAY)
    mail.send("b@x.test")
    mail.account.call(SET, {"sender": "p@p.test", "to": ANN, "action": "block"})
    assert mail.listed() == [("b@x.test", "Auto"), ("p@p.test", "Block")]
    mail.account.call(SET, {"sender": "q@p.test", "to": ANN, "action": "block"})
    with pytest.raises(ItemRefused):
        mail.account.call(SET, {"sender": "r@p.test", "to": ANN, "action": "block"})


def test_it_can_be_switched_off(account):
    mail = Mail(account, enabled=False)
    mail.send("c@c.test")
    assert mail.listed() == []


def test_what_has_ended_goes_by_itself_and_leaves_no_finding(mail):
    mail.send("c@c.test")
    mail.account.call(SET, {"sender": "p@p.test", "to": ANN, "action": "permit"})
    ended = EndedEntries(mail.account.services.store)
    assert ended.forget() == 0
    mail.at(NOW + KEPT_FOR)
    findings = mail.account.call("ext/lint-policies", {})
    assert not [one for one in findings if one.get("kind") == "expired"]
    assert ended.forget() == 1
    assert mail.listed() == [("p@p.test", "Permit")]
    assert [entry.sender for entry in mail.account.policies().managed.entries] == ["p@p.test"]


def test_it_is_no_event_of_the_audit_log(mail):
    """The record of the message is; a line for each would bury what people did."""
    before = mail.account.write(lambda work: len(work.execute(audit_event.select()).all()))
    mail.send("c@c.test")
    assert mail.account.write(lambda work: len(work.execute(audit_event.select()).all())) == before


def test_another_account_sees_nothing_of_it(mail, other_account):
    mail.send("c@c.test")
    assert json.dumps(other_account.call(LIST, {})) == "[]"


def test_one_message_that_cannot_be_kept_keeps_no_others_entries_from_being_made(mail):
    """What cannot be written is not written, whole: its record and its entry."""
    good = Correspondence(mail.account.id, ANN, (parse_address("c@c.test"),))
    lost = Correspondence(mail.account.id, ANN, (parse_address("d@d.test"),))
    unwritable = replace(mail.outcome("d@d.test", State.DELIVERED), at=1e30)
    kept = [
        Kept([unwritable], correspondence=lost),
        Kept([mail.outcome("c@c.test", State.DELIVERED)], correspondence=good),
    ]
    told = mail.keeper.record(kept)
    assert told[0] is not None
    assert told[1] is None
    assert mail.listed() == [("c@c.test", "Auto")]


def reasons(mail: Mail) -> set[str]:
    """What the records say of why nobody was permitted."""
    listed = mail.account.call("ext/find-mail-records", {"since": "2026-01-01T00:00:00+0000"})
    records = [one for page in listed for one in page.get("records", [page])]
    found = [mail.account.call("ext/get-mail-record", {"id": one["id"]}) for one in records]
    return {one["notLearnt"] for shown in found for page in shown for one in page.get("records", [page])}


def test_who_writes_in_the_name_of_another_teaches_that_list_nothing_and_the_record_says_why(mail):
    mail.account.call("user/create-user", {"emailAddress": "bob@corp.test", "name": "Bob"})
    for name in ("bob@corp.test", "stranger@corp.test", "x@other.test", "bob", "nobody", "?"):
        mail.send("c@c.test", signed_in=name)
        assert mail.listed() == []
        assert f"{name} is signed in, who may not send as {ANN}" in reasons(mail)
    assert not mail.spared("c@c.test")


def test_who_has_the_right_to_send_as_a_user_teaches_that_users_list_until_the_right_ends(mail):
    mail.account.call("user/create-user", {"emailAddress": "bob@corp.test", "name": "Bob"})
    right = {"primaryAddress": "bob@corp.test", "delegateAddress": ANN}
    mail.account.call("user/add-delegate-user", right)
    mail.send("a@c.test", signed_in="bob@corp.test")
    assert mail.listed() == []  # a right opens all but sending where nothing is said (D-34)
    until = "2026-06-02T00:00:00+0000"
    mail.account.call("user/add-delegate-user", {**right, "scopes": ["send"], "expires": until})
    mail.send("a@c.test", signed_in="bob@corp.test")
    mail.send("b@c.test", signed_in="Bob")
    assert [sender for sender, _ in mail.listed()] == ["a@c.test", "b@c.test"]
    mail.at(NOW + DAY)
    mail.send("d@c.test", signed_in="bob@corp.test")
    assert len(mail.listed()) == 2


def test_a_name_without_a_domain_counts_where_one_user_alone_can_be_meant(mail):
    mail.send("a@c.test", signed_in="ann")
    assert [sender for sender, _ in mail.listed()] == ["a@c.test"]
    mail.account.call("domain/create-domain", {"domain": "second.test"})
    mail.send("b@c.test", signed_in="ann")
    assert len(mail.listed()) == 2
    mail.account.call("user/create-user", {"emailAddress": "ann@second.test", "name": "Another"})
    mail.send("d@c.test", signed_in="ann")
    assert len(mail.listed()) == 2
    assert reasons(mail) == {"", f"ann is signed in, who may not send as {ANN}"}
