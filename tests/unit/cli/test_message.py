"""`mailreeve message`: messages as message-finder finds them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from mailreeve.access.caller import Origin
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State, Won
from mailreeve.policy.model.decisions import SpamChecks, Stage


def keep(folder, state: State, to: str, **more: object) -> None:
    known = {
        "account_id": folder.account_id, "decision_id": "a" * 16, "at": datetime.now(UTC).timestamp(),
        "source_ip": "192.0.2.1", "sender": "x@shop.test", "effective_sender": "x@shop.test", "recipient": to,
        "effective_recipient": to, "header_from": None, "subject": "Hello", "message_id": "1@shop.test", "size": 0,
        "state": state, "stage": Stage.DATA if state is State.REJECTED else None, "layer": "blocked_senders",
        "reply": "550 5.7.1 No", "policy_id": "", "description": "No shops", "revision": 1,
        "spam_checks": SpamChecks.RUN, "winners": (Won("blocked_senders", "p", "No shops\x1b[2J"),),
    }  # fmt: skip
    outcome = Outcome(**(known | more))
    folder.opened.store.write(folder.account_id, Origin("t"), lambda work: rows.add(work, [outcome]))


@pytest.fixture
def mail(folder):
    keep(folder, State.REJECTED, "ann@corp.test")
    keep(folder, State.HELD, "bob@corp.test")
    return folder


def test_messages_are_found_and_narrowed(mail):
    lines = mail.run("message", "find", "--from", "shop.test", columns=160).stdout.splitlines()
    assert lines[0].split() == ["received", "(UTC)", "status", "from", "to", "subject", "info"]
    assert [line.split()[2] for line in lines[1:]] == ["held", "rejected"]
    found = json.loads(mail.run("message", "find", "--status", "held", "--since", "1h", "--json").stdout)
    assert [one["to"][0]["emailAddress"] for one in found["messages"]] == ["bob@corp.test"]
    none = mail.run("message", "find", "--until", "2d", "--route", "inbound")
    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "no message like that\n")


def test_a_message_is_shown_for_each_recipient_with_what_applied(mail):
    told = mail.run("message", "show", "<1@shop.test>").stdout
    assert told.count("subject     Hello") == 2
    assert "policy      Blocked Senders: No shops" in told
    assert "event       Held: No shops" in told
    assert "\x1b" not in told
    (one, _) = json.loads(mail.run("message", "find", "--json").stdout)["messages"]
    (shown,) = json.loads(mail.run("message", "show", one["id"], "--json").stdout)["messages"]
    assert shown["id"] == one["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["find", "--message-id", "<1@x.test>", "--to", "ann@corp.test"], 2, "--message-id: give it alone"),
        (["find", "--to", "a@b@c"], 2, "--to 'a@b@c'"),
        (["find", "--since", "soon"], 2, "--since 'soon'"),
        (["find", "--status", "lost"], 2, "--status"),
        (["show", "none@x.test"], 1, "ID 'none@x.test': no message"),
        (["show", "-" + "n" * 42], 1, "ID '-nnn"),
    ],
)
def test_what_is_wrong_is_named(mail, arguments, code, told):
    result = mail.run("message", *arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert told in result.stderr
