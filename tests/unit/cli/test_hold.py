"""`mailreeve hold`: held mail is listed, shown and decided about."""

from __future__ import annotations

import json

import pytest
from held_copies import hold, kept

from mailreeve.families.held.limits import DEFAULT
from mailreeve.families.held.undelivered import UndeliveredCopies
from mailreeve.families.keeping.keeper import MessageKeeper
from mailreeve.families.outgoing.queue import OutgoingQueue
from mailreeve.families.tracking.record_budget import RecordBudget


@pytest.fixture
def held(folder):
    """`held(subject, …)` has messages held in the folder, each from a sender of its own."""
    keeper = MessageKeeper(folder.opened.store, RecordBudget(), folder.opened.bodies)

    def make(*subjects: str, **more: str) -> None:
        for n, subject in enumerate(subjects):
            hold(
                keeper, kept(folder.account_id, "ann@corp.test", subject=subject, sender=f"s{n}@shop.test", **more)
            )

    return make


def messages(folder, *more: str) -> dict[str, str]:
    """From the subject of each message to its id."""
    listed = json.loads(folder.run("hold", "list", "--json", *more).output)["messages"]
    return {row["subject"]: row["id"] for row in listed}


def test_messages_are_listed_and_narrowed(folder, held):
    held("One", "Two")
    held("Broken", layer="malformed")
    table = folder.run("hold", "list", columns=140).output.splitlines()
    assert table[0].split()[:4] == ["id", "received", "(UTC)", "from"]
    assert [line.split()[3] for line in table[1:]] == ["s0@shop.test", "s1@shop.test", "s0@shop.test"]
    # Why a message is held is in the list on the narrowest screen too.
    narrow = folder.run("hold", "list", columns=80).output.splitlines()
    assert (narrow[0].split()[-2:], "  Spam for e" in narrow[1]) == (["held", "by"], True), narrow
    assert messages(folder, "--subject", "two").keys() == {"Two"}
    assert messages(folder, "--sender", "s0").keys() == {"One", "Broken"}
    assert messages(folder, "--reason", "malformed").keys() == {"Broken"}
    assert messages(folder, "--group", "administrator", "--route", "inbound").keys() == {"One", "Two", "Broken"}
    assert folder.run("hold", "list", "--ip", "203.0.113.1").output == "no message like that\n"
    both = folder.run("hold", "list", "--subject", "a", "--sender", "b")
    assert (both.exit_code, "--subject and --sender" in both.output) == (2, True)


def test_a_message_is_shown(folder, held):
    held("Shown")
    shown = folder.run("hold", "show", messages(folder)["Shown"].lstrip("-")[:12]).output
    assert "Subject: Shown\n" in shown
    assert "A body that comes whole, dots and all:" in shown


def test_messages_are_released_by_ids_from_standard_input(folder, held):
    held("One", "Two", "Three")
    ids = messages(folder)
    done = folder.run("hold", "release", "-", "--permit", text=f"{ids['One']}\n{ids['Two']}\n")
    assert done.output == "released One for ann@corp.test\nreleased Two for ann@corp.test\n"
    assert messages(folder).keys() == {"Three"}
    entries = json.loads(folder.run("sender", "list", "--json").output)["entries"]
    assert {one["sender"]: one["type"] for one in entries} == {"s0@shop.test": "Permit", "s1@shop.test": "Permit"}
    again = folder.run("hold", "release", ids["One"])
    assert (again.exit_code, "not held any more: it was released" in again.output) == (1, True)


def test_messages_are_turned_down_by_a_search(folder, held):
    held("One", "Two", "Three")
    done = folder.run("hold", "reject", "--sender", "s1@", "--block", "--message", "no", "--json")
    assert [row["subject"] for row in json.loads(done.output)["rejected"]] == ["Two"]
    assert messages(folder).keys() == {"One", "Three"}
    bad = folder.run("hold", "reject", "--text", "shop", "--reason-type", "bored")
    assert (bad.exit_code, "bored" in bad.output or "must be one of" in bad.output) == (1, True)
    for arguments in ((), ("abcd", "--sender", "x")):
        result = folder.run("hold", "reject", *arguments)
        assert (result.exit_code, "give IDs, or options" in result.output) == (2, True)


def test_ids_are_looked_up_in_the_mailbox_that_is_named(folder, held):
    """As tables show them, by their first characters: a user without a role has no list of everybody's."""
    folder.call("user/create-user", {"emailAddress": "ann@corp.test", "name": "Ann"})
    folder.call("user/create-user", {"emailAddress": "bob@corp.test", "name": "Bob"})
    held("Hers")
    (id_,) = messages(folder).values()
    first = id_.lstrip("-")[:8]
    assert "Subject: Hers\n" in folder.run("hold", "show", first, "--mailbox", "ann@corp.test").output
    elsewhere = folder.run("hold", "reject", first, "--mailbox", "bob@corp.test")
    assert (elsewhere.exit_code, "no id begins so" in elsewhere.output) == (1, True)
    both = folder.run("hold", "reject", first, "--mailbox", "ann@corp.test", "--subject", "Hers")
    assert (both.exit_code, "give IDs, or options" in both.output) == (2, True)
    done = folder.run("hold", "reject", first, "--mailbox", "ann@corp.test", "--notify")
    assert done.stdout == "rejected Hers for ann@corp.test\n"
    assert done.stderr.startswith("Warning: the sender is not told: ")
    assert ' rejected held message "s0@shop.test for ann@corp.test" ' in folder.run("audit").output


def test_requests_are_listed_and_declined(folder, held):
    held("Mine")
    assert folder.run("hold", "requests").output == "no request\n"
    folder.call("ext/ask-held-release", {"id": messages(folder)["Mine"], "reason": "my bank"})
    assert "my bank" in folder.run("hold", "requests", columns=140).output
    assert folder.run("hold", "decline", messages(folder)["Mine"]).output == "declined 1 message\n"
    assert folder.run("hold", "requests").output == "no request\n"


def test_what_came_back_says_why(folder, held):
    """In the list, and where it is shown."""
    held("Back")
    (id_,) = messages(folder).values()
    assert folder.run("hold", "release", id_).exit_code == 0
    store = folder.opened.store
    queue = OutgoingQueue(store, folder.opened.bodies, UndeliveredCopies("mx.corp.test", (), DEFAULT))
    (one,) = queue.due(10)
    queue.refused(one, "550 5.1.1 Nobody of that name")
    assert "came back: 550 5.1.1 Nobody of that name" in folder.run("hold", "list", columns=200).output
    why, back, more, *_ = folder.run("hold", "show", id_).output.splitlines()
    assert why.startswith("held on 20")
    assert back.startswith("could not be delivered on 20")
    assert back.endswith(" UTC: 550 5.1.1 Nobody of that name")
    assert more.startswith("expires on 20")
    assert "explain mail --id " in more


@pytest.mark.parametrize("dashes", ["-", "--"])
def test_an_id_that_begins_with_a_dash_is_used_as_it_is(folder, dashes):
    """Not looked up, which only what is held would be: so does one in 64."""
    given = dashes + "b" * (43 - len(dashes))
    said = folder.run("hold", "release", given)
    assert (said.exit_code, f"{given}: " in said.output, "begins so" in said.output) == (1, True, False)
