"""What the grants of delegates open, over the signed API of a running server (behaviour.md sections 7 and 8).

Ann's mailbox; Rosie stands in for her as each test says; a moderator; a stranger. All call with keys of their own.
"""

from __future__ import annotations

from contextlib import ExitStack, closing

import pytest
from held_copies import TEXT, hold, kept
from tests.wire.test_own_mailbox import LIST, People

from mailreeve.app.folder import Opened
from mailreeve.app.settings import Settings
from mailreeve.client import ApiError
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.tracking.record_budget import RecordBudget

HELD, RELEASE, REJECT = "gateway/get-hold-message-list", "gateway/hold-release", "gateway/hold-reject"
DECIDE, SHOW, ASK = "ext/decide-held-messages", "ext/show-held-message", "ext/ask-held-release"
ARCHIVE = "archive/get-message-list"


class Office(People):
    """People, and mail that is held for them while the server runs."""

    def __init__(self, gate, ending: ExitStack) -> None:
        super().__init__(gate, ending)
        opened = ending.enter_context(closing(Opened(gate.live.data, Settings())))
        self._account_id = opened.account_id(None)
        self._keeper = MessageKeeper(opened.store, RecordBudget(), opened.bodies)
        self.address["moderator"] = gate.recipient()
        gate.client.call("user/create-user", {"emailAddress": self.address["moderator"], "name": "moderator"})
        self.admin = gate.client

    def hold(self, name: str, subject: str, **more: object) -> str:
        """The id of a message that is held for somebody."""
        message = kept(self._account_id, self.address[name], subject=subject, **more)
        hold(self._keeper, message)
        decision = message.outcomes[0].decision_id
        return next(one["id"] for one in self.admin.call(HELD, {"admin": True}) if one["decisionId"] == decision)

    def subjects(self, who: str, **item: object) -> list[str]:
        return [one["subject"] for one in self.client[who].call(HELD, item)]

    def audited(self, id_: str) -> tuple[str, str, str]:
        newest = next(iter(self.admin.call("ext/find-audit-events", {"objectId": id_})))
        return newest["action"], newest["actor"], newest["actingFor"]


@pytest.fixture
def office(gate):
    with ExitStack() as ending:
        yield Office(gate, ending)


def test_a_delegate_lists_reads_releases_and_rejects_held_mail_and_both_names_are_audited(office):
    office.give("rosie", "ann", scopes=["held"])
    ann, rosie = office.address["ann"], office.address["rosie"]
    one, other = office.hold("ann", "Release"), office.hold("ann", "Reject")
    assert office.subjects("rosie", mailbox=ann) == ["Reject", "Release"]
    assert office.subjects("rosie", includeDelegates=True) == ["Reject", "Release"]
    assert office.subjects("rosie") == []
    assert "dots and all" in office.client["rosie"].call(SHOW, {"id": one})[0]["text"]
    office.client["rosie"].call(RELEASE, {"id": one})
    assert office.audited(one) == ("release", rosie, ann)
    office.client["rosie"].call(REJECT, {"ids": [other], "message": "no"})
    assert office.audited(other) == ("reject", rosie, ann)
    assert office.subjects("ann") == []


def test_whom_a_delegate_permits_or_blocks_takes_the_scope_for_lists(office):
    office.give("rosie", "ann", scopes=["held"])
    item = {"action": "reject", "sender": "block"}
    one = office.hold("ann", "Spam")
    (told,) = office.client["rosie"].call(DECIDE, {**item, "ids": [one]})
    assert told["state"] == "held", "the message stays where the sender cannot be blocked in the same step"
    assert office.subjects("ann") == ["Spam"]
    office.give("rosie", "ann", scopes=["held", "lists"])
    (told,) = office.client["rosie"].call(DECIDE, {**item, "ids": [one]})
    assert (told["state"], told["error"]) == ("rejected", "")
    assert office.listed("ann", "ann") == ["bounces@shop.test"]
    entry = office.client["ann"].call(LIST, {"to": office.address["ann"]})[0]["id"]
    assert office.audited(entry)[1:] == (office.address["rosie"], office.address["ann"])


def test_private_and_personal_mail_is_not_there_for_a_delegate(office):
    office.give("rosie", "ann")
    private = office.hold("ann", "Private", text=b"Sensitivity: Private\r\n" + TEXT)
    personal = office.hold("ann", "Personal", text=b"sensitivity: PERSONAL\r\n" + TEXT)
    assert office.subjects("rosie", mailbox=office.address["ann"]) == []
    missing = office.refusal("rosie", RELEASE, id=office.hold("stranger", "Another's"))
    for path, item in (
        (RELEASE, {"id": private}),
        (SHOW, {"id": personal}),
        (ASK, {"id": private, "reason": "x"}),
    ):
        assert office.refusal("rosie", path, **item) == missing
    assert sorted(office.subjects("ann")) == ["Personal", "Private"]


def test_rights_do_not_chain_end_in_time_and_do_not_send_by_themselves(office):
    office.give("stranger", "rosie", scopes=["held"])
    office.give("rosie", "ann", scopes=["held"])
    office.hold("ann", "Ann's")
    ann = office.address["ann"]
    assert office.subjects("stranger", includeDelegates=True) == []
    assert office.refusal("stranger", HELD, mailbox=ann)[:2] == ("err_user_not_found", "mailbox")
    (given,) = office.admin.call("user/find-delegate-users", {"primaryAddress": office.address["rosie"]})
    assert given["delegateUsers"][0]["scopes"] == ["held"]
    holder = {"primaryAddress": office.address["stranger"], "delegateAddress": ann}
    office.admin.call("user/add-delegate-user", holder)
    (given,) = office.admin.call("user/find-delegate-users", {"primaryAddress": office.address["stranger"]})
    assert next(one for one in given["delegateUsers"] if one["delegateAddress"] == ann)["scopes"] == [
        "held", "lists", "archive",
    ]  # fmt: skip
    with pytest.raises(ApiError) as over:
        office.admin.call("user/add-delegate-user", {**holder, "expires": "2020-01-01T00:00:00+0000"})
    assert (over.value.code, over.value.field) == ("err_delegate_over", "expires")


def test_a_user_without_a_right_is_told_the_same_of_every_mailbox(office):
    """There, not there, outside: whatever is asked."""
    there, not_there = office.address["ann"], "nobody-at-all@corp.test"
    held = office.hold("ann", "Ann's")
    for path, field in ((HELD, "mailbox"), ("gateway/get-rejections", "mailbox"), (ARCHIVE, "mailbox")):
        assert office.refusal("stranger", path, **{field: there}) == office.refusal(
            "stranger", path, **{field: not_there}
        )
    sender = {"sender": "x@shop.test", "action": "block"}
    path = "managedsender/permit-or-block-sender"
    assert office.refusal("stranger", path, to=there, **sender) == office.refusal(
        "stranger", path, to=not_there, **sender
    )
    assert office.refusal("stranger", LIST, to=there) == office.refusal("stranger", LIST, to=not_there)
    office.client["ann"].call(RELEASE, {"id": held})
    gone = office.refusal("stranger", RELEASE, id=held)
    assert gone == office.refusal("stranger", RELEASE, id=office.hold("ann", "Another"))
    assert gone[0] == "err_held_message_not_found"


def test_who_may_not_decide_asks_with_a_reason_and_a_moderator_decides(office):
    moderated = office.hold("ann", "Bank", layer="anti_spoofing")
    assert office.refusal("ann", RELEASE, id=moderated)[0] == "err_held_message_moderated"
    office.client["ann"].call(ASK, {"id": moderated, "reason": "it is my bank"})
    (asked,) = [one for one in office.admin.call(HELD, {"admin": True, "asked": True}) if one["id"] == moderated]
    assert (asked["askedBy"], asked["askedWhy"]) == (office.address["ann"], "it is my bank")
    office.give("rosie", "ann", scopes=["held"])
    assert office.refusal("rosie", RELEASE, id=moderated)[0] == "err_held_message_moderated"
    office.admin.call(RELEASE, {"id": moderated})
    action, actor, acting_for = office.audited(moderated)
    assert (action, acting_for) == ("release", office.address["ann"])
    assert actor == office.gate.live.credentials["admin"]
    assert office.refusal("ann", ASK, id=moderated, reason="again")[0] == "err_held_message_decided"


def test_lists_are_exported_and_imported_by_their_user_and_by_a_delegate_with_the_scope(office):
    """The own one, one that was opened, and no other: neither seen nor written, and the refusal names the row."""
    ann, rosie, stranger = (office.address[name] for name in ("ann", "rosie", "stranger"))
    office.set("ann", "block", "offers@shop.test", "ann")
    office.set("rosie", "permit", "pal@far.test", "rosie")
    office.give("rosie", "ann", scopes=["lists"])
    export, import_ = "ext/export-senders", "ext/import-senders"
    assert [row["to"] for row in office.client["rosie"].call(export, {})] == [rosie]
    (row,) = office.client["rosie"].call(export, {"to": ann})
    assert (row["to"], row["sender"]) == (ann, "offers@shop.test")
    rows = [
        {"to": ann, "sender": "x.test", "action": "block"},
        {"to": rosie, "sender": "y.test", "action": "permit"},
    ]
    (told,) = office.client["rosie"].call(import_, {"rows": rows})
    assert (told["added"], told["refusedCount"]) == (2, 0)
    assert office.listed("ann", "ann") == ["offers@shop.test", "x.test"]
    entries = office.client["ann"].call(LIST, {"to": ann})
    assert office.audited(entries[1]["id"])[1:] == (rosie, ann)
    # Again, with what is there already: nothing is changed, and nothing of another list is told.
    assert office.client["rosie"].call(import_, {"rows": rows})[0]["unchanged"] == 2
    not_there = {"to": "nobody-at-all@corp.test", "sender": "x.test", "action": "block"}
    for who in ("rosie", "ann"):
        there = {**not_there, "to": stranger}
        with pytest.raises(ApiError) as refused:
            office.client[who].call(import_, {"rows": [there, not_there]})
        first, second = refused.value.failures
        assert (first.field, second.field) == ("rows[0].to", "rows[1].to")
        assert (first.code, first.message) == (second.code, second.message)
    assert office.refusal("stranger", export, to=ann) == office.refusal("stranger", export, to=not_there["to"])
    assert office.listed("stranger", "stranger") == []
