"""What is said of each value in a trace: every kind has words of its own, and steps are whole sentences."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailreeve.formats.addresses import NULL_SENDER, parse_address
from mailreeve.policy.explain.words import (
    decision_words,
    effect_words,
    note_words,
    step_words,
    tie_words,
    unmet_words,
    verdict_words,
    web_note_words,
)
from mailreeve.policy.model.decisions import Action, Decision, SpamChecks, Stage
from mailreeve.policy.model.identities import StandIn, StandInKind
from mailreeve.policy.model.policies import Effect, EffectKind, FromPart, WebAction, WebEntry, WebEntryType
from mailreeve.policy.model.policy_types import Layer, PolicyType, SmtpReply
from mailreeve.policy.model.trace import (
    AssumedHeader,
    Candidate,
    EffectiveRecipient,
    FreeMailList,
    GroupPath,
    PersonalFinding,
    PoliciesFinding,
    RecipientFinding,
    RelayFinding,
    Side,
    StandInsFinding,
    Survey,
    TieBreaker,
    UnknownHeader,
    Unmet,
    WebCandidate,
    WebUnmet,
)

ALIAS = StandIn("al@corp.test", StandInKind.ALIAS, "ann@corp.test")
TAG = StandIn("ann+x@corp.test", StandInKind.TAG, "ann@corp.test")
EXTERNAL = RecipientFinding(is_internal=False, known_only=False, is_known=True)
NONE = Survey(None, 0, 3, 0, all_tested=True)


def candidate(**more):
    given = {"part": FromPart.HEADER_FROM, "effect": Effect(EffectKind.NO_ACTION)} | more
    return Candidate(
        type=PolicyType.BLOCKED_SENDERS, id="b1", description="Bad", failed=None, sort_key=(), place=1, **given
    )


def web_candidate(**more):
    entry = WebEntry("e", WebEntryType.DOMAIN, "ex.test", WebAction.BLOCK)
    return WebCandidate("w", "List", entry, entry.action, None, (), 2, **more)


def delivery(**more):
    given = {"action": Action.DELIVER, "stage": None, "reply": None, "layer": Layer.DEFAULT} | more
    return Decision(spam_checks=SpamChecks.RUN, recipient="ann@corp.test", winners={}, revision=1, **given)


@pytest.mark.parametrize(
    ("say", "values"),
    [
        (unmet_words, [*Unmet, *WebUnmet]),
        (tie_words, [*TieBreaker]),
        (effect_words, [Effect(kind) for kind in EffectKind if kind is not EffectKind.PERSONAL_PERMIT]),
    ],
)
def test_no_two_kinds_are_told_in_the_same_words(say, values):
    """But for a permit, which is called so whoever gives it."""
    said = [say(value) for value in values]
    assert all(said)
    assert len({*said}) == len(values)


def test_a_set_of_definitions_is_told_by_its_id():
    assert effect_words(Effect(EffectKind.ALTER, "S1")) == "set S1"


def test_a_candidate_without_anything_to_remark_has_no_note():
    assert (note_words(candidate()), web_note_words(web_candidate())) == ("", "")


def test_a_note_tells_the_way_to_whom_is_named_then_the_groups_then_the_tie():
    noted = candidate(
        stand_ins=(TAG, ALIAS),
        groups=(GroupPath(Side.SENDER, ("Sales West", "Sales")), GroupPath(Side.RECIPIENT, ("Readers",))),
        tie=TieBreaker.CREATED,
    )
    assert note_words(noted) == (
        "ann+x@corp.test is ann@corp.test with a tag; al@corp.test is an alias of ann@corp.test; "
        "the sender is in Sales West, which is in Sales; the recipient is in Readers; "
        "as narrow as the winner: the one created later wins"
    )


def test_a_note_on_a_web_entry_tells_the_way_and_the_tie():
    assert web_note_words(web_candidate(stand_ins=(ALIAS,), is_tied=True)) == (
        "al@corp.test is an alias of ann@corp.test; "
        "as narrow as the winner: a block wins over an allow, then the newest policy"
    )


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            AssumedHeader(parse_address("a@x.test")),
            "no From header given: the From header is taken to name a@x.test",
        ),
        (AssumedHeader(NULL_SENDER), "no From header given: a bounce, taken to have no From header"),
        (
            RelayFinding(True, None, True),
            "relay: the recipient is internal, the source is unknown and taken as a relay network",
        ),
        (
            RelayFinding(False, None, False),
            "relay: the recipient is external, the source is unknown and not taken as a relay network",
        ),
        (
            RelayFinding(False, ip_address("192.0.2.1"), True),
            "relay: the recipient is external, the source 192.0.2.1 is in a relay network",
        ),
        (
            RelayFinding(True, ip_address("192.0.2.1"), False),
            "relay: the recipient is internal, the source 192.0.2.1 is not in a relay network",
        ),
        (EXTERNAL, "recipient validation: does not apply, the recipient is external"),
        (
            RecipientFinding(True, True, False),
            "recipient validation: the domain takes known recipients only, this one is not in the directory",
        ),
        (
            RecipientFinding(True, False, True),
            "recipient validation: the domain takes any recipient, this one is known",
        ),
        (
            StandInsFinding((TAG, ALIAS)),
            "aliases and tags: ann+x@corp.test is ann@corp.test with a tag; "
            "al@corp.test is an alias of ann@corp.test",
        ),
        (PoliciesFinding(PolicyType.BLOCKED_SENDERS, NONE), "blocked senders: none of 3 applies"),
        (
            PoliciesFinding(PolicyType.BLOCKED_SENDERS, Survey(candidate(), 2, 9, 0, all_tested=True)),
            "blocked senders: no_action by b1 (Bad), the first of 2 that apply, by header_from",
        ),
        (
            PoliciesFinding(PolicyType.PERMITTED_SENDERS, Survey(candidate(part=None), 1, 2000, 1990, False)),
            "permitted senders: no_action by b1 (Bad), the first of 1 looked at that apply; "
            "1990 more are left out of this list",
        ),
        (
            PoliciesFinding(PolicyType.ADDRESS_ALTERATION, NONE, at_root=2),
            "address alteration: none of 3 applies; 2 altered by definitions at the root, which need no policy",
        ),
        (EffectiveRecipient("v@corp.test"), "effective recipient: v@corp.test"),
        (PersonalFinding("ann@corp.test", NONE), "managed senders of ann@corp.test: none of 3 applies"),
        (FreeMailList("2026-11"), "free-mail list: 2026-11"),
        (FreeMailList(""), "free-mail list: unversioned"),
        (UnknownHeader(True), "the From header is not known: it cannot change this"),
        (UnknownHeader(False), "the From header is not known: it could still change this"),
    ],
)
def test_a_step_is_told_in_a_sentence(step, words):
    assert step_words(step) == words


def test_the_verdict_of_a_delivery_tells_the_spam_checks():
    assert verdict_words(delivery()) == "verdict: deliver, no layer objects, spam checks run"
    assert verdict_words(delivery(layer=Layer.PERMITTED_SENDERS)) == (
        "verdict: deliver, settled by permitted_senders, spam checks run"
    )


def test_the_verdict_of_a_refusal_tells_the_reply():
    refused = delivery(
        action=Action.REJECT, stage=Stage.RCPT, reply=SmtpReply(550, "5.1.1", "Unknown"), layer=Layer.RELAY
    )
    assert verdict_words(refused) == "verdict: reject with 550 5.1.1 Unknown, settled by relay"


def test_a_decision_is_told_by_its_steps_and_then_its_verdict():
    decision = delivery(steps=(EXTERNAL, EffectiveRecipient("v@corp.test")))
    assert decision_words(decision) == (
        step_words(EXTERNAL),
        "effective recipient: v@corp.test",
        verdict_words(decision),
    )
