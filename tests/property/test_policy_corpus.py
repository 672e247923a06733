"""Ten thousand questions made from one seed, over accounts of every size, answered as by a naive reading.

Hypothesis looks for small accounts that go wrong; this looks at many, up to those in which rows and shelves are as
large as in practice. Every second account is reached by changing the one before, object by object.
"""

from __future__ import annotations

import random
from math import inf

import pytest
from naive_rules import NaiveRules, found
from policy_parts import parts
from small_world import ADDRESSES, DIRECTORY, NAMES, NETWORKS, RELAY, RESULTS, SOURCES, TARGETS, TIMES, Account

from mailreeve.formats.addresses import NULL_SENDER
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.model.authentication import AuthenticationRules
from mailreeve.policy.model.decisions import Stage
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    AntiSpoofingBypassPolicy,
    AntiSpoofingPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    BypassOption,
    Changes,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
    SpoofingOption,
)
from mailreeve.policy.model.policy_types import PolicyType

SEED = 20_260_101
ACCOUNTS = 250
QUESTIONS = 40  # of each account
RULES = NaiveRules(DIRECTORY, RELAY)
OUTSIDERS = ("a@x.test", "b@x.test", "x.test", "a@corp.test", "corp.test")


def scope(chance: random.Random) -> Scope:
    """Narrow scopes and wide ones; most of them always in force."""
    narrow = chance.random() < 0.7
    targets = TARGETS if narrow else TARGETS[:4]
    return Scope.of(
        from_=chance.choice(targets),
        to=chance.choice(targets[:-1]),
        from_part=chance.choice(list(FromPart)),
        networks=tuple(chance.sample(NETWORKS, chance.choice((0, 0, 0, 1, 2)))),
        starts=chance.choice((-inf, -inf, -inf, *TIMES)),
        ends=chance.choice((inf, inf, inf, *TIMES)),
        override=chance.random() < 0.1,
        bidirectional=chance.random() < 0.3,
        enabled=chance.random() < 0.9,
    )


def account(chance: random.Random, size: int, rules: AuthenticationRules) -> Account:
    """An account with about so many policies of each type. Ids repeat from account to account."""

    def some(least: int = 0) -> list[int]:
        return chance.sample(range(2 * size), chance.randint(least, size))

    def created() -> float:
        return float(chance.randint(1, 3))

    local, domain = ("a", "b", ""), ("corp.test", "old.test", "")
    pairs = [(a, b) for a in local for b in domain if a or b]
    return Account(
        blocked=[
            BlockedSenderPolicy(
                f"b{n:04}",
                f"no. {n}",
                scope(chance),
                chance.choice((*BlockedOption, BlockedOption.BLOCK_SENDER)),
                created(),
                n == 0,
            )
            for n in some(size // 2)
        ],
        permitted=[PermittedSenderPolicy(f"p{n:04}", f"no. {n}", scope(chance), created()) for n in some()],
        managed=[
            ManagedSender(f"m {recipient} {sender}", recipient, sender, chance.choice(list(ManagedAction)))
            for recipient in ("a@corp.test", "b@old.test")
            for sender in chance.sample(OUTSIDERS, chance.randint(0, 4))
        ],
        alteration=[
            AlterationPolicy(f"a{n:04}", f"no. {n}", scope(chance), chance.choice(("S1", "S2")), created())
            for n in some()[:20]
        ],
        definitions=[
            Definition(
                f"d{n:04}",
                chance.choice(("", "S1", "S2")),
                chance.choice(list(AddressType)),
                AddressPattern(*chance.choice(pairs)),
                AddressPattern(*chance.choice(pairs)),
                chance.choice(list(Routing)),
            )
            for n in some()[:20]
        ],
        spoofing=[
            AntiSpoofingPolicy(f"s{n:04}", "", scope(chance), chance.choice(list(SpoofingOption)), created())
            for n in some()[:8]
        ],
        bypass=[
            AntiSpoofingBypassPolicy(f"y{n:04}", "", scope(chance), chance.choice(list(BypassOption)), created())
            for n in some()[:2]
        ],
        authentication=rules,
    )


def question(chance: random.Random) -> MessageFacts:
    sender = chance.choice((*ADDRESSES, NULL_SENDER))
    authors = tuple(
        HeaderFrom(
            chance.choice((sender if sender != NULL_SENDER else None, *ADDRESSES, None)), chance.choice(NAMES)
        )
        for _ in range(chance.choice((0, 1, 1, 1, 1, 2)))
    )
    return MessageFacts(
        sender,
        chance.choice(ADDRESSES),
        chance.choice((5.0, 10.0, 15.0, 20.0)),
        authors,
        chance.choice(SOURCES),
        chance.choice((None, *RESULTS)),
    )


@pytest.fixture(scope="module")
def answers() -> list[tuple[object, object]]:
    """For each question what the engine says and what the rules say."""
    chance = random.Random(SEED)
    pairs: list[tuple[object, object]] = []
    before: Account | None = None
    policies = None
    for number in range(ACCOUNTS):
        rules = AuthenticationRules(is_judged=number % 4 > 1)
        now = account(chance, chance.choice((3, 10, 30, 100)) if number % 50 else 400, rules)
        if policies is None or before is None or number % 2 == 0:
            policies = now.policy_set()
        else:
            changes = {
                part: Changes(put, frozenset({one.id for one in getattr(before, part)} - {one.id for one in put}))
                for part, put in now._asdict().items()
                if part != "authentication"
            }
            policies = policies.changed(revision=number, **parts(**changes))
        before = now
        for _ in range(QUESTIONS):
            facts = now.asked(question(chance))
            decision, wanted = decide_mail(policies, facts), RULES.expected(now, facts)
            got = found(decision)
            if decision.stage is Stage.CONNECT:
                # The rules read naively know no refusal at connect; it is held against them elsewhere.
                winner = PolicyType.BLOCKED_SENDERS
                got, wanted = got.winners[winner], wanted.winners[winner]
            elif got != wanted and RULES.was_given_before(now, facts, decision):
                wanted = got
            pairs.append((got, wanted))
    return pairs


def test_every_answer_is_that_of_a_naive_reading(answers: list[tuple[object, object]]) -> None:
    """Winner of every type, layer, reply, spam checks and effective recipient."""
    assert len(answers) == ACCOUNTS * QUESTIONS == 10_000
    assert [pair for pair in answers if pair[0] != pair[1]] == []


def test_the_questions_reach_every_layer(answers: list[tuple[object, object]]) -> None:
    """Or they would prove little."""
    layers = [wanted.layer.value for _, wanted in answers if hasattr(wanted, "layer")]
    rare = {"relay", "recipient_validation", "managed_senders", "permitted_senders", "default"}
    assert all(layers.count(layer) > 100 for layer in rare | {"blocked_senders"})
    assert layers.count("anti_spoofing") > 50
