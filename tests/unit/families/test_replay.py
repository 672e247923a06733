"""Replays: drafts tried out and undone, and the differences that they would have made."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.perform import consult
from mailreeve.families.machinery.turns import one_at_a_time
from mailreeve.families.replay import draft as drafts
from mailreeve.families.replay import endpoints, operations, tally
from mailreeve.families.replay.types import ReplayDraft, Step
from mailreeve.families.tracking import rows
from mailreeve.families.tracking.outcomes import Outcome, State
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.model.decisions import SpamChecks, Stage
from mailreeve.wire.errors import ItemRefused, RequestRefused

REPLAY = "ext/replay-draft"
CREATE = "policy/blockedsenders/create-policy"
DELETE = "policy/blockedsenders/delete-policy"
UPDATE = "policy/blockedsenders/update-policy"
PERMIT_OR_BLOCK = "managedsender/permit-or-block-sender"
ALTERATION = "policy/address-alteration/"
SAME = "(the sender)"
INTERNAL = {"type": "internal_addresses"}
EVERYONE = {"type": "everyone"}


def domain(name):
    return {"type": "email_domain", "emailDomain": name}


def policy(from_, to=INTERNAL, description="", option="block_sender", **more):
    scope = {"description": description or f"{option} {from_.get('emailDomain', from_['type'])}"}
    return {"option": option, "policy": {**scope, "from": from_, "to": to, **more}}


def step(call, item):
    return {"call": call, "item": item}


def block(name, **more):
    return step(CREATE, policy(domain(name), **more))


@pytest.fixture
def corp(account):
    account.call("domain/create-domain", {"domain": "corp.test"})
    return account


class Records:
    """Puts messages among the records, each a minute older than the one before."""

    def __init__(self, account) -> None:
        self._account = account
        self._number = 0

    def add(self, sender, recipient="u@corp.test", *, header=SAME, ago=None, source_ip=""):
        self._number += 1
        text = sender if header == SAME else header
        authors = None if text is None else (HeaderFrom(parse_address(text)),) if text else ()
        ago = timedelta(minutes=self._number) if ago is None else ago
        outcome = Outcome(
            account_id=self._account.id,
            decision_id=f"decision{self._number}",
            at=(datetime.now(UTC) - ago).timestamp(),
            source_ip=source_ip,
            sender=sender,
            effective_sender=sender,
            recipient=recipient,
            effective_recipient=recipient,
            header_from=authors,
            subject="Hello",
            message_id="<1@x.test>",
            size=1,
            state=State.DELIVERED if header is not None else State.REJECTED,
            stage=None if header is not None else Stage.RCPT,
            layer="default",
            reply="",
            policy_id="",
            description="",
            revision=1,
            spam_checks=SpamChecks.RUN,
        )
        self._account.write(lambda work: rows.add(work, [outcome]))


@pytest.fixture
def records(corp):
    return Records(corp)


def replayed(account, *steps, **more):
    (answer,) = account.call(REPLAY, {"draft": list(steps), **more})
    return answer


def problem(account, *steps, **more):
    with pytest.raises(ItemRefused) as refusal:
        replayed(account, *steps, **more)
    (found,) = refusal.value.problems
    return found


class TestDifferences:
    def test_only_differences_are_told(self, corp, records):
        records.add("a@bad.test")
        records.add("b@bad.test", "v@corp.test")
        records.add("c@good.test")
        answer = replayed(corp, block("bad.test", description="No bad.test"))
        assert (answer["lookedAt"], answer["differences"]) == (3, 2)
        assert answer["changes"] == {"newly_refused": 2}
        (group,) = answer["groups"]
        assert group["change"] == "newly_refused"
        assert group["cause"] == {"type": "blocked_senders", "description": "No bad.test", "step": 0}
        assert group["count"] == 2
        assert group["senders"] == [{"address": "a@bad.test", "count": 1}, {"address": "b@bad.test", "count": 1}]
        assert group["recipientCount"] == 2
        first = group["examples"][0]
        assert (first["decisionId"], first["sender"], first["headerFrom"]) == (
            "decision1",
            "a@bad.test",
            "a@bad.test",
        )
        assert first["before"] == {
            "smtpReply": None, "layer": "default", "spamChecks": "run", "recipient": "u@corp.test",
        }  # fmt: skip
        assert first["after"]["smtpReply"].startswith("550 5.7.1 ")
        assert first["after"]["layer"] == "blocked_senders"

    def test_a_draft_that_changes_nothing_for_anybody(self, corp, records):
        records.add("a@good.test")
        answer = replayed(corp, block("bad.test"))
        assert (answer["lookedAt"], answer["differences"], answer["groups"]) == (1, 0, [])
        assert answer["truncated"] is False

    def test_deleting_a_block_lets_mail_in(self, corp, records):
        policy_id = corp.call(CREATE, policy(domain("bad.test")))[0]["id"]
        records.add("a@bad.test")
        (group,) = replayed(corp, step(DELETE, {"id": policy_id}))["groups"]
        assert group["change"] == "newly_delivered"
        assert (group["cause"]["id"], group["cause"]["step"]) == (policy_id, 0)

    def test_replacing_a_policy_is_put_down_to_it(self, corp, records):
        policy_id = corp.call(CREATE, policy(domain("bad.test")))[0]["id"]
        records.add("a@bad.test")
        exempt = {**policy(domain("bad.test"), option="no_action"), "id": policy_id}
        (group,) = replayed(corp, step(UPDATE, exempt))["groups"]
        assert group["change"] == "newly_delivered"
        assert group["cause"]["id"] == policy_id

    def test_several_policies_are_told_apart(self, corp, records):
        for _ in range(2):
            records.add("a@bad.test")
        records.add("a@worse.test")
        groups = replayed(corp, block("bad.test"), block("worse.test"))["groups"]
        assert [(group["cause"]["step"], group["count"]) for group in groups] == [(0, 2), (1, 1)]

    def test_a_personal_permit_spares_spam_checks(self, corp, records):
        records.add("a@x.test")
        records.add("a@x.test", "v@corp.test")
        permit = step(PERMIT_OR_BLOCK, {"sender": "a@x.test", "to": "u@corp.test", "action": "permit"})
        (group,) = replayed(corp, permit)["groups"]
        assert (group["change"], group["count"]) == ("spam_checks", 1)
        assert group["cause"]["type"] == "managed_senders"

    def test_a_group_member_comes_under_the_groups_policies(self, corp, records):
        group_id = corp.call("directory/create-group", {"description": "Bad"})[0]["id"]
        corp.call(CREATE, policy({"type": "profile_group", "groupId": group_id}, description="The bad"))
        records.add("a@bad.test")
        member = step("directory/add-group-member", {"id": group_id, "domain": "bad.test"})
        (group,) = replayed(corp, member)["groups"]
        assert group["change"] == "newly_refused"
        assert group["cause"]["description"] == "The bad"
        assert group["cause"]["id"]

    def test_an_alteration_sends_mail_elsewhere(self, corp, records):
        """A later step names what an earlier one makes."""
        records.add("a@x.test", "old@corp.test")
        steps = (
            step(ALTERATION + "create-address-alteration-set", {"description": "S"}),
            step(
                ALTERATION + "create-definition",
                {
                    "folderId": "$0.id",
                    "addressAlterations": [
                        {
                            "originalAddress": "old@corp.test",
                            "newAddress": "new@corp.test",
                            "addressType": "envelope_to",
                            "routing": "all",
                        }
                    ],
                },
            ),
            step(
                ALTERATION + "create-policy",
                {"addressAlterationSetId": "$0.id", "policy": {"from": EVERYONE, "to": EVERYONE}},
            ),
        )
        (group,) = replayed(corp, *steps)["groups"]
        assert group["change"] == "altered_differently"
        assert group["examples"][0]["after"]["recipient"] == "new@corp.test"
        assert group["cause"]["type"] == "address_alteration"
        assert group["cause"]["step"] == 2

    def test_a_definition_is_a_cause(self, corp, records):
        records.add("a@x.test", "old@corp.test")
        rewrite = {"originalAddress": "old@corp.test", "newAddress": "new@corp.test"}
        rewrite |= {"addressType": "envelope_to", "routing": "all"}
        (group,) = replayed(corp, step(ALTERATION + "create-definition", {"addressAlterations": [rewrite]}))[
            "groups"
        ]
        assert group["cause"]["type"] == "alteration_definition"
        assert group["cause"]["description"] == "old@corp.test -> new@corp.test"

    def test_a_block_from_another_layer_gives_another_reply(self, corp, records):
        corp.call(PERMIT_OR_BLOCK, {"sender": "a@bad.test", "to": "u@corp.test", "action": "block"})
        records.add("a@bad.test")
        (group,) = replayed(corp, block("bad.test"))["groups"]
        assert group["change"] == "refused_differently"

    def test_bounces_are_compared_too(self, corp, records):
        records.add("", header="")
        external = step(CREATE, policy({"type": "external_addresses"}, confirmReach=True))
        (group,) = replayed(corp, external)["groups"]
        assert group["senders"] == [{"address": "", "count": 1}]


class TestTime:
    def test_a_policy_is_judged_at_the_messages_own_time(self, corp, records):
        """One that starts now does nothing to the past; one whose dates hold an old message does."""
        records.add("a@bad.test", ago=timedelta(days=2))
        now = datetime.now(UTC)
        assert replayed(corp, block("bad.test", fromDate=now.isoformat()))["differences"] == 0
        since, until = (now - timedelta(days=3)).isoformat(), (now - timedelta(days=1)).isoformat()
        assert replayed(corp, block("bad.test", fromDate=since, toDate=until))["differences"] == 1

    def test_how_far_back_can_be_said(self, corp, records):
        records.add("a@bad.test", ago=timedelta(hours=2))
        records.add("a@bad.test", ago=timedelta(days=6))
        records.add("a@bad.test", ago=timedelta(days=20))
        draft = block("bad.test")
        assert replayed(corp, draft)["differences"] == 2
        assert replayed(corp, draft, since="3h")["differences"] == 1
        assert replayed(corp, draft, since="90m")["differences"] == 0
        assert replayed(corp, draft, since="29d")["differences"] == 3
        since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        assert replayed(corp, draft, since=since)["differences"] == 1

    @pytest.mark.parametrize(
        ("since", "code"),
        [
            ("soon", "err_validation_invalid_date"),
            ("2999-01-01", "err_validation_invalid_date"),
            ("31d", "err_validation_value_not_allowed"),
        ],
    )
    def test_a_bad_since_is_named(self, corp, since, code):
        found = problem(corp, block("bad.test"), since=since)
        assert (found.code, found.field) == (code, "since")


class TestHeader:
    def test_where_the_header_was_never_seen_and_matters_no_more_is_said(self, corp, records):
        """Refused at RCPT by a policy that the draft deletes, while another one looks at the header."""
        policy_id = corp.call(CREATE, policy(domain("bad.test")))[0]["id"]
        records.add("a@bad.test", header=None)
        both = step(CREATE, policy(domain("spoof.test"), fromPart="header_from"))
        answer = replayed(corp, step(DELETE, {"id": policy_id}), both)
        assert answer["changes"] == {"depends_on_header": 1}

    def test_where_it_cannot_matter_the_difference_is_told(self, corp, records):
        policy_id = corp.call(CREATE, policy(domain("bad.test")))[0]["id"]
        records.add("a@bad.test", header=None)
        assert replayed(corp, step(DELETE, {"id": policy_id}))["changes"] == {"newly_delivered": 1}

    def test_what_depended_on_it_already_is_counted_apart(self, corp, records):
        corp.call(CREATE, policy(domain("spoof.test"), fromPart="header_from"))
        records.add("a@x.test", header=None)
        more = step(CREATE, policy(domain("other.test"), fromPart="header_from"))
        answer = replayed(corp, more)
        assert (answer["differences"], answer["undetermined"]) == (0, 1)


class TestDrafts:
    def test_nothing_of_it_remains(self, corp, records):
        """Neither policies nor audit rows nor a revision; the next decision knows nothing of it."""
        records.add("a@bad.test")
        before, listed = corp.policies(), corp.call("policy/blockedsenders/get-policy")
        assert replayed(corp, block("bad.test"))["revision"] == before.revision
        assert corp.policies() is before
        assert corp.call("policy/blockedsenders/get-policy") == listed

    def test_what_would_be_refused_is_refused_with_its_place(self, corp):
        found = problem(corp, block("bad.test"), step(CREATE, {"option": "block_sender", "policy": {
            "description": "x", "from": {"type": "email_domain", "emailDomain": "not a domain"}, "to": EVERYONE,
        }}))  # fmt: skip
        assert found.code == "err_validation_invalid_domain"
        assert found.field == "draft[1].item.policy.from.emailDomain"
        found = problem(corp, step(DELETE, {"id": "nonsense"}))
        assert found.field == "draft[0].item.id"

    def test_what_is_no_change_of_mail_policies_is_none_of_a_draft(self, corp):
        for path in ("domain/create-domain", "policy/blockedsenders/get-policy", "no/such-thing", REPLAY):
            found = problem(corp, step(path, {"domain": "x.test"}))
            assert (found.code, found.field) == ("err_validation_value_not_allowed", "draft[0].call")

    @pytest.mark.parametrize("wrong", ["$0.id", "$1.id", "$9.id"])
    def test_a_step_refers_to_earlier_ones_only(self, corp, wrong):
        found = problem(corp, step(DELETE, {"id": wrong}))
        assert found.field == "draft[0].item.id"
        assert "no earlier step" in found.message

    def test_an_empty_or_endless_draft_is_refused(self, corp):
        assert problem(corp).field == "draft"
        found = problem(corp, *[block("bad.test")] * (drafts.MAX_STEPS + 1))
        assert found.field == "draft"

    def test_a_wide_block_is_warned_of_and_replayed(self, corp, records):
        """To see what it would do is what a replay is for."""
        records.add("a@x.test")
        answer = replayed(corp, step(CREATE, policy(EVERYONE, description="Oops")))
        assert answer["differences"] == 1
        assert answer["warnings"][0].startswith('"Oops" blocks every message to every user of corp.test')

    def test_each_step_needs_its_own_permission(self, corp):
        corp.caller = Caller(corp.id, "reader", "app", frozenset({Permission.GATEWAY_POLICIES_EDIT}))
        permit = {"sender": "a@x.test", "to": "u@corp.test", "action": "permit"}
        found = problem(corp, block("bad.test"), step(PERMIT_OR_BLOCK, permit))
        assert (found.code, found.field) == ("err_xdk_forbidden", "draft[1].call")
        assert "Gateway | Managed Senders | Edit" in found.message
        corp.caller = Caller(corp.id, "reader", "app", frozenset({Permission.GATEWAY_POLICIES_READ}))
        with pytest.raises(RequestRefused):
            replayed(corp, block("bad.test"))

    def test_another_accounts_messages_are_not_read(self, corp, other_account, records):
        records.add("a@bad.test")
        other_account.call("domain/create-domain", {"domain": "other.test"})
        assert replayed(other_account, block("bad.test"))["lookedAt"] == 0


class TestBounds:
    def test_the_newest_are_looked_at_and_that_there_is_more_is_told(self, corp, records):
        for _ in range(4):
            records.add("a@bad.test")
        answer = replayed(corp, block("bad.test"), most=3)
        assert (answer["lookedAt"], answer["truncated"]) == (3, True)
        assert answer["why"] == "only the newest 3 were asked for"
        assert {e["decisionId"] for e in answer["groups"][0]["examples"]} == {
            "decision1",
            "decision2",
            "decision3",
        }
        exact = replayed(corp, block("bad.test"), most=4)
        assert (exact["lookedAt"], exact["truncated"], exact["why"]) == (4, False, "")

    def test_one_call_looks_at_so_many(self, corp, records, monkeypatch):
        monkeypatch.setattr(endpoints, "MOST", 2)
        for _ in range(3):
            records.add("a@bad.test")
        for asked in ({}, {"most": 1_000}):
            assert replayed(corp, block("bad.test"), **asked)["lookedAt"] == 2

    def test_one_call_takes_so_long(self, corp, records, monkeypatch):
        monkeypatch.setattr(endpoints, "TIME", -1.0)
        records.add("a@bad.test")
        answer = replayed(corp, block("bad.test"))
        assert (answer["lookedAt"], answer["truncated"]) == (0, True)

    def test_a_second_call_waits_its_turn(self, corp):
        with one_at_a_time(), pytest.raises(RequestRefused) as refusal:
            replayed(corp, block("bad.test"))
        assert refusal.value.status == 429

    def test_what_was_found_until_an_interruption_is_told(self, corp, records, monkeypatch):
        monkeypatch.setattr(operations, "STEP", 2)
        for _ in range(5):
            records.add("a@bad.test")
        seen = []

        def stop(looked_at):
            seen.append(looked_at)
            return "enough" if looked_at >= 4 else ""

        item = ReplayDraft([Step(**block("bad.test"))])
        answer = consult(
            corp.services, corp.caller, Origin("test"), lambda call: operations.replay(call, item, stop)
        )
        assert (answer.looked_at, answer.differences, answer.truncated, answer.why) == (4, 4, True, "enough")
        assert seen == [0, 2, 4]

    def test_what_is_told_of_each_group_is_bounded(self, corp, records, monkeypatch):
        for name, most in (("EXAMPLES", 1), ("NAMED", 2), ("COUNTED", 3), ("GROUPS", 1)):
            monkeypatch.setattr(tally, name, most)
        for number in range(5):
            records.add(f"a{number}@bad.test")
        records.add("a@worse.test")
        answer = replayed(corp, block("bad.test"), block("worse.test"))
        (group,) = answer["groups"]
        assert answer["differences"] == 6
        assert (group["count"], len(group["examples"])) == (5, 1)
        assert (len(group["senders"]), group["senderCount"], group["moreSenders"]) == (2, 3, True)
        assert (group["recipientCount"], group["moreRecipients"]) == (1, False)
        assert answer["groupCount"] == 2

    def test_very_many_causes_go_together(self, corp, records, monkeypatch):
        """So that memory is bounded: the causes met first are told apart, the others are counted as one."""
        monkeypatch.setattr(tally, "KEPT", 2)
        monkeypatch.setattr(tally, "COUNTED_IN_ALL", 5)
        for number in range(5):
            records.add(f"a@bad{number}.test")
        answer = replayed(corp, *(block(f"bad{number}.test") for number in range(5)))
        assert (answer["differences"], answer["groupCount"]) == (5, 3)
        assert [group["count"] for group in answer["groups"]] == [3, 1, 1]
        assert [group["cause"] is None for group in answer["groups"]] == [True, False, False]
        assert answer["groups"][0]["moreSenders"] is True

    def test_a_record_that_cannot_be_read_is_counted(self, corp, records):
        records.add("a@bad.test", "no address")
        answer = replayed(corp, block("bad.test"))
        assert (answer["lookedAt"], answer["unreadable"], answer["differences"]) == (1, 1, 0)


def test_others_write_while_messages_are_compared(corp, records):
    """The turn to write is held for the rehearsal only, not for the comparison."""
    records.add("a@bad.test")
    comparing, written = threading.Event(), threading.Event()

    def stop(looked_at):
        comparing.set()
        assert written.wait(60)
        return ""

    def compare():
        item = ReplayDraft([Step(**block("bad.test"))])
        return consult(
            corp.services, corp.caller, Origin("test"), lambda call: operations.replay(call, item, stop)
        )

    results = []
    thread = threading.Thread(target=lambda: results.append(compare()))
    thread.start()
    try:
        assert comparing.wait(60)
        corp.call(CREATE, policy(domain("other.test")))
    finally:
        written.set()
        thread.join(60)
    assert results[0].differences == 1
    assert len(corp.call("policy/blockedsenders/get-policy")) == 1


def test_a_rehearsal_of_a_call_that_writes_is_a_mistake_of_ours(corp):
    """It would wait for the turn that the call itself holds."""

    def action(call):
        return call.rehearse(lambda rehearsing: rehearsing.rehearse(lambda inner: None))

    with pytest.raises(AssertionError):
        consult(corp.services, corp.caller, Origin("test"), action)
    # The turn was given back.
    assert corp.call(CREATE, policy(domain("other.test")))
