"""`mailreeve replay`: drafts from files, what is printed, and Ctrl-C."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime

import pytest

from mailreeve.access.caller import Origin
from mailreeve.cli.asking import replay as command
from mailreeve.families.replay import operations
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import SpamChecks
from mailreeve.store.follow import Follower

STEPS = [
    {
        "call": "policy/blockedsenders/create-policy",
        "item": {
            "option": "block_sender",
            "policy": {
                "description": "No bad.test",
                "from": {"type": "email_domain", "emailDomain": "bad.test"},
                "to": {"type": "internal_addresses"},
            },
        },
    }
]


@pytest.fixture
def draft(tmp_path):
    file = tmp_path / "draft.json"
    file.write_text(json.dumps(STEPS), "utf-8")
    return str(file)


@pytest.fixture
def records(folder):
    """Three messages, two of them from bad.test."""
    outcomes = [
        Outcome(
            account_id=folder.account_id,
            decision_id=f"decision{number}",
            at=datetime.now(UTC).timestamp() - 60,
            source_ip="",
            sender=sender,
            effective_sender=sender,
            recipient="u@corp.test",
            effective_recipient="u@corp.test",
            header_from=(HeaderFrom(parse_address(sender)),),
            subject="",
            message_id="",
            size=1,
            state=State.DELIVERED,
            stage=None,
            layer="default",
            reply="",
            policy_id="",
            description="",
            revision=1,
            spam_checks=SpamChecks.RUN,
        )
        for number, sender in enumerate(("a@bad.test", "b@bad.test", "c@good.test"))
    ]
    folder.opened.store.write(folder.account_id, Origin("test"), lambda work: rows.add(work, outcomes))
    return outcomes


def test_no_line_of_the_answer_or_of_the_help_is_wider_than_the_terminal(folder, records, draft, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = folder.run("replay", "--draft", draft)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert max(map(len, folder.run("replay", "--help").output.splitlines())) <= 80


def test_the_differences_are_told_by_policy(folder, records, draft):
    result = folder.run("replay", "--draft", draft)
    assert result.exit_code == 0
    assert result.output.startswith("2 of 3 messages would fare differently")
    row = next(line for line in result.output.splitlines() if line.startswith("2  "))
    assert "newly refused" in row
    assert "refused  0     No bad.test" in row
    assert max(map(len, result.output.splitlines())) <= 100
    assert len(folder.call("policy/blockedsenders/get-policy")) == 3


def test_all_tells_senders_recipients_and_examples(folder, records, draft):
    shown = folder.run("replay", "--draft", draft, "--all").output
    assert "2 newly refused by No bad.test (step 0)" in shown
    assert max(map(len, shown.splitlines()[1:])) <= 80
    assert "a@bad.test (1)" in shown
    assert "[decision0]" in shown
    assert "now: delivered to u@corp.test; with the draft: 550 5.7.1 " in " ".join(shown.split())


@pytest.mark.parametrize("text", [json.dumps(STEPS), json.dumps({"draft": STEPS})], ids=["bare", "member"])
def test_a_draft_may_come_from_standard_input(folder, records, text):
    answer = json.loads(folder.run("replay", "--draft", "-", "--json", text=text).stdout)
    assert (answer["lookedAt"], answer["differences"]) == (3, 2)


def test_a_draft_that_is_none_is_refused(folder, draft):
    assert folder.run("replay", "--draft", "-", text="[{]").exit_code == 2
    wrong = json.dumps([{"call": "policy/blockedsenders/delete-policy", "item": {"id": "nonsense"}}])
    result = folder.run("replay", "--draft", "-", text=wrong)
    assert result.exit_code == 1
    assert "draft[0].item.id: 0007 Invalid token" in result.output
    result = folder.run("replay", "--draft", draft, "--since", "31d")
    assert result.exit_code == 2
    assert "--since '31d': Records are kept for 30 days" in result.output


def test_an_interruption_tells_what_was_found_and_ends_with_130(folder, records, draft, monkeypatch):
    """Ctrl-C after two messages: they are told, and that there is more."""
    monkeypatch.setattr(operations, "STEP", 1)
    tell = operations.Comparison.difference
    seen = []

    def told(self, facts):
        seen.append(facts)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        return tell(self, facts)

    monkeypatch.setattr(operations.Comparison, "difference", told)
    before = signal.getsignal(signal.SIGINT)
    result = folder.run("replay", "--draft", draft)
    assert result.exit_code == command.INTERRUPTED == 130
    assert len(seen) == 2
    assert " of 2 messages would fare differently" in result.output
    assert "There is more: it was interrupted." in result.output
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interruption_before_the_comparison_changes_nothing(folder, records, draft, monkeypatch):
    """Ctrl-C while the draft is carried out: it is undone, and there is nothing to tell."""

    def interrupted(self, work, before):
        raise KeyboardInterrupt

    monkeypatch.setattr(Follower, "rehearsed", interrupted)
    before = folder.call("policy/blockedsenders/get-policy")
    result = folder.run("replay", "--draft", draft)
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "Nothing was changed." in result.stderr
    assert folder.call("policy/blockedsenders/get-policy") == before


def test_the_newest_can_be_looked_at_alone(folder, records, draft):
    result = folder.run("replay", "--draft", draft, "--limit", "1")
    assert result.exit_code == 0
    assert "There is more: only the newest 1 were asked for." in result.output


def test_an_interruption_while_the_folder_is_opened_ends_with_130(folder, draft, monkeypatch):
    def interrupted(connection):
        raise KeyboardInterrupt

    monkeypatch.setattr("mailreeve.app.folder.bring_up_to_date", interrupted)
    result = folder.run("replay", "--draft", draft)
    assert result.exit_code == 130
    assert "Nothing was changed." in result.stderr


def test_an_interruption_while_the_command_is_loaded_ends_with_130(folder, draft, monkeypatch):
    """Its imports take most of a second, before any of its own code runs."""

    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("mailreeve.cli.main.import_module", interrupted)
    result = folder.run("replay", "--draft", draft)
    assert result.exit_code == 130
    assert "Aborted" not in result.output
