"""Users, their delegates and a stranger at the API, and the mail that follows (behaviour.md sections 4 and 7).

Everybody calls with keys of their own, signed, and mail goes through the door of the same server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from mailreeve.client import ApiError, Client

SET = "managedsender/permit-or-block-sender"
LIST = "ext/get-managed-senders"
REMOVE = "ext/remove-managed-sender"
ADD = "user/add-delegate-user"
REJECTIONS = "gateway/get-rejections"

SPARED = "delivered, spam checks skip"
DELIVERED = "delivered, spam checks run"


class People:
    """Ann, Rosie and a stranger: users of one account without any role, each with keys."""

    def __init__(self, gate, ending: ExitStack) -> None:
        self.gate = gate
        self.address: dict[str, str] = {}
        self.client: dict[str, Client] = {}
        for name in ("ann", "rosie", "stranger"):
            address = gate.recipient()
            gate.client.call("user/create-user", {"emailAddress": address, "name": name})
            (made,) = gate.client.call("ext/create-key", {"user": address, "name": f"keys of {name}"})
            assert made["role"] == ""
            names = {"app_id": "appId", "app_key": "appKey", "access_key": "accessKey", "secret_key": "secretKey"}
            keys = {ours: made[theirs] for ours, theirs in names.items()}
            self.address[name] = address
            self.client[name] = ending.enter_context(gate.live.client(keys))

    def give(self, holder: str, mailbox: str, **more: object) -> str:
        item = {"primaryAddress": self.address[holder], "delegateAddress": self.address[mailbox], **more}
        return self.gate.client.call(ADD, item)[0]["id"]

    def set(self, who: str, action: str, sender: str, to: str) -> dict:
        item = {"sender": sender, "to": self.address.get(to, to), "action": action}
        return self.client[who].call(SET, item)[0]

    def listed(self, who: str, to: str) -> list[str]:
        return [row["sender"] for row in self.client[who].call(LIST, {"to": self.address[to]})]

    def refusal(self, who: str, path: str, **item: object) -> tuple[str, str | None, str]:
        with pytest.raises(ApiError) as refused:
            self.client[who].call(path, item)
        return refused.value.code, refused.value.field, refused.value.message


@pytest.fixture
def people(gate) -> Iterator[People]:
    with ExitStack() as ending:
        yield People(gate, ending)


def test_a_user_keeps_the_own_list_and_the_next_message_obeys(people):
    ann = people.address["ann"]
    people.set("ann", "block", "shop.test", "ann")
    assert people.gate.judge("x@shop.test", ann).startswith("550 5.7.1 Envelope blocked - User Domain Entry")
    people.set("ann", "permit", "x@shop.test", "ann")
    assert people.gate.judge("x@shop.test", ann) == SPARED
    assert people.listed("ann", "ann") == ["shop.test", "x@shop.test"]
    people.client["ann"].call(REMOVE, {"to": ann, "sender": "x@shop.test"})
    assert people.gate.judge("x@shop.test", ann).startswith("550")


def test_a_delegate_does_what_the_right_opens_and_both_names_are_audited(people):
    people.give("rosie", "ann", scopes=["lists"])
    made = people.set("rosie", "block", "y@shop.test", "ann")
    assert people.gate.judge("y@shop.test", people.address["ann"]).startswith("550")
    assert people.listed("rosie", "ann") == ["y@shop.test"]
    (told,) = people.gate.client.call("ext/find-audit-events", {"objectId": made["id"]})
    assert (told["actor"], told["actingFor"]) == (people.address["rosie"], people.address["ann"])
    assert people.refusal("rosie", REJECTIONS, mailbox=people.address["ann"])[:2] == (
        "err_user_not_found",
        "mailbox",
    )
    people.give("rosie", "ann", scopes=["lists", "held"])
    (found,) = people.client["rosie"].call(REJECTIONS, {"mailbox": people.address["ann"]})
    assert {one["to"]["emailAddress"] for one in found["rejections"]} == {people.address["ann"]}


def test_a_stranger_is_told_the_same_of_a_mailbox_that_is_there_and_of_one_that_is_not(people):
    people.give("rosie", "ann")
    entry = people.set("ann", "block", "y@shop.test", "ann")["id"]
    nobody = people.gate.recipient()
    for path, more in (
        (SET, {"sender": "x@x.test", "action": "permit"}),
        (LIST, {}),
        (REMOVE, {"sender": "y@shop.test"}),
    ):
        told = {
            people.refusal("stranger", path, to=to, **more)
            for to in (people.address["ann"], people.address["rosie"], nobody, "who@out.test")
        }
        assert told == {("err_user_not_found", "to", "User not found")}
    assert people.refusal("stranger", REMOVE, id=entry)[0] == "err_managed_sender_not_found"
    assert people.client["stranger"].call(LIST, {}) == []
    # No permission comes with it.
    assert people.refusal("stranger", "policy/blockedsenders/get-policy")[0] == "err_xdk_forbidden"
    assert people.refusal("ann", ADD, primaryAddress="x", delegateAddress="y")[0] == "err_xdk_forbidden"
    assert people.listed("ann", "ann") == ["y@shop.test"]


def test_a_right_that_is_taken_back_is_gone_with_the_next_call(people):
    right = people.give("rosie", "ann")
    assert people.listed("rosie", "ann") == []
    people.gate.client.call("user/remove-delegate-user", {"id": right})
    assert people.refusal("rosie", LIST, to=people.address["ann"])[0] == "err_user_not_found"


def test_whoever_a_user_writes_to_is_spared_on_the_answer(people):
    """From the user's own message to the next one from there; then the user changes one's mind (D-15)."""
    gate, ann = people.gate, people.address["ann"]
    friend = "Friend@far-away.test"
    assert gate.judge(friend, ann) == DELIVERED
    gate.send(ann, friend)
    assert gate.judge(friend, ann) == SPARED
    assert gate.judge(friend, people.address["rosie"]) == DELIVERED, "for this user alone"
    told = gate.explain(friend, ann)
    assert told["winners"]["managed_senders"]["description"].startswith(
        f"auto allow of friend@far-away.test by {ann}"
    )
    (entry,) = people.client["ann"].call(LIST, {"to": ann})
    assert (entry["sender"], entry["type"]) == (friend, "Auto")
    people.set("ann", "block", "far-away.test", "ann")
    assert gate.judge(friend, ann).startswith("550")


def test_what_a_program_sent_spares_nobody(people):
    gate, ann = people.gate, people.address["ann"]
    gate.send(ann, "victim@far-away.test", fields=["Auto-Submitted: auto-replied"])
    gate.send("", "bounced@far-away.test", header_from=ann)
    assert people.listed("ann", "ann") == []


def test_the_commands_show_it(people):
    gate, ann = people.gate, people.address["ann"]
    gate.send(ann, "pal@far-away.test")
    listed = json.loads(gate.run("sender", "list", "--to", ann, "--type", "auto", "--json"))
    assert [one["sender"] for one in listed["entries"]] == ["pal@far-away.test"]
    gate.run("delegate", "add", people.address["rosie"], "--mailbox", ann, "--scope", "lists", "--until", "30d")
    rights = json.loads(gate.run("delegate", "list", people.address["rosie"], "--json"))["mailboxes"]
    assert [one["scopes"] for one in rights] == [["lists"]]
    gate.send("pal@far-away.test", ann)
    found = json.loads(gate.run("message", "find", "--from", "pal@far-away.test", "--json"))["messages"]
    assert [one["status"] for one in found] == ["accepted"]
    shown = gate.run("message", "show", found[0]["id"])
    assert "Managed Senders: auto allow of pal@far-away.test" in " ".join(shown.split())
