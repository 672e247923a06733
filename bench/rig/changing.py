"""What does it take to change one thing in a large account, in memory and through the operations of the API?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection, event

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.app.folder import Opened
from mailreeve.families.machinery.perform import carry_out, ready
from mailreeve.families.registry import ENDPOINTS
from mailreeve.formats.addresses import parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.decisions import Decision
from mailreeve.policy.model.facts import DirectoryChanges, MessageFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import BlockedOption, BlockedSenderPolicy, Changes, FromPart, Scope
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import EVERYONE, EXTERNAL, INTERNAL, Target, TargetType
from mailreeve.wire import envelope
from mailreeve.wire.tokens import Kind
from rig import worlds

T = TargetType
MANY = 10_000
"""So many policies name one group."""

CREATE = "policy/blockedsenders/create-policy"
UPDATE = "policy/blockedsenders/update-policy"
DELETE = "policy/blockedsenders/delete-policy"
ADD = "directory/add-group-member"
REMOVE = "directory/remove-group-member"
BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


class Step(Struct, frozen=True):
    """One change, in microseconds: from the call to its answer; from the beginning of the commit to a decision
    that shows it; how much of that is processor time of this thread, how much went into making the new set of what
    was changed, and how much into deciding."""

    call: float
    live: float
    processor: float
    following: float
    deciding: float


class Account:
    """An account whose endpoints are called without a socket, and the moment at which the last commit began."""

    def __init__(self, opened: Opened, account_id: str) -> None:
        self.services = opened.services
        self.id = account_id
        self._caller = Caller(account_id, "bench", "bench", frozenset(Permission))
        self._commit_began = self._processor_began = 0
        event.listen(opened.engine.sqlalchemy, "commit", self._committing)

    def _committing(self, connection: Connection) -> None:
        self._commit_began, self._processor_began = time.perf_counter_ns(), time.thread_time_ns()

    def call(self, path: str, item: dict[str, object]) -> dict[str, str]:
        """The answer to a call with one item, which must succeed."""
        request = envelope.decode(json.dumps({"data": [item]}).encode())
        done = carry_out(
            self.services, ready(self.services, BY_PATH[path], request, self._caller, Origin("bench"))
        )
        answer = json.loads(envelope.encode(done.data, done.fail, done.shown, warnings=done.warnings))
        if answer["fail"]:
            raise SystemExit(f"{path} failed: {answer['fail']}")
        return answer["data"][0]

    def policies(self) -> PolicySet:
        """The set now in force."""
        return self.services.follower.current(self.id)

    def step(
        self, path: str, item: dict[str, object], facts: MessageFacts, blocked: bool
    ) -> tuple[dict[str, str], Step]:
        """Make a change, and decide the message that shows it."""
        clock = time.perf_counter_ns
        began = clock()
        answer = self.call(path, item)
        answered = clock()
        policies = self.policies()
        followed = clock()
        decision = decide_mail(policies, facts)
        decided, processor = clock(), time.thread_time_ns() - self._processor_began
        if _is_blocked(decision) is not blocked:
            raise SystemExit(f"{path}: the next decision does not show it")
        live = decided - self._commit_began
        took = (answered - began, live, processor, followed - answered, decided - followed)
        return answer, Step(*(each / 1000 for each in took))


def message(sender: str, recipient: str) -> MessageFacts:
    """A message from outside."""
    address = parse_address(sender)
    return MessageFacts(
        address, parse_address(recipient), worlds.NOW, (HeaderFrom(address, ""),), parse_ip("198.51.100.7")
    )


def unblocked(policies: PolicySet, size: worlds.Size) -> list[str]:
    """The users whom no policy keeps strangers from writing to, so that what a change does shows."""
    return [
        user
        for user in map(worlds.user_address, range(size.users))
        if not _is_blocked(decide_mail(policies, message("stranger@probe.test", user)))
    ]


def _is_blocked(decision: Decision) -> bool:
    return decision.winners[PolicyType.BLOCKED_SENDERS] is not None


def wire_policy(sender: str) -> dict[str, object]:
    """A policy as a client sends it."""
    target = {"type": "individual_email_address", "emailAddress": sender}
    return {"description": "by ticket", "from": target, "to": {"type": "internal_addresses"}}


def policy_steps(account: Account, users: Sequence[str]) -> dict[str, list[Step]]:
    """Policies created, changed and deleted through the API's operations."""
    steps: dict[str, list[Step]] = {"create": [], "change": [], "delete": []}
    for number, user in enumerate(users):
        first, second = (message(f"{name}{number}@probe.test", user) for name in ("a", "b"))
        item: dict[str, object] = {"option": "block_sender", "policy": wire_policy(first.sender.key)}
        answer, step = account.step(CREATE, item, first, blocked=True)
        steps["create"].append(step)
        item = {"id": answer["id"], "option": "block_sender", "policy": wire_policy(second.sender.key)}
        _, step = account.step(UPDATE, item, second, blocked=True)
        steps["change"].append(step)
        _, step = account.step(DELETE, {"id": answer["id"]}, second, blocked=False)
        steps["delete"].append(step)
    return steps


def groups(size: worlds.Size) -> tuple[str, str]:
    """The group that many policies name, and one that a single policy more than usual names."""
    return worlds.key_of(10_000_000 + size.groups - 1), worlds.key_of(10_000_000 + size.groups - 2)


def naming(size: worlds.Size) -> Iterator[BlockedSenderPolicy]:
    """The policies that name these groups."""
    many, few = groups(size)
    for number in range(MANY + 1):
        sender = Target.of(T.EMAIL_DOMAIN, f"many{number}.test" if number < MANY else "few.test")
        scope = Scope.of(sender, Target.of(T.PROFILE_GROUP, many if number < MANY else few))
        id_ = worlds.key_of(130_000_000 + number)
        yield BlockedSenderPolicy(id_, "for a group", scope, BlockedOption.BLOCK_SENDER, 1.7e9)


def membership_steps(account: Account, size: worlds.Size, users: Sequence[str]) -> dict[str, list[Step]]:
    """Users added to and removed from these groups through the API's operations."""
    steps = {}
    for name, group, sender in zip(("many", "few"), groups(size), ("x@many0.test", "x@few.test"), strict=True):
        sealed = account.services.ids.seal(Kind.GROUP, group, account.id)
        held = account.policies().directory.groups
        taken = []
        for user in users:
            if group in held.get(user, ()):
                continue
            item: dict[str, object] = {"id": sealed, "emailAddress": user}
            taken.append(account.step(ADD, item, message(sender, user), blocked=True)[1])
            account.step(REMOVE, item, message(sender, user), blocked=False)
        steps[name] = taken
    return steps


class InMemory(Struct, frozen=True):
    """Changes of the set alone, in microseconds, by kind and operation; and the seconds that the same takes when
    everything is made anew. All of it is processor time."""

    policies: dict[str, dict[str, list[float]]]
    memberships: dict[str, list[float]]
    blocked_anew: float
    directory_anew: float


def in_memory(policies: PolicySet, size: worlds.Size, rounds: int) -> InMemory:
    """`PolicySet.changed` by itself, for policies of several kinds and for memberships."""
    kinds = {kind: _operations(policies, kind, rounds) for kind in _KINDS}
    memberships = {}
    for name, group in zip(("many", "few"), groups(size), strict=True):
        held = policies.directory.groups
        taken = []
        for user in map(worlds.user_address, range(rounds)):
            members = {user: (*held.get(user, ()), group)}
            began = time.thread_time_ns()
            policies.changed(revision=policies.revision + 1, directory=DirectoryChanges(members=members))
            taken.append((time.thread_time_ns() - began) / 1000)
        memberships[name] = taken
    every = policies.blocked.policies
    began = time.thread_time()
    policies.changed(revision=policies.revision + 1, scoped={PolicyType.BLOCKED_SENDERS: every})
    blocked_anew = time.thread_time() - began
    began = time.thread_time()
    Identities(policies.directory)
    return InMemory(kinds, memberships, blocked_anew, time.thread_time() - began)


_DEPARTMENT = Target.of(T.ADDRESS_ATTRIBUTE_VALUE, "department 1", worlds.key_of(20_000_000))
_KINDS = {
    "one address, to everybody inside": (None, INTERNAL, FromPart.ENVELOPE_FROM),
    "the same, by the header too": (None, INTERNAL, FromPart.BOTH),
    "a department, to everybody": (_DEPARTMENT, EVERYONE, FromPart.ENVELOPE_FROM),
    "everybody outside, to one user": (EXTERNAL, None, FromPart.ENVELOPE_FROM),
}


def _operations(policies: PolicySet, kind: str, rounds: int) -> dict[str, list[float]]:
    sender, recipient, part = _KINDS[kind]
    taken: dict[str, list[float]] = {"create": [], "change": [], "delete": []}

    def made(id_: str, number: int) -> BlockedSenderPolicy:
        from_ = sender or Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, f"a{number}@probe.test")
        to = recipient or Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, worlds.user_address(number))
        scope = Scope.of(from_, to, part)
        return BlockedSenderPolicy(id_, "by ticket", scope, BlockedOption.BLOCK_SENDER, 1.8e9 + number)

    def changed(name: str, old: PolicySet, changes: Changes[BlockedSenderPolicy]) -> PolicySet:
        began = time.thread_time_ns()
        new = old.changed(revision=old.revision + 1, scoped={PolicyType.BLOCKED_SENDERS: changes})
        taken[name].append((time.thread_time_ns() - began) / 1000)
        return new

    for number in range(rounds):
        id_ = worlds.key_of(140_000_000 + number)
        new = changed("create", policies, Changes((made(id_, number),)))
        new = changed("change", new, Changes((made(id_, number + rounds),)))
        changed("delete", new, Changes(gone=frozenset({id_})))
    return taken
