"""An account's policies in a few words, and a transaction under them: the fixtures `office` and `begin`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from itertools import count

import pytest
from policy_parts import parts

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.networks import parse_ip
from mailreeve.mail.paths import read_sender
from mailreeve.mail.transaction import Accepted, Refused, Transaction
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.content import SpamOptions
from mailreeve.policy.model.facts import Directory
from mailreeve.policy.model.policies import (
    AddressPattern,
    AddressType,
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    Definition,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Routing,
    Scope,
    SpamPolicy,
)
from mailreeve.policy.model.policy_types import SmtpReply
from mailreeve.policy.model.targets import EVERYONE, Target, TargetType

NOW = 1_800_000_000.0


def target(text: str) -> Target:
    """An address, a domain, or `everyone`."""
    if text == "everyone":
        return EVERYONE
    return Target.of(TargetType.INDIVIDUAL_EMAIL_ADDRESS if "@" in text else TargetType.EMAIL_DOMAIN, text)


def pattern(text: str) -> AddressPattern:
    """`local@domain`, either half of which may be an asterisk."""
    local, _, domain = text.partition("@")
    return AddressPattern(local.replace("*", ""), domain.replace("*", ""))


class Office:
    """One account with the internal domains corp.test and old.test, revision 7. Say policies, then `policies`."""

    def __init__(self, account_id: str = "acme", *domains: str) -> None:
        self.account_id = account_id
        self.domains = domains or ("corp.test", "old.test")
        self.relay = "127.0.0.0/8"
        self.revision = 7
        self._ids = count(1)
        self._blocked: list[BlockedSenderPolicy] = []
        self._permitted: list[PermittedSenderPolicy] = []
        self._managed: list[ManagedSender] = []
        self._definitions: list[Definition] = []
        self._alteration: list[AlterationPolicy] = []
        self._spam: list[SpamPolicy] = []

    def scan(self, to: str = "everyone", **options: object) -> Office:
        scope = Scope.of(EVERYONE, target(to))
        policy = SpamPolicy(self._id("s"), f"scanning for {to}", scope, SpamOptions(**options), NOW - 10)
        self._spam.append(policy)
        return self

    def _id(self, kind: str) -> str:
        return f"{kind}{next(self._ids)}"

    def block(self, who: str, to: str = "everyone", part: str = "envelope_from", **scope: object) -> Office:
        return self._policy(BlockedOption.BLOCK_SENDER, f"no mail from {who}", who, to, part, **scope)

    def exempt(self, who: str, to: str = "everyone", part: str = "envelope_from", **scope: object) -> Office:
        return self._policy(BlockedOption.NO_ACTION, f"mail from {who} all the same", who, to, part, **scope)

    def _policy(self, option: BlockedOption, text: str, who: str, to: str, part: str, **scope: object) -> Office:
        scope_ = Scope.of(target(who), target(to), FromPart(part), **scope)  # type: ignore[arg-type]
        self._blocked.append(BlockedSenderPolicy(self._id("b"), text, scope_, option, NOW - 10))
        return self

    def permit(self, who: str, to: str = "everyone", part: str = "envelope_from") -> Office:
        scope = Scope.of(target(who), target(to), FromPart(part))
        self._permitted.append(PermittedSenderPolicy(self._id("p"), f"mail from {who}", scope, NOW - 10))
        return self

    def personal(self, action: str, recipient: str, sender: str) -> Office:
        self._managed.append(ManagedSender(self._id("m"), recipient, sender, ManagedAction(action)))
        return self

    def alter(self, original: str, new: str, kind: str = "all", routing: str = "all", set_id: str = "") -> Office:
        self._definitions.append(
            Definition(self._id("d"), set_id, AddressType(kind), pattern(original), pattern(new), Routing(routing))
        )
        return self

    def use_set(
        self, set_id: str, to: str = "everyone", who: str = "everyone", part: str = "envelope_from"
    ) -> Office:
        scope = Scope.of(target(who), target(to), FromPart(part))
        self._alteration.append(AlterationPolicy(self._id("a"), f"set {set_id}", scope, set_id, NOW - 10))
        return self

    @property
    def policies(self) -> PolicySet:
        return PolicySet.build(
            account_id=self.account_id,
            revision=self.revision,
            directory=Directory(internal_domains=frozenset(map(Domain, self.domains))),
            relay_networks=(ip_network(self.relay),),
            managed=self._managed,
            **parts(
                blocked=self._blocked, permitted=self._permitted, alteration=self._alteration, spam=self._spam
            ),
            definitions=self._definitions,
        )


class Dialogue:
    """A transaction with ids `id1`, `id2`, … and the policies of one office."""

    def __init__(self, office: Office, sender: str, source_ip: str) -> None:
        self.office = office
        ids = (f"id{number}" for number in count(1))
        self.transaction = Transaction(parse_ip(source_ip), new_id=lambda: next(ids))
        envelope_sender = read_sender(sender)
        assert not isinstance(envelope_sender, SmtpReply)
        self.transaction.begin(envelope_sender, NOW)

    def rcpt(self, *recipients: str) -> list[Accepted | Refused]:
        return [self.transaction.rcpt(parse_address(r), self.office.policies) for r in recipients]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def another_services() -> Office:
    return Office("other", "elsewhere.test")


@pytest.fixture
def begin(office: Office) -> Callable[..., Dialogue]:
    """`begin(sender, source_ip=…)`: a message that has just begun."""

    def start(sender: str = "ann@out.test", source_ip: str = "192.0.2.9") -> Dialogue:
        return Dialogue(office, sender, source_ip)

    return start
