"""What does the recipient's own list say about the sender? Managed senders, behaviour.md section 4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from mailreeve.policy.addresses import Address, NullSender, without_tag
from mailreeve.policy.facts import MessageFacts
from mailreeve.policy.identities import Identities
from mailreeve.policy.policies import FromPart, ManagedAction, ManagedSender

UNAUTHENTICATED: Final = "a permit of an inside sender counts only if the message authenticates"

HitOrder = tuple[int, int, int]


class EntryKind(Struct, frozen=True, gc=False):
    """What matters of an entry for a decision, apart from whom it names."""

    is_address: bool
    action: ManagedAction


class Hit(Struct, frozen=True, gc=False):
    """An entry that names the sender, as found by the envelope or by the header."""

    entry: ManagedSender
    part: FromPart

    @property
    def kind(self) -> EntryKind:
        """An address or a domain, permitted or blocked."""
        return kind_of(self.entry)

    @property
    def order(self) -> HitOrder:
        """The sort key of the hit, the highest wins, see `hit_order`."""
        return hit_order(self.kind, self.part)


def kind_of(entry: ManagedSender) -> EntryKind:
    """An address or a domain, permitted or blocked."""
    return EntryKind("@" in entry.sender, entry.action)


def entry_description(entry: ManagedSender) -> str:
    """How a record or a trace names the entry, which has no description of its own."""
    return f"personal {entry.action.value} of {entry.sender} by {entry.recipient}"


def hit_order(kind: EntryKind, part: FromPart) -> HitOrder:
    """Which hit wins when envelope and header name different entries; the sources leave that open.

    An address beats a domain, as within one list (behaviour.md section 4.2). Of two equally narrow
    ones a block beats a permit: a sender who shows two faces, one of them unwanted, stays out. Of
    two equal ones the envelope counts, since it is known first and gives the earlier refusal.
    """
    return (
        1 if kind.is_address else 0,
        1 if kind.action is ManagedAction.BLOCK else 0,
        1 if part is FromPart.ENVELOPE_FROM else 0,
    )


class PersonalList(Struct, frozen=True, gc=False):
    """One recipient's entries by sender, and the kinds that occur among them."""

    entries: Mapping[str, ManagedSender]
    kinds: frozenset[EntryKind]

    def naming(self, sender: Address) -> Iterator[ManagedSender]:
        """The entries that name this address or its domain. Domains match exactly (D-04, D-18)."""
        for key in (sender.key, sender.domain):
            entry = self.entries.get(key)
            if entry is not None:
                yield entry


_NOTHING: Final = PersonalList({}, frozenset())


class PersonalLists:
    """All personal lists of an account, by recipient. Immutable for its readers."""

    def __init__(self, entries: Iterable[ManagedSender] = ()) -> None:
        by_recipient: dict[str, dict[str, ManagedSender]] = {}
        for entry in entries:
            by_recipient.setdefault(entry.recipient, {})[entry.sender] = entry
        kinds: dict[frozenset[EntryKind], frozenset[EntryKind]] = {}
        self._lists: dict[str, PersonalList] = {}
        for recipient, theirs in by_recipient.items():
            held = frozenset(kind_of(entry) for entry in theirs.values())
            self._lists[recipient] = PersonalList(theirs, kinds.setdefault(held, held))

    def __bool__(self) -> bool:
        return bool(self._lists)

    def of(self, recipient: str) -> PersonalList:
        """The list kept under this key, an empty one if there is none."""
        return self._lists.get(recipient, _NOTHING)

    def entries(self) -> Iterator[ManagedSender]:
        """The entries of all lists."""
        for theirs in self._lists.values():
            yield from theirs.entries.values()


class PersonalView(Struct, frozen=True, gc=False):
    """One recipient's list, held against one message.

    `hits` are the entries that name a sender, the best first; `ignored` those that would, were the
    message authenticated (behaviour.md section 4.4).
    """

    key: str
    list: PersonalList
    hits: tuple[Hit, ...]
    ignored: tuple[Hit, ...]
    header_known: bool

    @property
    def winner(self) -> Hit | None:
        """The entry that decides, if any."""
        return self.hits[0] if self.hits else None

    def possible(self) -> set[tuple[EntryKind, FromPart] | None]:
        """Every kind of winner that the list could have once the header is known; None for no winner.

        The header may name any entry of the list. That covers the permits that are ignored so far: one
        that comes to life because the message authenticates has the effect of one met in the header.
        """
        winner = self.winner
        outcomes = {None if winner is None else (winner.kind, winner.part)}
        if not self.header_known:
            threshold = (-1, -1, -1) if winner is None else winner.order
            outcomes |= {
                (kind, FromPart.HEADER_FROM)
                for kind in self.list.kinds
                if hit_order(kind, FromPart.HEADER_FROM) > threshold
            }
        return outcomes


def list_key(identities: Identities, recipient: Address) -> str:
    """Whose list mail to this address obeys: the user's, by primary address; else the bare address's.

    Aliases lead to the user and the recipient's `+tag` is ignored (behaviour.md D-18).
    """
    user = identities.user(recipient)
    return without_tag(recipient).key if user is None else user.primary


def personal_view(
    lists: PersonalLists, identities: Identities, facts: MessageFacts, effective: Address
) -> PersonalView:
    """The list of the effective recipient (D-46), looked through for every sender address known."""
    header_known = facts.header_from is not None
    key = list_key(identities, effective)
    theirs = lists.of(key)
    hits: list[Hit] = []
    ignored: list[Hit] = []
    if theirs.entries:
        # What vouches for the header's domain cannot be known before the header is.
        authenticated = header_known and facts.authenticated is True
        own = (key, effective.key, facts.recipient.key)
        for sender, part in _senders(facts):
            for entry in theirs.naming(sender):
                counts = (
                    authenticated
                    or entry.action is ManagedAction.BLOCK
                    or not _is_inside(entry.sender, own, identities)
                )
                (hits if counts else ignored).append(Hit(entry, part))
        hits.sort(key=lambda hit: hit.order, reverse=True)
    return PersonalView(key, theirs, tuple(hits), tuple(ignored), header_known)


def _senders(facts: MessageFacts) -> Iterator[tuple[Address, FromPart]]:
    if not isinstance(facts.sender, NullSender):
        yield facts.sender, FromPart.ENVELOPE_FROM
    for author in facts.header_from or ():
        if author.address is not None:
            yield author.address, FromPart.HEADER_FROM


def _is_inside(sender: str, own: tuple[str, ...], identities: Identities) -> bool:
    """Whether an entry names the recipient or an internal domain, which anybody can claim to be."""
    domain = sender.rpartition("@")[2]
    return sender in own or domain in identities.directory.internal_domains
