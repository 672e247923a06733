"""Does this policy apply to this message? One policy is tested here, for deciding and explaining alike."""

from __future__ import annotations

from typing import Final, Generic, TypeVar, final

from msgspec import Struct

from mailreeve.formats.addresses import NullSender, Sender
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import IPAddress, Network, unmapped, within
from mailreeve.policy.index.network_table import NetworkTable
from mailreeve.policy.index.vouching import is_spoofed, permit_counts
from mailreeve.policy.model.authentication import UNJUDGED, AuthenticationRules
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
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import BELOW, EVERYONE_KEY, EXTERNAL_KEY, INTERNAL_KEY, Target, TargetType
from mailreeve.policy.model.trace import Unmet

P = TypeVar("P", bound=ScopedPolicy)
"""The policies that have one scope, of which one wins per message (behaviour.md section 2.8)."""


# Members of enumerations by names of our own: looking one up in its class takes as long as a test.
ENVELOPE_FROM: Final = FromPart.ENVELOPE_FROM
HEADER_FROM: Final = FromPart.HEADER_FROM
_RECIPIENT: Final = Unmet.RECIPIENT
_SENDER: Final = Unmet.SENDER
_NAME: Final = TargetType.HEADER_DISPLAY_NAME
_PERMITS: Final = PolicyType.PERMITTED_SENDERS
_AGAINST_SPOOFING: Final = frozenset((PolicyType.ANTI_SPOOFING, PolicyType.ANTI_SPOOFING_BYPASS))

_ANYBODY: Final = Keys((EVERYONE_KEY, EXTERNAL_KEY))
"""Targets that name nobody whom it would help to forge."""


class Case(Struct, frozen=True, gc=False):
    """One message and recipient as the policies see them: facts, and the target keys of each address.

    `header` holds the keys of the From header; while that is unknown it is `NO_KEYS`, which
    matches nothing, or `ANY_KEYS`, which matches everything: what applies under both is certain.
    `senders` holds the keys of the envelope sender and, once it is known, those of the header.
    `trusted_source` says that the message comes from a relay network, or is taken to.

    `permit_envelope` and `permit_header` hold the keys by which a permit may be met: those of the address, but
    where nothing vouches for it no more than that somebody outside wrote. `is_spoofed` says that it is claimed to
    come from inside, and nothing vouches for that (`vouching`).
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
    permit_envelope: Keys
    permit_header: Keys
    is_spoofed: bool

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
            self.permit_envelope,
            ANY_KEYS,
            self.is_spoofed,
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
            self.permit_envelope,
            NO_KEYS,
            False,
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
            self.permit_envelope,
            NULL_SENDER_KEYS,
            self.is_spoofed,
        )


def case_of(
    identities: Identities,
    relay_networks: NetworkTable[Network],
    facts: MessageFacts,
    rules: AuthenticationRules = UNJUDGED,
) -> Case:
    """The facts, prepared once for all policies. `rules` say when permits count."""
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
        _permitting(envelope, ENVELOPE_FROM, facts, rules, trusted=trusted),
        header if authors is None else _permitting(header, HEADER_FROM, facts, rules, trusted=trusted),
        is_spoofed(identities, facts, trusted=trusted),
    )


def _permitting(
    keys: Keys, part: FromPart, facts: MessageFacts, rules: AuthenticationRules, *, trusted: bool
) -> Keys:
    """Of the keys of the envelope sender or of the authors those by which a permit may be met."""
    inside = INTERNAL_KEY in keys.names
    if trusted and inside and EXTERNAL_KEY not in keys.names:
        return keys  # one of the account's own servers says who its people are
    if permit_counts(facts, rules, part, inside=inside):
        return keys
    return NO_KEYS if inside else _ANYBODY


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
        if terms.spf_domains and not _spf_passes(terms, case.facts):
            return Unmet.SPF_DOMAIN
    if policy.relay_guard and case.trusted_source and type(case.facts.sender) is NullSender:
        # The null sender counts as external (D-06), so the guard would keep an inside server's bounces
        # from leaving. They relay nobody's mail: the source is one of the account's own.
        return Unmet.BOUNCE
    envelope, header = case.envelope, case.header
    type_ = policy.type
    if type_ is _PERMITS:
        # Who connects from an address that a permit names is nobody else.
        if not terms.networks:
            envelope, header = case.permit_envelope, case.permit_header
    elif type_ in _AGAINST_SPOOFING and not case.is_spoofed:
        return Unmet.NOT_SPOOFED
    part = _matching_part(scope.from_, scope.to, terms.from_part, case, envelope, header)
    if isinstance(part, FromPart):
        return Match(policy, part, False)
    if terms.bidirectional:
        other = _matching_part(scope.to, scope.from_, terms.from_part, case, envelope, header)
        if isinstance(other, FromPart):
            return Match(policy, other, True)
    if part is _SENDER and (envelope is not case.envelope or header is not case.header):
        named = _matching_part(scope.from_, scope.to, terms.from_part, case, case.envelope, case.header)
        if isinstance(named, FromPart):
            return Unmet.UNAUTHENTICATED
    return part


def _spf_passes(terms: Terms, facts: MessageFacts) -> bool:
    """Whether SPF passed for one of the domains of the terms."""
    known = facts.authentication
    return (
        known is not None and known.spf_passes() and (known.is_supposed or known.spf_domain in terms.spf_domains)
    )


def _matching_part(
    sender: Target, recipient: Target, part: FromPart, case: Case, envelope: Keys, header: Keys
) -> FromPart | Unmet:
    """Which sender address matches, of these keys. Of `both`, the header is the one used (behaviour.md section
    2.4)."""
    wanted, keys = recipient.key, case.recipient
    # Here and below: what `wanted in keys` says, without the call.
    if wanted not in keys.names and wanted not in keys.groups and (wanted[:1] != BELOW or wanted not in keys.wide):
        return _RECIPIENT
    wanted = sender.key
    # A display name is a property of the header, whatever `fromPart` says.
    by_name = sender.type is _NAME
    if part is ENVELOPE_FROM and not by_name:
        keys = envelope
        if wanted in keys.names or wanted in keys.groups or (wanted[:1] == BELOW and wanted in keys.wide):
            return ENVELOPE_FROM
        return _SENDER
    keys = header
    if wanted in keys.names or wanted in keys.groups or (wanted[:1] == BELOW and wanted in keys.wide):
        return HEADER_FROM
    if part is not HEADER_FROM and not by_name and wanted in envelope:
        return ENVELOPE_FROM
    return _SENDER if case.header_known else Unmet.HEADER_UNKNOWN
