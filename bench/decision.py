"""What does a mail decision cost as policies grow in number, and what would it cost to look at each of them?

The policies are a mix: 60 % name one sender address, 35 % a sender domain, 5 % a group; half of them hold for all
internal recipients, half for one. The messages are from strangers and from blocked senders alike, with header and
source known. Both ways are held against each other on the messages of the scan: they must name the same winner.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import time
from collections.abc import Callable, Sequence
from math import inf

from rig.report import median, show

from mailreeve.policy.addresses import Domain, parse_address
from mailreeve.policy.decide import decide_mail
from mailreeve.policy.decisions import PolicyType
from mailreeve.policy.facts import Directory, HeaderFrom, MessageFacts, User, parse_ip
from mailreeve.policy.matching import Unmet, case_of, evaluate, policy_order
from mailreeve.policy.networks import parse_network
from mailreeve.policy.policies import BlockedOption, BlockedSenderPolicy, FromPart, Scope
from mailreeve.policy.policy_set import PolicySet
from mailreeve.policy.targets import Target, TargetType

NUMBERS = (10, 1_000, 100_000)
USERS = 1_000
GROUPS = 200
DOMAIN = Domain("corp.test")

Way = Callable[[PolicySet, MessageFacts], str | None]


def directory(dice: random.Random) -> Directory:
    """An account of a thousand users, and groups of strangers."""
    users = {f"user{n}@{DOMAIN}": User(f"user{n}@{DOMAIN}") for n in range(USERS)}
    groups = {f"member{n}.test": (f"group{dice.randrange(GROUPS)}",) for n in range(10 * GROUPS)}
    return Directory(frozenset({DOMAIN}), users=users, groups=groups)


def policy(n: int, dice: random.Random) -> BlockedSenderPolicy:
    """One policy of the mix."""
    kind = dice.random()
    if kind < 0.60:
        sender = Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, f"sender{n}@shop{n % 5000}.test")
    elif kind < 0.95:
        sender = Target.of(TargetType.EMAIL_DOMAIN, f"shop{n}.test")
    else:
        sender = Target.of(TargetType.PROFILE_GROUP, f"group{n % GROUPS}")
    recipient = Target.of(TargetType.INTERNAL_ADDRESSES)
    if dice.random() < 0.5:
        recipient = Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS, f"user{dice.randrange(USERS)}@{DOMAIN}")
    scope = Scope.of(from_=sender, to=recipient, from_part=FromPart.ENVELOPE_FROM, starts=-inf, ends=inf)
    return BlockedSenderPolicy(f"{n:032x}", f"policy {n}", scope, BlockedOption.BLOCK_SENDER, float(n))


def messages(number: int, of: int, dice: random.Random) -> list[MessageFacts]:
    """Messages of which some are blocked by a set of `of` policies."""
    source = parse_ip("192.0.2.7")
    facts = []
    for _ in range(number):
        n = dice.randrange(max(of, 1))
        named, at_domain = f"sender{n}@shop{n % 5000}.test", f"any@shop{n}.test"
        in_group, stranger = f"x@member{n % 2000}.test", f"new{n}@far.test"
        sender = parse_address(dice.choice((named, at_domain, in_group, stranger)))
        recipient = parse_address(f"user{dice.randrange(USERS)}@{DOMAIN}")
        facts.append(MessageFacts(sender, recipient, 1.8e9, (HeaderFrom(sender, "Somebody"),), source))
    return facts


def scan(policies: PolicySet, facts: MessageFacts) -> str | None:
    """The winner among the blocked senders, found by looking at every policy."""
    case = case_of(policies.identities, policies.relay_networks, facts)
    best = None
    for candidate in policies.blocked.policies:
        match = evaluate(candidate, case)
        if not isinstance(match, Unmet):
            place = policy_order(candidate, match.swapped)
            if best is None or place > best[0]:
                best = place, candidate.id
    return None if best is None else best[1]


def indexed(policies: PolicySet, facts: MessageFacts) -> str | None:
    """The same from the whole decision: relay, recipient, all four policy types, stage."""
    winner = decide_mail(policies, facts).winners[PolicyType.BLOCKED_SENDERS]
    return None if winner is None else winner.id


def cost(way: Way, policies: PolicySet, facts: Sequence[MessageFacts]) -> list[float]:
    """Microseconds of each decision, in order of size."""
    clock = time.perf_counter_ns
    taken = []
    for one in facts:
        began = clock()
        way(policies, one)
        taken.append((clock() - began) / 1000)
    return sorted(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000, help="decisions timed per number of policies")
    parser.add_argument("--scans", type=int, default=2_000_000, help="policies looked at by the scan, about")
    options = parser.parse_args()
    rows = []
    for number in NUMBERS:
        dice = random.Random(number)
        people = directory(dice)
        blocked = [policy(n, dice) for n in range(number)]
        began = time.perf_counter()
        policies = PolicySet.build(
            account_id="a",
            revision=1,
            directory=people,
            relay_networks=[parse_network("127.0.0.0/8")],
            blocked=blocked,
        )
        built = time.perf_counter() - began
        gc.freeze()
        facts = messages(options.messages, number, dice)
        scanned = facts[: max(20, options.scans // number)]
        for one in scanned:
            if scan(policies, one) != indexed(policies, one):
                raise SystemExit(f"index and scan disagree about {one}")
        quick = cost(indexed, policies, facts)
        slow = cost(scan, policies, scanned)
        rows.append(
            (
                f"{number:,}",
                f"{median(quick):,.1f}",
                f"{quick[len(quick) * 99 // 100]:,.1f}",
                f"{median(slow):,.0f}",
                f"{median(slow) / median(quick):,.1f}",
                f"{built * 1000:,.1f}",
            )
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    show(
        "One mail decision (decide_mail, one recipient)",
        f"{options.messages:,} decisions each; the scan finds the blocked sender policy and nothing else; "
        f"greatest memory of the whole run {memory:,} MB",
        ("policies", "decision us (median)", "us (p99)", "plain scan us", "scan/decision", "index built in ms"),
        rows,
    )


if __name__ == "__main__":
    main()
