"""What does the recipient's own list say about the sender? Managed senders, behaviour.md section 4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, ValuesView
from datetime import UTC, datetime
from math import inf
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, Sender
from mailreeve.policy.index.buckets import count_wide
from mailreeve.policy.index.matching import ENVELOPE_FROM, HEADER_FROM
from mailreeve.policy.index.vouching import permit_counts
from mailreeve.policy.model.authentication import UNJUDGED, AuthenticationRules
from mailreeve.policy.model.facts import MessageFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.keys import Keys
from mailreeve.policy.model.persistent_map import Sharded
from mailreeve.policy.model.policies import Changes, FromPart, ManagedAction, ManagedSender
from mailreeve.policy.model.targets import BELOW, MOST_LABELS

HitOrder = tuple[float, int, int]


class EntryKind(Struct, frozen=True, gc=False):
    """What matters of an entry for a decision, apart from whom it names.

    `narrowness` is 1 for an address and 0 for a domain; below that, a domain with everything below it comes the
    higher the more labels it has. An automatic permit has -1, below all that somebody said (D-15).
    """

    narrowness: float
    action: ManagedAction

    @property
    def is_address(self) -> bool:
        """Whether it names an address rather than a domain."""
        return self.narrowness == 1

    @property
    def is_auto(self) -> bool:
        """Whether it came by itself."""
        return self.narrowness == -1


class Hit(Struct, frozen=True, gc=False):
    """An entry that names the sender, as found by the envelope or by the header."""

    entry: ManagedSender
    part: FromPart

    @property
    def kind(self) -> EntryKind:
        """How narrow, permitted or blocked."""
        return kind_of(self.entry)

    @property
    def order(self) -> HitOrder:
        """The sort key of the hit, the highest wins, see `hit_order`."""
        return hit_order(self.kind, self.part)


_LOWEST: Final[HitOrder] = (-1.0, -1, -1)
_BLOCK: Final = ManagedAction.BLOCK
_KINDS: Final = {
    (is_address, action): EntryKind(1 if is_address else 0, action)
    for is_address in (False, True)
    for action in ManagedAction
}
_WIDE_KINDS: Final = {
    (labels, action): EntryKind(labels / 100 - 1, action)
    for labels in range(1, MOST_LABELS + 1)
    for action in ManagedAction
}
_AUTO: Final = EntryKind(-1, ManagedAction.PERMIT)


def kind_of(entry: ManagedSender) -> EntryKind:
    """An address, a domain, or one with everything below it, permitted or blocked; or an automatic permit."""
    sender = entry.sender
    if entry.is_auto:
        return _AUTO
    if sender[0] == BELOW and "@" not in sender:
        return _WIDE_KINDS[min(sender.count(BELOW), MOST_LABELS), entry.action]
    return _KINDS["@" in sender, entry.action]


def entry_description(entry: ManagedSender) -> str:
    """How a record or a trace names the entry, which has no description of its own."""
    until = "" if entry.ends == inf else f" until {_written(entry.ends)}"
    what = "auto allow" if entry.is_auto else f"personal {entry.action.value}"
    return f"{what} of {entry.sender} by {entry.recipient}{until}"


def _written(at: float) -> str:
    """A time in POSIX seconds, to the minute, or to the second where that matters."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment.second else f"{moment:%Y-%m-%d %H:%M} UTC"


def hit_order(kind: EntryKind, part: FromPart) -> HitOrder:
    """Which hit wins when envelope and header name different entries; the sources leave that open.

    An address beats a domain, as within one list (behaviour.md section 4.2), and a domain beats one with all below
    it, of which the longer comes first. Of two equally narrow ones a block beats a permit: a sender who shows two
    faces, one of them unwanted, stays out. Of two equal ones the envelope counts, since it is known first and so
    gives the earlier refusal. An automatic permit comes after whatever the user said, a block of the whole domain
    among it: a stated wish beats a side effect (D-15).
    """
    return (
        kind.narrowness,
        1 if kind.action is ManagedAction.BLOCK else 0,
        1 if part is FromPart.ENVELOPE_FROM else 0,
    )


Kinds = Mapping[EntryKind, float]


class PersonalList(Struct, frozen=True, gc=False):
    """One recipient's entries by sender, and the kinds among them, each with when its last entry ends. `wide` is
    how many of them name a domain with everything below it."""

    entries: Mapping[str, ManagedSender]
    kinds: Kinds
    wide: int = 0

    def named(self, keys: Keys) -> tuple[str, ...]:
        """The keys of an address by which an entry could name it."""
        return keys.names + keys.wide if self.wide else keys.names


_NOTHING: Final = PersonalList({}, {})


class PersonalLists:
    """All personal lists of an account, by recipient. Immutable for its readers."""

    __slots__ = ("_by_id", "_lists")

    def __init__(self, entries: Iterable[ManagedSender] = ()) -> None:
        by_id: dict[str, ManagedSender] = {}
        by_recipient: dict[str, dict[str, ManagedSender]] = {}
        for entry in entries:
            by_id[entry.id] = entry
            by_recipient.setdefault(entry.recipient, {})[entry.sender] = entry
        kinds: dict[frozenset[tuple[EntryKind, float]], Kinds] = {}  # one for all lists that are alike
        lists: dict[str, PersonalList] = {}
        for recipient, theirs in by_recipient.items():
            held = _kinds(theirs)
            lists[recipient] = PersonalList(
                theirs, kinds.setdefault(frozenset(held.items()), held), count_wide(theirs)
            )
        self._by_id = Sharded(by_id)
        self._lists = Sharded(lists)

    @property
    def entries(self) -> ValuesView[ManagedSender]:
        """The entries of all lists, in no particular order."""
        return self._by_id.values()

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, key: str) -> ManagedSender | None:
        """The entry with this id, or None."""
        return self._by_id.get(key)

    def of(self, recipient: str) -> PersonalList:
        """The list kept under this key, an empty one if there is none."""
        return self._lists.get(recipient) or _NOTHING

    def changed(self, changes: Changes[ManagedSender]) -> PersonalLists:
        """The lists once these entries are as given and those others are gone. Lists of others are shared."""
        put = {entry.id: entry for entry in changes.put}
        before = [entry for key in {*put, *changes.gone} if (entry := self._by_id.get(key)) is not None]
        theirs = {entry.recipient: dict(self.of(entry.recipient).entries) for entry in (*before, *changes.put)}
        for entry in before:
            theirs[entry.recipient].pop(entry.sender, None)
        for entry in changes.put:
            theirs[entry.recipient][entry.sender] = entry
        new: PersonalLists = PersonalLists.__new__(PersonalLists)
        new._by_id = self._by_id.changed(dict[str, ManagedSender | None].fromkeys(changes.gone) | put)
        new._lists = self._lists.changed(
            {
                recipient: PersonalList(entries, _kinds(entries), count_wide(entries)) if entries else None
                for recipient, entries in theirs.items()
            }
        )
        return new


def _kinds(entries: Mapping[str, ManagedSender]) -> Kinds:
    """The kinds that occur among the entries, each with when its last entry ends. Most lists soon show that they
    have all for good, but for those of domains with everything below them: what these could do, the others can."""
    found: dict[EntryKind, float] = {}
    for_good = 0
    for entry in entries.values():
        kind = kind_of(entry)
        ends = found.get(kind, -inf)
        if entry.ends > ends:
            found[kind] = entry.ends
            if entry.ends == inf and kind.narrowness >= 0:
                for_good += 1
                if for_good == len(_KINDS):
                    break
    return found


class PersonalView(Struct, frozen=True, gc=False):
    """One recipient's list, held against one message.

    `hits` are the entries that name a sender, the best first; `ignored` those that would, were the
    message authenticated (behaviour.md section 4.4), and `over` those that did before they ended. `at` is the
    time of the message.
    """

    key: str
    list: PersonalList
    hits: tuple[Hit, ...]
    ignored: tuple[Hit, ...]
    header_known: bool
    at: float
    over: tuple[Hit, ...] = ()

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
            threshold = _LOWEST if winner is None else winner.order
            outcomes |= {
                (kind, FromPart.HEADER_FROM)
                for kind, ends in self.list.kinds.items()
                if self.at < ends and hit_order(kind, FromPart.HEADER_FROM) > threshold
            }
        return outcomes


def list_key(identities: Identities, recipient: Address) -> str:
    """Whose list mail to this address obeys: that of whom it stands for, else the bare address's.

    Aliases lead to the user and the recipient's `+tag` is ignored (behaviour.md D-18).
    """
    return identities.person(recipient)


def personal_view(
    lists: PersonalLists,
    identities: Identities,
    facts: MessageFacts,
    effective: Address,
    rules: AuthenticationRules = UNJUDGED,
) -> PersonalView:
    """The list of the effective recipient (D-46), looked through for every sender address known. What has ended by
    then does not count.

    An entry names an address or its domain. Domains match exactly (D-04, D-18). One that names a user of the
    account, or the domain of one, meets the user's aliases and tags as well (D-53). A permit counts as `rules` say
    (`vouching`).
    """
    header_known = facts.header_from is not None
    key = list_key(identities, effective)
    theirs = lists.of(key)
    entries, at = theirs.entries, facts.at
    if not entries:
        return PersonalView(key, theirs, (), (), header_known, at)
    found = _entries_about(theirs, identities, facts)
    if not found:
        return PersonalView(key, theirs, (), (), header_known, at)
    hits: list[Hit] = []
    ignored: list[Hit] = []
    over: list[Hit] = []
    own = key, effective.key, facts.recipient.key
    for entry, part, sender in found:
        if at >= entry.ends:
            over.append(Hit(entry, part))
        elif entry.action is _BLOCK:
            hits.append(Hit(entry, part))
        else:
            inside = _is_inside(entry.sender, sender, own, identities)
            if permit_counts(facts, rules, part, inside=inside):
                hits.append(Hit(entry, part))
            elif part is ENVELOPE_FROM and _is_permitted_by_header(entry, theirs, identities, facts, rules, own):
                hits.append(Hit(entry, HEADER_FROM))
            else:
                ignored.append(Hit(entry, part))
    if len(hits) > 1:
        hits.sort(key=lambda hit: hit.order, reverse=True)
    return PersonalView(key, theirs, tuple(hits), tuple(ignored), header_known, at, tuple(over))


def _is_permitted_by_header(
    entry: ManagedSender,
    theirs: PersonalList,
    identities: Identities,
    facts: MessageFacts,
    rules: AuthenticationRules,
    own: tuple[str, ...],
) -> bool:
    """Whether a permit that the envelope meets, and does not count by it, is met by an author and counts by
    that."""
    for author in facts.header_from or ():
        address = author.address
        if address is not None and entry.sender in theirs.named(identities.keys(address)):
            inside = _is_inside(entry.sender, address, own, identities)
            if permit_counts(facts, rules, HEADER_FROM, inside=inside):
                return True
    return False


def _entries_about(
    theirs: PersonalList, identities: Identities, facts: MessageFacts
) -> list[tuple[ManagedSender, FromPart, Sender]]:
    """The entries that name a sender of the message, by which part, and that sender. What the envelope meets is
    not looked for in the header: of two equal hits the envelope's counts, see `hit_order`."""
    entries, sender = theirs.entries, facts.sender
    envelope = theirs.named(identities.keys(sender))
    found = [(entries[name], ENVELOPE_FROM, sender) for name in envelope if name in entries]
    for author in facts.header_from or ():
        address = author.address
        if address is not None and address != sender:
            names = theirs.named(identities.keys(address))
            found += [
                (entries[name], HEADER_FROM, address) for name in names if name in entries and name not in envelope
            ]
            if identities.is_internal(address):
                # Of a domain with everything below it one sender may be outside and the other inside; the permit
                # counts for the former alone, which comes first.
                continue
            found += [
                (entries[name], HEADER_FROM, address)
                for name in names
                if name[0] == BELOW and name in entries and name in envelope and identities.is_internal(sender)
            ]
    return found


def _is_inside(named: str, sender: Sender, own: tuple[str, ...], identities: Identities) -> bool:
    """Whether an entry names the recipient or an internal domain, which anybody can claim to be. Of a domain with
    everything below it, whether the sender is in an internal one."""
    if named[0] == BELOW and "@" not in named:
        return identities.is_internal(sender)
    domain = named.rpartition("@")[2]
    return named in own or domain in identities.directory.internal_domains
