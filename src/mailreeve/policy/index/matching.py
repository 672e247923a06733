"""Does this policy apply to this message? One policy is tested here, for deciding and explaining alike."""

from __future__ import annotations

from typing import Final, Generic, TypeVar, final

from msgspec import Struct

from mailreeve.formats.addresses import NullSender, Sender
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import IPAddress, Network, unmapped, within
from mailreeve.policy.index.network_table import NetworkTable
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.identities import Identities, named
from mailreeve.policy.model.keys import ANY_KEYS, NO_KEYS, NULL_SENDER_KEYS, Keys, union
from mailreeve.policy.model.order import Order, order
from mailreeve.policy.model.policies import (
    FromPart,
    Scope,
    ScopedPolicy,
    Terms,
)
from mailreeve.policy.model.targets import BELOW, EXTERNAL_KEY, Target, TargetType
from mailreeve.policy.model.trace import Unmet

P = TypeVar("P", bound=ScopedPolicy)
"""The policies that have one scope, of which one wins per message (behaviour.md section 2.8)."""


# Members of enumerations by names of our own: looking one up in its class takes as long as a test.
ENVELOPE_FROM: Final = FromPart.ENVELOPE_FROM
HEADER_FROM: Final = FromPart.HEADER_FROM
_RECIPIENT: Final = Unmet.RECIPIENT
_SENDER: Final = Unmet.SENDER
_NAME: Final = TargetType.HEADER_DISPLAY_NAME


class Case(Struct, frozen=True, gc=False):
    """One message and recipient as the policies see them: facts, and the target keys of each address.

    `header` holds the keys of the From header; while that is unknown it is `NO_KEYS`, which
    matches nothing, or `ANY_KEYS`, which matches everything: what applies under both is certain.
    `senders` holds the keys of the envelope sender and, once it is known, those of the header.
    `trusted_source` says that the message comes from a relay network, or is taken to.
    """

    facts: MessageFacts
    at: float
    source_ip: IPAddress | None
    trusted_source: bool
    envelope: Keys
    header: Keys
    header_known: bool
    recipient: Keys
    senders: Keys

    def with_any_header(self) -> Case:
        """The same message with a header that matches whatever a policy asks for."""
        return Case(
            self.facts,
            self.at,
            self.source_ip,
            self.trusted_source,
            self.envelope,
            ANY_KEYS,
            self.header_known,
            self.recipient,
            self.senders,
        )

    def before_header(self) -> Case:
        """The same message before its header was known."""
        envelope = self.envelope
        return Case(
            self.facts,
            self.at,
            self.source_ip,
            self.trusted_source,
            envelope,
            NO_KEYS,
            False,
            self.recipient,
            envelope,
        )

    def without_header(self) -> Case:
        """The same message if it turns out to have no From header."""
        envelope = self.envelope
        is_external = EXTERNAL_KEY in envelope.names
        senders = envelope if is_external else union((envelope, NULL_SENDER_KEYS))
        return Case(
            self.facts,
            self.at,
            self.source_ip,
            self.trusted_source,
            self.envelope,
            NULL_SENDER_KEYS,
            True,
            self.recipient,
            senders,
        )


def case_of(identities: Identities, relay_networks: NetworkTable[Network], facts: MessageFacts) -> Case:
    """The facts, prepared once for all policies."""
    source = None if facts.source_ip is None else unmapped(facts.source_ip)
    sender, authors = facts.sender, facts.header_from
    envelope = senders = identities.keys(sender)
    if authors is None:
        header = NO_KEYS
    elif _is_sender_alone(authors, sender):  # as in most mail
        header = senders = named(envelope, authors[0])
    else:
        header = identities.author_keys(authors)
        senders = union((envelope, header))
    trusted = facts.source_trusted
    if trusted is None:
        trusted = source is not None and source in relay_networks
    return Case(
        facts,
        facts.at,
        source,
        trusted,
        envelope,
        header,
        authors is not None,
        identities.keys(facts.recipient),
        senders,
    )


def _is_sender_alone(authors: tuple[HeaderFrom, ...], sender: Sender) -> bool:
    """Whether the envelope sender is the only author."""
    if len(authors) != 1 or type(sender) is NullSender:
        return False
    address = authors[0].address
    return address is not None and address.key == sender.key


@final
class Match(Struct, Generic[P], frozen=True, gc=False):
    """A policy that applies, by which sender address, and whether with its targets exchanged."""

    policy: P
    part: FromPart
    is_reversed: bool

    @property
    def order(self) -> Order:
        """The place of the match among others of its type, from `order`."""
        return policy_order(self.policy, self.is_reversed)


def policy_order(policy: P, is_reversed: bool = False) -> Order:
    """The sort key of a policy, see `order`."""
    return order(policy.scope, policy.created, policy.id, is_reversed)


def reads_header(scope: Scope, is_reversed: bool) -> bool:
    """Whether the sender's side of the scope is looked for in the From header, at least among others."""
    sender_side = scope.to if is_reversed else scope.from_
    return scope.terms.from_part is not ENVELOPE_FROM or sender_side.type is _NAME


def out_of_force(terms: Terms, at: float, source_ip: IPAddress | None) -> Unmet | None:
    """The first test of time and source address that the terms do not pass (behaviour.md 2.5, D-12)."""
    if not terms.enabled:
        return Unmet.DISABLED
    if at < terms.starts:
        return Unmet.NOT_STARTED
    if at >= terms.ends:
        return Unmet.EXPIRED
    if terms.networks:
        if source_ip is None:
            return Unmet.SOURCE_UNKNOWN
        if not within(source_ip, terms.networks):
            return Unmet.SOURCE_OUTSIDE
    return None


def evaluate(policy: P, case: Case) -> Match[P] | Unmet:
    """How the policy applies to the message, or the first test that it does not pass.

    A bidirectional policy is tried as written, then with its targets exchanged (D-09); the failing
    test named is that of the policy as written.
    """
    scope = policy.scope
    terms = scope.terms
    if not terms.unconditional:
        unmet = out_of_force(terms, case.at, case.source_ip)
        if unmet is not None:
            return unmet
    if policy.relay_guard and case.trusted_source and type(case.facts.sender) is NullSender:
        # The null sender counts as external (D-06), so the guard would keep an inside server's bounces
        # from leaving. They relay nobody's mail: the source is one of the account's own.
        return Unmet.BOUNCE
    part = _matching_part(scope.from_, scope.to, terms.from_part, case)
    if isinstance(part, FromPart):
        return Match(policy, part, False)
    if terms.bidirectional:
        other = _matching_part(scope.to, scope.from_, terms.from_part, case)
        if isinstance(other, FromPart):
            return Match(policy, other, True)
    return part


def _matching_part(sender: Target, recipient: Target, part: FromPart, case: Case) -> FromPart | Unmet:
    """Which sender address matches. Of `both`, the header is the one used (behaviour.md section 2.4)."""
    wanted, keys = recipient.key, case.recipient
    # Here and below: what `wanted in keys` says, without the call.
    if wanted not in keys.names and wanted not in keys.groups and (wanted[:1] != BELOW or wanted not in keys.wide):
        return _RECIPIENT
    wanted = sender.key
    # A display name is a property of the header, whatever `fromPart` says.
    by_name = sender.type is _NAME
    if part is ENVELOPE_FROM and not by_name:
        keys = case.envelope
        if wanted in keys.names or wanted in keys.groups or (wanted[:1] == BELOW and wanted in keys.wide):
            return ENVELOPE_FROM
        return _SENDER
    keys = case.header
    if wanted in keys.names or wanted in keys.groups or (wanted[:1] == BELOW and wanted in keys.wide):
        return HEADER_FROM
    if part is not HEADER_FROM and not by_name and wanted in case.envelope:
        return ENVELOPE_FROM
    return _SENDER if case.header_known else Unmet.HEADER_UNKNOWN
