"""What does a decision cost when all policies are alike? A mix hides what one kind does to the index.

Each shape fills an account with blocked sender policies of one kind, such as an import, a script or years of dated
blocks leave behind. The questions are those of the decision benchmark, with and without the header. A scan must
find the same winner.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator

from msgspec import Struct
from rig import worlds
from rig.apart import Timed, apart, timed
from rig.engines import chosen, look
from rig.report import show

from mailreeve.formats.networks import parse_network
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, FromPart, Scope
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import EVERYONE, EXTERNAL, INTERNAL, Target, TargetType

T = TargetType
SIZE = worlds.Size(policies=1_000)
ELSEWHERE = (parse_network("203.0.113.0/24"),)


def address(number: int) -> Target:
    """A sender outside, of whom most questions know nothing."""
    return Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, f"sender{number}@{worlds.domain_of(number)}")


def user(number: int) -> Target:
    """A user inside."""
    return Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, worlds.user_address(number % SIZE.users))


def group(number: int) -> Target:
    """A group."""
    return Target.of(T.PROFILE_GROUP, worlds.key_of(10_000_000 + number % SIZE.groups))


def name(number: int) -> Target:
    """What a sender may be called in the header."""
    return Target.of(T.HEADER_DISPLAY_NAME, f"name {number}")


BOTH = FromPart.BOTH
SHAPES: dict[str, Callable[[int], Scope]] = {
    "each sender once, to everyone": lambda n: Scope.of(address(n), EVERYONE),
    "the same, by the header too": lambda n: Scope.of(address(n), EVERYONE, BOTH),
    "the same, all expired": lambda n: Scope.of(address(n), EVERYONE, BOTH, ends=worlds.NOW - 1.0 - n),
    "the same, all from another network": lambda n: Scope.of(address(n), EVERYONE, BOTH, ELSEWHERE),
    "the same, all switched off": lambda n: Scope.of(address(n), EVERYONE, BOTH, enabled=False),
    "everybody outside, to each user": lambda n: Scope.of(EXTERNAL, user(n)),
    "everybody outside to everybody inside": lambda n: Scope.of(EXTERNAL, INTERNAL),
    "everybody outside, all expired": lambda n: Scope.of(EXTERNAL, INTERNAL, ends=worlds.NOW - 1.0 - n),
    "each user in turn, to everyone, both ways": lambda n: Scope.of(user(n), EVERYONE, bidirectional=True),
    "each group in turn, to each user": lambda n: Scope.of(group(n), user(n // SIZE.groups)),
    "one source address each, for everyone": lambda n: Scope.of(
        networks=(parse_network(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"),)
    ),
    "everyone, to each group": lambda n: Scope.of(EVERYONE, group(n)),
    "display names, to everybody inside": lambda n: Scope.of(
        Target.of(T.HEADER_DISPLAY_NAME, f"name {n}"), INTERNAL
    ),
}


class Measured(Struct, frozen=True):
    """A shape, asked with the header and without."""

    known: Timed
    unknown: Timed


def policies_of(shape: str, number: int) -> Iterator[BlockedSenderPolicy]:
    """The policies of a shape."""
    for n in range(number):
        yield BlockedSenderPolicy(
            worlds.key_of(n + 1), "alike", SHAPES[shape](n), BlockedOption.BLOCK_SENDER, 1.7e9 + n
        )


def measure(shape: str, number: int, questions: int, seconds: float) -> Measured:
    """One shape in a process of its own."""
    policies = PolicySet.build(
        account_id="a",
        revision=1,
        directory=worlds.directory(SIZE),
        relay_networks=worlds.RELAY,
        scoped={PolicyType.BLOCKED_SENDERS: policies_of(shape, number)},
    )
    gc.freeze()
    several = []
    for header in (True, False):
        asked = worlds.questions(SIZE.with_policies(number), questions, header=header)
        answers = timed(lambda facts: decide_mail(policies, facts), asked, seconds, chosen)
        _check(shape, policies, asked[:5], answers)
        several.append(answers)
    return Measured(*several)


def _check(shape: str, policies: PolicySet, asked: list[MessageFacts], answers: Timed) -> None:
    every = policies.blocked.policies
    for facts, answer in zip(asked, answers.answers, strict=False):
        if (found := look(policies, every, facts)) != answer:
            raise SystemExit(f"{shape}: the scan finds {found}, not {answer}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    rows = []
    for shape in SHAPES:
        found = apart(measure, shape, options.policies, options.questions, options.seconds)
        figures = [f"{value:,.1f}" for way in (found.known, found.unknown) for value in (way.median, way.p99)]
        rows.append((shape, *figures))
    show(
        f"One mail decision among {options.policies:,} policies that are alike",
        "us of processor time; at RCPT the header is not known, and whether it could change the outcome is part "
        "of the decision",
        ("the policies", "header known", "p99", "at RCPT", "p99"),
        rows,
    )


if __name__ == "__main__":
    main()
