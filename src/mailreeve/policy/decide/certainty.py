"""Is there a From header with which this message would be delivered (behaviour.md D-07)?

Asked at RCPT, where the quick answer of `contest` is that a header could matter. A header has any number of
authors, but only a few of them can matter: one who brings an exemption from blocks, one who brings a permit, one
who chooses another set of definitions. An author who meets a target has the keys of that target and perhaps
more, and more keys meet more policies. So it is enough to try, for each target that could help, the authors who
have no more keys than they must: somebody at a domain whom nobody knows, the member of a group itself, a name
without an address. Each header made of them is decided by the rules; one that is delivered is the proof that the
decision has to wait, and if none is, every header leads to a refusal.

Where there are too many to try, or they cannot be listed, the answer is "perhaps", and the decision waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, product
from typing import Final

from mailreeve.formats.addresses import Address, Domain, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.decide.contest import Contest
from mailreeve.policy.index.matching import P, out_of_force
from mailreeve.policy.index.personal import PersonalList
from mailreeve.policy.index.ranked import Reversed, policy_of
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import (
    EXEMPTS,
    AlterationPolicy,
    BlockedSenderPolicy,
    Effect,
    ManagedAction,
    PermittedSenderPolicy,
)
from mailreeve.policy.model.targets import BELOW, Target, TargetType, is_around

Header = tuple[HeaderFrom, ...]

MOST_POLICIES: Final = 32
"""So many policies of one type, or entries of a list, are looked at; with more the answer is "perhaps"."""

MOST_HEADERS: Final = 128
"""So many headers are tried. Each costs a decision."""

MOST_MEMBERS: Final = 2_000
"""So many members of all groups, or users, are looked through for those who meet a target."""

_NOBODY: Final = HeaderFrom(None)
_UNKNOWN_LOCAL: Final = "nobody.has.this.address"
_UNKNOWN_LABEL: Final = "nobody-has-this-domain"


class _TooManyError(Exception):
    """What could help cannot be listed, or is too much to be tried."""


def could_be_delivered(
    identities: Identities,
    blocked: Contest[BlockedSenderPolicy],
    permitted: Contest[PermittedSenderPolicy],
    alteration: Contest[AlterationPolicy],
    lists: Iterable[PersonalList],
    delivers: Callable[[Header], bool],
) -> bool:
    """Whether some header leads to a delivery. `lists` are the personal lists that could have a say, `delivers`
    decides with a header."""
    authors = _Authors(identities)
    try:
        # Most often one author is enough.
        for header in islice(authors.of_policies(blocked, _exempts), 1, 4):
            if delivers(header):
                return True
        exempting = [*authors.of_policies(blocked, _exempts)]
        turning = [*authors.of_turned(blocked, _refuses)]
        permitting = [*authors.of_policies(permitted, _any), *authors.of_entries(lists, permitted.case.at)]
        choosing = [*authors.of_policies(alteration, _any)]
        turning += authors.of_turned(alteration, _any)
        tried = 0
        for chosen in product(permitting, exempting, choosing, *turning):
            together = tuple(dict.fromkeys(chain.from_iterable(chosen)))
            for header in (together,) if together else authors.least():
                tried += 1
                if tried > MOST_HEADERS:
                    return True
                if delivers(header):
                    return True
    except _TooManyError:
        return True
    return False


class _Authors:
    """Authors who meet targets, and as little else as they must."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def least(self) -> Iterator[Header]:
        """Headers such that the keys of any other include those of one of these."""
        yield ()
        for domain in self._identities.directory.internal_domains:
            yield (_somebody_at(domain),)

    def of_policies(self, contested: Contest[P], wanted: Callable[[Effect], bool]) -> Iterator[Header]:
        """Nobody; and authors by whom such policies, by their effects, would apply to the recipient."""
        yield ()
        targets: set[Target] = set()
        for policy, is_reversed in _readers(contested, wanted):
            target = policy.scope.to if is_reversed else policy.scope.from_
            if target not in targets:
                targets.add(target)
                if len(targets) > MOST_POLICIES:
                    raise _TooManyError
                yield from self._meeting(target)

    def of_turned(self, contested: Contest[P], wanted: Callable[[Effect], bool]) -> Iterator[list[Header]]:
        """For each such policy that could apply both ways: nobody; and authors by whom it applies as written. That
        is then its place, and often a lower one (D-09)."""
        keys = contested.case.recipient
        for policy, is_reversed in _readers(contested, wanted):
            scope = policy.scope
            if not is_reversed and scope.terms.bidirectional and scope.from_.key in keys:
                yield [(), *self._meeting(scope.from_)]

    def of_entries(self, lists: Iterable[PersonalList], at: float) -> Iterator[Header]:
        """Authors whom the lists permit at this time. Automatic permits are none: no block is beaten by one."""
        number = 0
        for entry in chain.from_iterable(theirs.entries.values() for theirs in lists):
            if entry.action is ManagedAction.PERMIT and not entry.is_auto and at < entry.ends:
                number += 1
                if number > MOST_POLICIES:
                    raise _TooManyError
                named = entry.sender
                if "@" in named:
                    yield (HeaderFrom(parse_address(named)),)
                else:
                    yield from self._at(named)

    def _meeting(self, target: Target) -> list[Header]:
        """Authors who meet the target, such that any other who does has all the keys of one of them."""
        if not self._identities.can_match(target):
            return []
        found = [*islice(self._who_meets(target), MOST_HEADERS + 1)]
        # What cannot be listed here may be met all the same.
        if not found or not all(target.key in self._identities.author_keys(header) for header in found if header):
            raise _TooManyError
        return found

    def _who_meets(self, target: Target) -> Iterator[Header]:
        directory, value = self._identities.directory, target.value
        match target.type:
            case TargetType.EVERYONE:
                yield ()  # who is an author for another reason
            case TargetType.EXTERNAL_ADDRESSES:
                yield (_NOBODY,)
            case TargetType.INTERNAL_ADDRESSES:
                yield from ((_somebody_at(domain),) for domain in directory.internal_domains)
            case TargetType.FREE_MAIL_DOMAINS:
                yield from ((_somebody_at(Domain(domain)),) for domain in directory.free_mail)
            case TargetType.EMAIL_DOMAIN:
                yield from self._at(value)
            case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
                yield (HeaderFrom(parse_address(value)),)
            case TargetType.HEADER_DISPLAY_NAME:
                yield (HeaderFrom(None, value),)
                yield from (
                    (HeaderFrom(_somebody_at(domain).address, value),) for domain in directory.internal_domains
                )
            case TargetType.PROFILE_GROUP | TargetType.ADDRESS_ATTRIBUTE_VALUE:
                yield from self._listed_meeting(target.key)

    def _at(self, domain: str) -> Iterator[Header]:
        """Somebody at a domain. Of one with everything below it, at a domain that nobody names, or at one of the
        account, whose people are no strangers."""
        if domain[:1] != BELOW:
            yield (_somebody_at(Domain(domain)),)
            return
        yield (_somebody_at(Domain(_UNKNOWN_LABEL + domain)),)
        for own in self._identities.directory.internal_domains:
            if is_around(domain, own):
                yield (_somebody_at(own),)

    def _listed_meeting(self, key: str) -> Iterator[Header]:
        """Of the addresses and domains that the directory knows those that have this key."""
        directory = self._identities.directory
        if len(directory.groups) + len(directory.users) > MOST_MEMBERS:
            raise _TooManyError
        known = dict.fromkeys(chain(directory.groups, directory.users))
        for user in directory.users.values():
            known[user.primary] = None
        for name in known:
            for header in ((HeaderFrom(parse_address(name)),),) if "@" in name else self._at(name):
                if key in self._identities.author_keys(header):
                    yield header


def _readers(contested: Contest[P], wanted: Callable[[Effect], bool]) -> Iterator[tuple[P, bool]]:
    """The policies of the wanted effects that look at the header and could apply to the recipient now, and whether
    turned round. There may be thousands of blocks beside a few exemptions."""
    index, case = contested.index, contested.case
    if not index.reads_header:
        return
    for _, row in index.header_readers(case.recipient, wanted):
        for entry in row if isinstance(row, tuple) else row.in_force(case.at, case.source_ip):
            policy = policy_of(entry)
            if out_of_force(policy.scope.terms, case.at, case.source_ip) is None:
                yield policy, type(entry) is Reversed


def _exempts(effect: Effect) -> bool:
    return effect == EXEMPTS


def _refuses(effect: Effect) -> bool:
    return effect != EXEMPTS


def _any(_: Effect) -> bool:
    return True


def _somebody_at(domain: Domain) -> HeaderFrom:
    """Somebody at the domain who is in no directory."""
    return HeaderFrom(Address(_UNKNOWN_LOCAL, domain, f"{_UNKNOWN_LOCAL}@{domain}"))
