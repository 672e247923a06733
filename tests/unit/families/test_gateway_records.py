"""Which mail was refused, which is on its way, and what message-finder says of every state (D-36)."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.access.caller import Caller
from mailreeve.access.permissions import Permission
from mailreeve.families.directory.users import rows as users
from mailreeve.families.machinery.copies import Copy, KeptCopy, Routed
from mailreeve.families.outgoing import rows as outgoing
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP, Outcome, State, Won
from mailreeve.formats.addresses import parse_address, parse_sender
from mailreeve.formats.message import Content
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.wire.errors import ItemRefused, RequestRefused

REJECTIONS = "gateway/get-rejections"
PROCESSING = "gateway/find-processing-messages"
SEARCH, INFO = "message-finder/search", "message-finder/get-message-info"
LOG = "ext/find-mail-records"
REPLY = "550 5.7.1 Envelope blocked - User Entry"


def decision_id(number: int) -> str:
    return b32encode(number.to_bytes(10)).decode().lower()


class Corp:
    """An account with users, and records of mail to them."""

    def __init__(self, account) -> None:
        self.account = account
        self.admin = account.caller
        account.call("domain/create-domain", {"domain": "corp.test"})
        people = ("ann", "bob")
        account.call("user/create-user", *({"emailAddress": f"{n}@corp.test", "name": n} for n in people))
        account.call("user/update-alias", {"aliasFor": "ann@corp.test", "alias": "boss@corp.test"})
        self.number = 0

    def keep(self, state: State, to: str = "ann@corp.test", sender: str = "x@out.test", **more: object) -> None:
        self.number += 1
        refused = state in (State.REJECTED, State.DEFERRED)
        code = "550 5.7.1 Envelope blocked" if state is State.REJECTED else "451 4.3.0 Later"
        known = {
            "account_id": self.account.id, "decision_id": decision_id(self.number),
            "at": datetime.now(UTC).timestamp(), "source_ip": "192.0.2.1", "sender": sender,
            "effective_sender": sender, "recipient": to, "effective_recipient": to, "header_from": None,
            "subject": "", "message_id": "", "size": 0, "state": state, "stage": Stage.RCPT if refused else None,
            "layer": "managed_senders" if refused else "default",
            "reply": f"{code} [{decision_id(self.number)}]" if refused else "", "policy_id": "", "description": "",
            "revision": 1, "spam_checks": SpamChecks.RUN,
        }  # fmt: skip
        user = self.account.policies().identities.user(parse_address(to)) if to else None
        known["owner"] = "" if user is None else user.id  # as doors have it
        outcome = Outcome(**(known | more))
        self.account.write(lambda work: rows.add(work, [outcome]))

    def user(self, name: str, *permissions: Permission) -> None:
        """Call as this user from now on."""

        def find(work):
            return users.find_by_address(work, f"{name}@corp.test").id

        id_ = self.account.services.store.read(self.account.id, find)
        self.account.caller = Caller(
            self.account.id, f"{name}@corp.test", "app", frozenset(permissions), id_, in_person=True
        )

    def rejected(self, **item: object) -> list[dict]:
        (answer,) = self.account.call(REJECTIONS, item)
        return answer["rejections"]

    def on_the_way(self, **item: object) -> list[str]:
        (answer,) = self.account.call(PROCESSING, item) or [{"messages": []}]
        return [one["to"][0]["emailAddress"] for one in answer["messages"]]

    def tracked(self, **item: object) -> list[str]:
        (answer,) = self.account.call(SEARCH, {"advancedTrackAndTraceOptions": {}, **item}) or [
            {"trackedEmails": []}
        ]
        return [one["status"] for one in answer["trackedEmails"]]


@pytest.fixture
def corp(account) -> Corp:
    return Corp(account)


def test_complaint_13_which_rule_stopped_my_mail(corp):
    """Behaviour.md section 11. The rule is named, with who is asked for it, and what the sender was told."""
    corp.keep(State.REJECTED, description="personal block of x@out.test by ann@corp.test", subject="Offer")
    corp.keep(State.DELIVERED)
    (one,) = corp.rejected(admin=True)
    assert one["type"] == "Managed senders"
    assert one["policyInfo"] == "personal block of x@out.test by ann@corp.test"
    assert one["info"].startswith("550 5.7.1 Envelope blocked [")
    assert (one["fromEnv"], one["to"]["emailAddress"]) == ({"emailAddress": "x@out.test"}, "ann@corp.test")
    assert (one["remoteIp"], one["route"], one["subject"]) == ("192.0.2.1", "inbound", "Offer")


@pytest.mark.parametrize(
    ("name", "value", "to"),
    [
        ("all", "NEXT mail", ["bob@corp.test"]),
        ("all", "198.51.100", ["bob@corp.test"]),
        ("from", "Y@far", ["bob@corp.test"]),
        ("to", "ann@", ["ann@corp.test"]),
        ("type", "managed senders", ["ann@corp.test"]),
        ("info", "user unknown", ["bob@corp.test"]),
        ("remoteIp", "192.0.2.1", ["ann@corp.test"]),
        ("from", "nobody", []),
        ("from", "", ["bob@corp.test", "ann@corp.test"]),
    ],
)
def test_rejections_are_searched_by_what_they_show(corp, name, value, to):
    corp.keep(State.REJECTED)
    corp.keep(
        State.REJECTED, "bob@corp.test", "y@far.test", layer=LAYER_NEXT_HOP, source_ip="198.51.100.7",
        reply="550 5.1.1 User unknown",
    )  # fmt: skip
    found = corp.rejected(admin=True, searchBy={"fieldName": name, "value": value})
    assert [one["to"]["emailAddress"] for one in found] == to


def test_a_user_sees_the_own_rejections_and_those_that_were_opened(corp):
    for to in ("ann@corp.test", "boss+tag@corp.test", "bob@corp.test"):
        corp.keep(State.REJECTED, to)
    corp.keep(State.REJECTED, "", "", stage=Stage.CONNECT)
    item = {"primaryAddress": "bob@corp.test", "delegateAddress": "ann@corp.test", "scopes": ["held"]}
    corp.account.call("user/add-delegate-user", item)
    corp.user("ann")
    assert [one["to"]["emailAddress"] for one in corp.rejected()] == ["boss+tag@corp.test", "ann@corp.test"]
    assert [one["to"]["emailAddress"] for one in corp.rejected(admin=True)] == [
        "boss+tag@corp.test",
        "ann@corp.test",
    ], "`admin` takes an administrator"
    with pytest.raises(ItemRefused, match="User not found"):
        corp.rejected(mailbox="bob@corp.test")
    corp.user("bob")
    assert len(corp.rejected(mailbox="ann@corp.test")) == 2
    corp.user("bob", Permission.MONITORING_REJECTIONS_READ)
    assert len(corp.rejected()) == 1
    assert len(corp.rejected(admin=True)) == 4
    corp.account.caller = corp.admin
    assert len(corp.rejected()) == 4, "an application has no mailbox of its own"
    assert len(corp.rejected(mailbox="boss@corp.test")) == 2


def test_who_gets_the_address_of_somebody_who_left_sees_none_of_the_mail_of_before(corp):
    """It was somebody else's. Administrators see all that came to the address."""
    corp.keep(State.REJECTED, "bob@corp.test")
    corp.account.call("ext/remove-user", {"emailAddress": "bob@corp.test"})
    corp.account.call("user/create-user", {"emailAddress": "bob@corp.test"})
    corp.user("bob")
    assert corp.rejected() == corp.rejected(mailbox="bob@corp.test") == []
    corp.keep(State.REJECTED, "bob@corp.test", subject="New")
    assert [one["subject"] for one in corp.rejected()] == ["New"]
    corp.account.caller = corp.admin
    assert len(corp.rejected(mailbox="bob@corp.test")) == 2


def refused_for(corp, name: str) -> list[str]:
    """The subjects of the rejections that this user sees."""
    corp.user(name)
    found = [one["subject"] for one in corp.rejected()]
    corp.account.caller = corp.admin
    return found


def test_who_gets_an_alias_sees_none_of_the_mail_of_whoever_had_it_who_still_does(corp):
    corp.keep(State.REJECTED, "boss@corp.test", subject="for Ann")
    corp.account.call("user/remove-alias", {"alias": "boss@corp.test"})
    corp.keep(State.REJECTED, "boss@corp.test", subject="for nobody")
    corp.account.call("user/update-alias", {"aliasFor": "bob@corp.test", "alias": "boss@corp.test"})
    corp.keep(State.REJECTED, "Boss+x@corp.test", subject="for Bob")
    assert refused_for(corp, "ann") == ["for Ann"]
    assert refused_for(corp, "bob") == ["for Bob"]
    assert len(corp.rejected(mailbox="boss@corp.test")) == 3, "an administrator sees what reaches the user today"


def test_an_address_with_a_tag_that_was_somebodys_alias_shows_nothing_to_its_user_afterwards(corp):
    corp.account.call("user/update-alias", {"aliasFor": "bob@corp.test", "alias": "ann+team@corp.test"})
    corp.keep(State.REJECTED, "ann+team@corp.test", subject="for Bob")
    corp.account.call("user/remove-alias", {"alias": "ann+team@corp.test"})
    corp.keep(State.REJECTED, "ann+team@corp.test", subject="for Ann")
    assert refused_for(corp, "ann") == ["for Ann"]
    assert refused_for(corp, "bob") == ["for Bob"]


def test_rejections_follow_a_user_who_gets_another_address_and_nobody_who_gets_the_old_one(corp):
    corp.keep(State.REJECTED, "ann@corp.test", subject="first")
    item = {"emailAddress": "ann@corp.test", "newAddress": "anna@corp.test", "keepAsAlias": False}
    corp.account.call("ext/rename-user", item)
    corp.keep(State.REJECTED, "anna@corp.test", subject="second")
    corp.account.call("ext/rename-user", {"emailAddress": "bob@corp.test", "newAddress": "ann@corp.test"})
    corp.keep(State.REJECTED, "ann@corp.test", subject="third")
    assert refused_for(corp, "anna") == ["second", "first"]
    assert refused_for(corp, "ann") == ["third"]


def test_rejections_of_a_time_as_clients_ask_for_them(corp):
    corp.keep(State.REJECTED, "ann@corp.test")
    corp.keep(State.REJECTED, "bob@corp.test")
    assert corp.rejected(admin=True, start="2020-01-01T00:00:00Z", end="2021-01-01T00:00:00Z") == []
    found = corp.rejected(oldestFirst=True, **{"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
    assert [one["to"]["emailAddress"] for one in found] == ["ann@corp.test", "bob@corp.test"]
    answer = corp.account.answer(REJECTIONS, {"admin": True}, meta={"pagination": {"pageSize": 1}})
    token = answer["meta"]["pagination"]["next"]
    second = corp.account.answer(
        REJECTIONS, {"admin": True}, meta={"pagination": {"pageSize": 1, "pageToken": token}}
    )
    assert [one["to"]["emailAddress"] for one in second["data"][0]["rejections"]] == ["ann@corp.test"]


def test_what_was_put_off_is_on_its_way_until_something_came_of_it(corp):
    corp.keep(State.DEFERRED, "ann@corp.test")
    corp.keep(State.DEFERRED, "bob@corp.test")
    corp.keep(State.DEFERRED, "y@else.test", layer="relay")
    corp.keep(State.DEFERRED, "", "", stage=Stage.CONNECT)
    corp.keep(State.DEFERRED, "ann@corp.test", "z@far.test", message_id="1@far.test", stage=Stage.DATA)
    corp.keep(State.REJECTED, "bob@corp.test", "z@far.test")
    assert corp.on_the_way() == ["ann@corp.test", "bob@corp.test", "ann@corp.test"]
    corp.keep(State.DEFERRED, "bob@corp.test")
    assert corp.on_the_way() == ["bob@corp.test", "ann@corp.test", "ann@corp.test"], "the last attempt alone"
    corp.keep(State.DELIVERED, "ANN@corp.test")
    corp.keep(State.DELIVERED, "ann@corp.test", "z@far.test", message_id="2@far.test")
    assert corp.on_the_way(sortOrder="asc") == ["ann@corp.test", "bob@corp.test"]
    corp.keep(State.HELD, "ann@corp.test", "z@far.test", message_id="1@far.test")
    assert corp.on_the_way() == ["bob@corp.test"]
    assert corp.on_the_way(type="bulk_processing") == []


def test_mail_on_its_way_is_searched_and_filtered(corp):
    corp.keep(State.DEFERRED, "ann@corp.test", subject="Lunch")
    corp.keep(State.DEFERRED, "w@out.test", "bob@corp.test")
    search = {"fieldName": "subject", "value": "lunch"}
    assert corp.on_the_way(searchBy=search) == ["ann@corp.test"]
    assert corp.on_the_way(filterBy=[{"attachments": None, "route": "outbound"}]) == ["w@out.test"]
    assert corp.on_the_way(filterBy=[{"route": "all"}]) == ["w@out.test", "ann@corp.test"]
    assert corp.on_the_way(start="2100-01-01T00:00:00Z") == []
    corp.user("ann")
    with pytest.raises(RequestRefused, match="Processing"):
        corp.on_the_way()


def test_every_state_is_found_by_its_status(corp):
    """D-36: ten states."""
    for state in State:
        if state is State.CONNECTION:
            corp.keep(State.DEFERRED, "", "", stage=Stage.CONNECT)
        else:
            corp.keep(state)
    told = {state: corp.tracked(status=[state.value]) for state in State}
    assert told[State.CONNECTION] == ["deferred"]
    assert told[State.DEFERRED] == ["deferred", "deferred"]
    for state in (State.REJECTED, State.HELD, State.BOUNCED, State.EXPIRED):
        assert told[state] == [state.value]
    assert told[State.RELEASED] == ["accepted"]
    assert told[State.ACCEPTED] == told[State.DELIVERED] == ["accepted"] * 3
    assert sorted(told[State.ARCHIVED]) == ["accepted"] * 3 + ["archived"]
    assert corp.tracked(status=["processing", "bulk_delivery", "system"]) == []
    assert len(corp.tracked(status=["all"])) == len(State)
    for state in State:
        assert len(corp.account.call(LOG, {"verdict": state.value})) == (2 if state is State.DEFERRED else 1)


def test_statuses_and_routes_narrow_together(corp):
    corp.keep(State.REJECTED)
    corp.keep(State.HELD)
    corp.keep(State.HELD, "w@out.test", "ann@corp.test")
    assert corp.tracked(status=["held", "rejected"], route=["inbound"]) == ["held", "rejected"]
    assert corp.tracked(status="held", route="outbound") == ["held"]
    assert corp.tracked(status=["held", "connection"], route=["internal"]) == []


def test_a_message_deferred_first_and_taken_later_shows_all_its_entries(corp):
    """C-1466."""
    message = {"message_id": "1@out.test", "stage": Stage.DATA}
    corp.keep(State.DEFERRED, **message)
    corp.keep(State.DEFERRED, **message)
    corp.keep(State.DELIVERED, message_id="1@out.test")
    (answer,) = corp.account.call(SEARCH, {"messageId": "<1@out.test>"})
    assert [one["status"] for one in answer["trackedEmails"]] == ["accepted", "deferred", "deferred"]
    assert len({one["id"] for one in answer["trackedEmails"]}) == 3


def info(corp) -> dict:
    (answer,) = corp.account.call(SEARCH, {"advancedTrackAndTraceOptions": {}})
    (found,) = corp.account.call(INFO, {"id": answer["trackedEmails"][0]["id"]})
    return found


@pytest.mark.parametrize("state", [State.REJECTED, State.HELD, State.EXPIRED, State.BOUNCED, State.DELIVERED])
def test_what_is_known_says_which_policies_applied_whatever_became_of_it(corp, state):
    won = (Won("blocked_senders", "p", "No bad mail"), Won("a later type", "q", "New"))
    corp.keep(state, layer="blocked_senders", winners=won, description="No bad mail")
    found = info(corp)
    applied = [("Blocked Senders", "No bad mail"), ("A Later Type", "New")]
    assert [(one["policyType"], one["policyName"]) for one in found["policyInfo"]] == applied
    assert ("deliveredMessage" in found) is (state is State.DELIVERED)
    if state is State.DELIVERED:
        (delivered,) = found["deliveredMessage"].values()
        assert delivered["policyInfo"] == found["policyInfo"]
    elif state is not State.REJECTED:
        told = found["recipientInfo"]["recipientMetaInfo"]["receiptEvent"]
        assert told == f"{state.value.capitalize()}: No bad mail"


@pytest.mark.parametrize(
    ("winners", "more", "permitted", "managed"),
    [
        ((), {}, "none", "none"),
        (("permitted_senders",), {"spam_checks": SpamChecks.SKIP}, "whitelist", "none"),
        (("permitted_senders", "blocked_senders"), {"layer": "blocked_senders", "state": State.REJECTED},
         "ignored", "none"),
        (("managed_senders",), {"spam_checks": SpamChecks.SKIP, "layer": "managed_senders"}, "none", "whitelist"),
        (("managed_senders",), {"layer": "managed_senders", "state": State.REJECTED}, "none", "none"),
    ],
)  # fmt: skip
def test_spam_info_says_which_permit_counted(corp, winners, more, permitted, managed):
    known = {"state": State.DELIVERED, "winners": tuple(Won(one, "p", one) for one in winners), **more}
    corp.keep(known.pop("state"), **known)
    told = info(corp)["spamInfo"]["spamProcessingDetail"]
    assert (told["permittedSender"]["info"], told["managedSender"]["info"]) == (permitted, managed)
    assert told["permittedSender"]["allow"] is (permitted == "whitelist")


def wait(corp, to: str, decision: str, origin: str = "release", sender: str = "x@out.test") -> None:
    """A copy that waits to be handed on."""
    address = parse_address(to)
    copy = Copy(
        corp.account.id, decision, parse_sender(sender), (Routed(address, address),), Content(b"A: b\r\n\r\nc\r\n")
    )
    corp.account.write(lambda work: outgoing.add(work, [KeptCopy(copy, "")], origin))


def on_the_way(corp, **item: object) -> list[dict]:
    (answer,) = corp.account.call(PROCESSING, item) or [{"messages": []}]
    return answer["messages"]


def test_copies_that_wait_here_are_on_their_way(corp):
    """What was released and is not taken by the next hop, with what it said; and what was written here."""
    corp.keep(State.HELD, "ann@corp.test", subject="Offer")
    wait(corp, "ann@corp.test", decision_id(corp.number))
    corp.keep(State.DEFERRED, "bob@corp.test")
    wait(corp, "bob@corp.test", "digest", "digest", "")
    digest, deferred, released = on_the_way(corp)
    assert [one["to"][0]["emailAddress"] for one in (digest, deferred, released)] == [
        "bob@corp.test", "bob@corp.test", "ann@corp.test",
    ]  # fmt: skip
    assert (released["subject"], released["origin"], released["attempts"]) == ("Offer", "release", 0)
    assert (released["info"], released["remoteIp"]) == ("Waits to be handed on", "192.0.2.1")
    assert "origin" not in deferred
    assert (digest["subject"], digest["origin"], digest["route"]) == ("", "digest", "inbound")
    # What its record says is found by its id.
    assert corp.account.call(INFO, {"id": released["id"]})[0]["status"] == "held"
    (one,) = corp.account.write(lambda work: outgoing.due(work, 1))
    corp.account.write(lambda work: outgoing.begin(work, one.key, datetime.now(UTC) + timedelta(minutes=1)))
    corp.account.write(lambda work: outgoing.put_off(work, one.key, "451 4.7.1 Greylisted"))
    (found,) = on_the_way(corp, searchBy={"fieldName": "info", "value": "greylisted"})
    assert (found["attempts"], found["info"]) == (1, "451 4.7.1 Greylisted")
    assert on_the_way(corp, filterBy=[{"route": "outbound"}]) == []
    corp.account.write(lambda work: outgoing.remove(work, one.key))
    assert len(on_the_way(corp)) == 2


def test_both_kinds_of_mail_on_its_way_are_paged_together(corp):
    for number in range(4):
        corp.keep(State.DEFERRED, f"a{number}@corp.test", f"x{number}@out.test")
        wait(corp, f"b{number}@corp.test", f"none{number}")
    seen, token = [], None
    while True:
        paging = {"pageSize": 3} | ({"pageToken": token} if token else {})
        answer = corp.account.answer(PROCESSING, {}, meta={"pagination": paging})
        seen += [one["to"][0]["emailAddress"][:2] for one in answer["data"][0]["messages"]]
        token = answer["meta"]["pagination"].get("next")
        if token is None:
            break
    assert seen == ["b3", "a3", "b2", "a2", "b1", "a1", "b0", "a0"]
    assert [one["to"][0]["emailAddress"][:2] for one in on_the_way(corp, sortOrder="asc")] == seen[::-1]


def test_what_is_archived_is_kept_as_the_archive_is(corp):
    """And for good while it is under legal hold. Of what is not, the record is all there is."""
    corp.keep(State.REJECTED, "ann@corp.test")
    found = info(corp)["retentionInfo"]
    assert (found["isArchived"], found["retentionAdjustmentDays"], found["litigationHoldInfo"]) == (False, 7, [])
    corp.keep(State.DELIVERED, "bob@corp.test")
    assert info(corp)["retentionInfo"]["retentionAdjustmentDays"] == 30
    corp.keep(State.DELIVERED, "ann@corp.test", decision_id="a" * 16)
    id_ = corp.account.archive("Kept", "ann@corp.test")
    corp.account.call("ext/set-archive-retention", {"days": 400})
    found = info(corp)["retentionInfo"]
    assert (found["isArchived"], found["retentionAdjustmentDays"]) == (True, 400)
    ends = datetime.fromisoformat(found["currentPurgeDate"])
    assert timedelta(days=399) < ends - datetime.now(UTC) <= timedelta(days=400)
    corp.account.call("ext/set-legal-hold", {"id": id_, "legalHold": True})
    found = info(corp)["retentionInfo"]
    assert (found["currentPurgeDate"], found["litigationHoldInfo"]) == ("", ["Legal hold"])
    corp.account.call("ext/set-legal-hold", {"id": id_, "legalHold": False})
    corp.account.call("ext/set-archive-retention", {"days": 0})
    assert info(corp)["retentionInfo"]["currentPurgeDate"] == ""


def test_a_delegate_sees_rejections_of_all_mailboxes_together_but_no_private_ones(corp):
    corp.account.call(
        "user/add-delegate-user",
        {"primaryAddress": "bob@corp.test", "delegateAddress": "ann@corp.test", "scopes": ["held"]},
    )
    corp.keep(State.REJECTED, "ann@corp.test", subject="Ann's")
    corp.keep(State.REJECTED, "ann@corp.test", subject="Private", is_private=True)
    corp.keep(State.REJECTED, "bob@corp.test", subject="Bob's", is_private=True)
    corp.user("bob")
    assert [one["subject"] for one in corp.rejected()] == ["Bob's"]
    assert [one["subject"] for one in corp.rejected(includeDelegates=True)] == ["Bob's", "Ann's"]
    assert [one["subject"] for one in corp.rejected(mailbox="ann@corp.test")] == ["Ann's"]
    corp.user("ann")
    assert [one["subject"] for one in corp.rejected(includeDelegates=True)] == ["Private", "Ann's"]
