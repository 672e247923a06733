"""What does this engine take to decide a message, and what does it take to look at every policy instead?

An engine is a function of the account's size, for a process of its own: it loads the policies, and asks and times
the questions.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable

from msgspec import Struct

from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.matching import case_of, evaluate, policy_order
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Decision
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.order import Order
from mailreeve.policy.model.policies import BlockedSenderPolicy
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.trace import Unmet
from rig import worlds
from rig.apart import Timed, resident, timed

KNOWN = "header known"
AT_RCPT = "at RCPT"
TRACED = "with a trace"


class Measured(Struct, frozen=True):
    """What an engine took at one size: seconds to load the policies, octets for them and for the whole account as
    far as it is given one, and how it answered. Answers are ids of winners."""

    engine: str
    load: float
    policies: int
    whole: int
    asked: dict[str, Timed]


def mailreeve(size: worlds.Size, questions: int, seconds: float) -> Measured:
    """The whole decision: relay, recipient, all policy types, stage."""
    before = resident()
    parts = worlds.parts(size)
    scoped = parts.pop("scoped")
    blocked = list(scoped.pop(PolicyType.BLOCKED_SENDERS))
    listed = resident()
    rest = PolicySet.build(
        account_id="a",
        revision=1,
        directory=worlds.directory(size),
        relay_networks=worlds.RELAY,
        scoped=scoped,
        **parts,
    )
    others = resident() - listed
    began = time.perf_counter()
    policies = rest.changed(revision=2, scoped={PolicyType.BLOCKED_SENDERS: blocked})
    load = time.perf_counter() - began
    del parts, blocked, rest
    whole = resident() - before
    gc.freeze()  # as the server does with a large set
    known, unknown = (worlds.questions(size, questions, header=header) for header in (True, False))

    def decide(facts: MessageFacts) -> Decision:
        return decide_mail(policies, facts)

    def explain(facts: MessageFacts) -> Decision:
        return decide_mail(policies, facts, explain=True)

    asked = {
        KNOWN: timed(decide, known, seconds, chosen),
        AT_RCPT: timed(decide, unknown, seconds, chosen),
        TRACED: timed(explain, known, seconds, chosen),
    }
    return Measured("Mailreeve", load, whole - others, whole, asked)


def chosen(decision: Decision) -> str | None:
    """The id of the blocked sender policy that won."""
    winner = decision.winners[PolicyType.BLOCKED_SENDERS]
    return None if winner is None else winner.id


def directory_of(size: worlds.Size) -> PolicySet:
    """The account without any policy: what the addresses of a question are looked up in."""
    return PolicySet.build(
        account_id="a", revision=1, directory=worlds.directory(size), relay_networks=worlds.RELAY
    )


def look(account: PolicySet, policies: Iterable[BlockedSenderPolicy], facts: MessageFacts) -> str | None:
    """The winner, found by looking at every policy."""
    case = case_of(account.identities, account.relay_networks, facts)
    best: tuple[Order, str] | None = None
    for policy in policies:
        match = evaluate(policy, case)
        if not isinstance(match, Unmet):
            place = policy_order(policy, match.is_reversed)
            if best is None or place > best[0]:
                best = place, policy.id
    return None if best is None else best[1]


def scan(size: worlds.Size, questions: int, seconds: float) -> Measured:
    """Every policy looked at with the same `evaluate`; the blocked senders and nothing else."""
    before = resident()
    policies = list(worlds.blocked(size))
    whole = resident() - before
    account = directory_of(size)
    gc.freeze()

    def ask(facts: MessageFacts) -> str | None:
        return look(account, policies, facts)

    asked = {
        KNOWN: timed(ask, worlds.questions(size, questions), seconds / 2, same),
        AT_RCPT: timed(ask, worlds.questions(size, questions, header=False), seconds / 2, same),
    }
    return Measured("plain scan", 0.0, whole, whole, asked)


def same(answer: str | None) -> str | None:
    """The answer as it is."""
    return answer
