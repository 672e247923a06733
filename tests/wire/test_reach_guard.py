"""`mailreeve call` asks before a block of a whole organisation; where nobody can answer it refuses."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MAILREEVE = Path(sys.executable).with_name("mailreeve")
WIDE = {
    "option": "block_sender",
    "policy": {"description": "Oops", "from": {"type": "everyone"}, "to": {"type": "internal_addresses"}},
}
NARROW = {
    "option": "block_sender",
    "policy": {
        "description": "Meant",
        "from": {"type": "email_domain", "emailDomain": "bad.test"},
        "to": {"type": "internal_addresses"},
    },
}
CREATE = "policy/blockedsenders/create-policy"
QUESTION = "would block every message to every user of corp.test"


@pytest.fixture
def live(fresh_server) -> Iterator[object]:
    found = fresh_server()
    (found.data / "credentials.json").write_text(json.dumps(found.credentials), "utf-8")
    return found


def command(live, *arguments: str) -> list[str | Path]:
    return [MAILREEVE, "call", "--data", live.data, "--url", live.http, *arguments]


def made(live) -> list[str]:
    """The descriptions of the policies that did not come with the account."""
    with live.client() as client:
        every = [policy.policy.description for policy in client.blocked_senders.every()]
    return [description for description in every if not description.startswith("Default")]


def unattended(live, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(live, *arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def answered(live, answer: str, *arguments: str) -> tuple[int, str]:
    """Exit code and everything shown, with `answer` typed at a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "w+b", buffering=0) as keyboard:
        process = subprocess.Popen(
            command(live, *arguments), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        os.close(theirs)
        keyboard.write(f"{answer}\n".encode())
        shown, _ = process.communicate(timeout=60)
    return process.returncode, shown


def test_where_nobody_can_answer_a_wide_block_is_refused(live) -> None:
    """A script gets exit code 1 and no policy, unless it says that it means it."""
    refused = unattended(live, CREATE, json.dumps(WIDE))
    assert refused.returncode == 1
    assert QUESTION in refused.stderr
    assert made(live) == []
    meant = unattended(live, "--yes", CREATE, json.dumps(WIDE))
    assert meant.returncode == 0, meant.stderr
    assert json.loads(meant.stdout)[0]["policy"]["description"] == "Oops"
    assert made(live) == ["Oops"]


def test_at_a_terminal_it_asks(live) -> None:
    """No is no; yes makes the policy, beside the others of the call."""
    code, shown = answered(live, "n", CREATE, json.dumps(WIDE))
    assert code == 1
    assert QUESTION in shown
    assert made(live) == []
    code, shown = answered(live, "y", CREATE, json.dumps(NARROW), json.dumps(WIDE))
    assert code == 0, shown
    assert QUESTION in shown
    assert sorted(made(live)) == ["Meant", "Oops"]


def test_what_is_not_wide_is_not_asked_about(live) -> None:
    done = unattended(live, CREATE, json.dumps(NARROW))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert made(live) == ["Meant"]


def test_other_clients_are_warned_over_http_and_served(live) -> None:
    """`meta.warnings` in the envelope of the answer; the setting makes it a refusal."""
    with live.client() as client:
        answer = client.send(CREATE, WIDE)
    assert len(answer.data) == 1
    assert answer.warnings[0].startswith('"Oops" blocks every message')


def test_the_setting_makes_it_a_refusal(fresh_server) -> None:
    live = fresh_server(MAILREEVE_REACH_GUARD="refuse")
    with live.client() as client:
        answer = client.send(CREATE, WIDE)
        assert answer.data == []
        assert answer.failures[0].code == "err_policy_reach_unconfirmed"
        assert client.send(CREATE, {**WIDE, "confirmReach": True}).warnings == ()


def test_ranges_that_are_everywhere_together_and_a_group_that_widens_a_block_are_asked_about(live) -> None:
    """Two halves of the addresses are no condition; a domain that joins a group widens the block of the group."""
    policy = {**WIDE["policy"], "conditions": {"sourceIPs": ["0.0.0.0/1", "128.0.0.0/1"]}}
    asked = unattended(live, CREATE, json.dumps({**WIDE, "policy": policy}))
    assert asked.returncode == 1
    assert QUESTION in " ".join(asked.stderr.split())
    with live.client() as client:
        (group,) = client.call("directory/create-group", {"description": "Blocked"})
        target = {"type": "profile_group", "groupId": group["id"]}
        policy = {"description": "Bound", "from": target, "to": {"type": "everyone"}}
        client.call(CREATE, {"option": "block_sender", "policy": policy})
    joining = json.dumps({"id": group["id"], "domain": "corp.test"})
    asked = unattended(live, "directory/add-group-member", joining)
    assert asked.returncode == 1
    assert 'With this, "Bound" blocks every message from the group "Blocked"' in " ".join(asked.stderr.split())
    assert unattended(live, "directory/add-group-member", "--yes", joining).returncode == 0
