"""Which account do the benchmarks of the engine ask? A made-up one of any size, the same for the same numbers.

The mix is that of an organisation whose security tools block senders by API: mostly single addresses and domains,
for everybody inside or for one person or group, a few policies that are wide, dated, bound to a network, turned
both ways, switched off, or that look at the header.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import inf

from msgspec import Struct

from mailreeve.formats.addresses import Address, Domain, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.networks import parse_ip, parse_network
from mailreeve.policy.model.facts import Directory, MessageFacts, User, WebFacts
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
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
)
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import EVERYONE, EXTERNAL, INTERNAL, Target, TargetType

NOW = 1_800_000_000.0
RELAY = (parse_network("127.0.0.0/8"),)
FREE_MAIL = frozenset(f"free{number}.example" for number in range(50))
T = TargetType


class Size(Struct, frozen=True):
    """How large an account is."""

    policies: int = 1_000_000
    personal: int = 100_000
    web: int = 25_000
    users: int = 20_000
    groups: int = 2_000
    memberships: int = 8
    definitions: int = 1_000

    def with_policies(self, policies: int) -> Size:
        """The same account with another number of blocked sender policies."""
        return Size(policies, *(getattr(self, name) for name in self.__struct_fields__[1:]))


def key_of(number: int) -> str:
    """A key as the store makes them: 32 hexadecimal digits, ordered."""
    return f"019a{number:08x}7000{number * 2_654_435_761 % 2**64:016x}"


def user_address(number: int) -> str:
    """The primary address of a user."""
    return f"user{number}@corp{number % 4}.example"


def domain_of(number: int) -> str:
    """A domain outside."""
    return f"{('mail', 'news', 'shop', 'send')[number % 4]}{number}.{('test', 'invalid')[number // 4 % 2]}"


def directory(size: Size) -> Directory:
    """Users with attributes, in groups of three levels: of ten groups one is at the top and two are between."""
    chance = random.Random(1)
    groups = [key_of(10_000_000 + number) for number in range(size.groups)]
    tops, middles = max(1, size.groups // 10), max(1, size.groups // 5)
    parents = {}
    for number in range(tops, size.groups):
        above = chance.randrange(tops) if number < tops + middles else tops + chance.randrange(middles)
        parents[groups[number]] = groups[min(above, number - 1)]
    users, members = {}, {}
    for number in range(size.users):
        address = user_address(number)
        attributes = {key_of(20_000_000): f"department {number % 40}"} if number % 2 else {}
        users[address] = User(address, attributes)
        if number % 10 == 0:
            users[f"alias{number}@corp0.example"] = users[address]
        members[address] = tuple(chance.sample(groups, min(size.memberships, size.groups)))
    return Directory(
        internal_domains=frozenset(Domain(f"corp{number}.example") for number in range(4)),
        known_only=frozenset({Domain("corp3.example")}),
        users=users,
        groups=members,
        parents=parents,
        group_names={group: f"Group {number}" for number, group in enumerate(groups)},
        free_mail=FREE_MAIL,
        free_mail_version="bench",
    )


def sender_target(size: Size, number: int, chance: random.Random) -> Target:
    """Whom policy `number` is about."""
    kind = chance.random()
    if kind < 0.70:
        return Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, f"sender{number}@{domain_of(number % 100_000)}")
    if kind < 0.95:
        return Target.of(T.EMAIL_DOMAIN, domain_of(number))
    if kind < 0.97:
        return Target.of(T.HEADER_DISPLAY_NAME, f"name {number}")
    if kind < 0.99:
        return Target.of(T.PROFILE_GROUP, key_of(10_000_000 + chance.randrange(size.groups)))
    if kind < 0.998:
        return Target.of(T.ADDRESS_ATTRIBUTE_VALUE, f"department {number % 40}", key_of(20_000_000))
    return chance.choice((EXTERNAL, EXTERNAL, INTERNAL, Target.of(T.FREE_MAIL_DOMAINS)))


def recipient_target(size: Size, sender: Target, chance: random.Random) -> Target:
    """For whom. A wide sender is never for everybody, or one policy would decide all mail; policies about groups
    and departments inside are about whom they may write to."""
    if sender.type in (T.PROFILE_GROUP, T.ADDRESS_ATTRIBUTE_VALUE):
        return Target.of(T.EMAIL_DOMAIN, domain_of(chance.randrange(max(size.policies, 1_000))))
    wide = sender.type in (T.EXTERNAL_ADDRESSES, T.INTERNAL_ADDRESSES, T.FREE_MAIL_DOMAINS)
    kind = chance.random()
    if wide or kind < 0.25:
        return Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, user_address(chance.randrange(size.users)))
    if kind < 0.40:
        return Target.of(T.PROFILE_GROUP, key_of(10_000_000 + chance.randrange(size.groups)))
    return INTERNAL if kind < 0.8 else EVERYONE


def scope(size: Size, number: int, chance: random.Random) -> Scope:
    """The scope of policy `number`."""
    sender = sender_target(size, number, chance)
    kind, part = chance.random(), chance.random()
    dated = kind < 0.05
    return Scope.of(
        from_=sender,
        to=recipient_target(size, sender, chance),
        from_part=FromPart.ENVELOPE_FROM if part < 0.8 else FromPart.BOTH if part < 0.95 else FromPart.HEADER_FROM,
        networks=(parse_network(f"198.51.{number % 256}.0/24"),) if 0.05 < kind < 0.06 else (),
        starts=NOW - 1e6 if dated else -inf,
        ends=NOW + chance.choice((-1e5, 1e6)) if dated else inf,
        override=0.06 < kind < 0.061,
        bidirectional=0.07 < kind < 0.10,
        enabled=not 0.10 < kind < 0.12,
    )


def blocked(size: Size) -> Iterator[BlockedSenderPolicy]:
    """The blocked sender policies, one in twenty an exemption; the first is the account's relay guard."""
    chance = random.Random(2)
    yield BlockedSenderPolicy(
        key_of(0), "no open relay", Scope(EXTERNAL, EXTERNAL), BlockedOption.BLOCK_SENDER, 1.0, True
    )
    for number in range(1, size.policies):
        option = BlockedOption.NO_ACTION if chance.random() < 0.05 else BlockedOption.BLOCK_SENDER
        yield BlockedSenderPolicy(
            key_of(number),
            f"Blocked by ticket {number}",
            scope(size, number, chance),
            option,
            1.7e9 + number / 8,
        )


def permitted(size: Size) -> Iterator[PermittedSenderPolicy]:
    """A tenth of a thousandth as many permitted sender policies, at least a hundred."""
    for number in range(max(100, size.policies // 10_000)):
        target = Target.of(T.EMAIL_DOMAIN, f"partner{number}.test")
        yield PermittedSenderPolicy(key_of(30_000_000 + number), "partner", Scope(target, INTERNAL), 1.7e9)


def managed(size: Size) -> Iterator[ManagedSender]:
    """The personal entries, spread over the users."""
    for number in range(size.personal):
        sender = f"friend{number}@{domain_of(number)}" if number % 3 else domain_of(number + 200_000)
        action = ManagedAction.PERMIT if number % 2 else ManagedAction.BLOCK
        yield ManagedSender(key_of(40_000_000 + number), user_address(number % size.users), sender, action)


def alteration(size: Size) -> Iterator[AlterationPolicy]:
    """Twenty policies that put twenty sets to work for single users."""
    for number in range(20):
        target = Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, user_address(number))
        yield AlterationPolicy(key_of(50_000_000 + number), "set", Scope(EVERYONE, target), f"S{number}", 1.7e9)


def definitions(size: Size) -> Iterator[Definition]:
    """Definitions in the root and in the sets."""
    for number in range(size.definitions):
        original = AddressPattern(f"old{number}", "corp0.example")
        set_id = f"S{number % 20}" if number % 2 else ""
        new = AddressPattern(f"user{number}", f"corp{number % 4}.example")
        yield Definition(key_of(60_000_000 + number), set_id, AddressType.ALL, original, new, Routing.ALL)


def web(size: Size) -> Iterator[WebPolicy]:
    """Lists of at most 5,000 entries: for everyone, for groups, for users."""
    chance = random.Random(3)
    made = 0
    while made < size.web:
        count = min(chance.choice((50, 500, 5_000)), size.web - made)
        entries = []
        for number in range(made, made + count):
            if number % 4:
                kind, value = WebEntryType.DOMAIN, domain_of(number)
            else:
                kind, value = WebEntryType.URL, f"{domain_of(number // 40)}/a{number}/b"
            action = WebAction.ALLOW if number % 7 == 0 else WebAction.BLOCK
            entries.append(WebEntry(key_of(70_000_000 + number), kind, value, action))
        whom = chance.choice(
            (
                EVERYONE,
                Target.of(T.PROFILE_GROUP, key_of(10_000_000 + chance.randrange(size.groups))),
                Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, user_address(chance.randrange(size.users))),
            )
        )
        yield WebPolicy(key_of(80_000_000 + made), "list", (Scope(whom),), tuple(entries), 1.7e9)
        made += count


def parts(size: Size) -> dict[str, object]:
    """All that `PolicySet.build` takes, but for the directory."""
    return {
        "scoped": {
            PolicyType.BLOCKED_SENDERS: blocked(size),
            PolicyType.PERMITTED_SENDERS: permitted(size),
            PolicyType.ADDRESS_ALTERATION: alteration(size),
        },
        "managed": managed(size),
        "definitions": definitions(size),
        "web": web(size),
    }


def questions(size: Size, count: int, *, header: bool = True) -> list[MessageFacts]:
    """Messages: half from senders that some policy is about, some turned outward, some from inside."""
    chance = random.Random(4)
    source = parse_ip("198.51.100.7")
    inside = parse_ip("127.0.0.1")
    asked = []
    for _ in range(count):
        number = chance.randrange(1, size.policies)
        kind = chance.random()
        ip = source
        recipient = parse_address(user_address(chance.randrange(size.users)))
        if kind < 0.4:
            sender = parse_address(f"sender{number}@{domain_of(number % 100_000)}")
        elif kind < 0.5:
            sender = parse_address(f"anybody@{domain_of(number)}")
        elif kind < 0.85:
            sender = parse_address(f"stranger{number}@unknown{number % 5_000}.test")
        elif kind < 0.95:
            sender, ip = parse_address(user_address(number % size.users)), inside
        else:
            sender, ip = parse_address(user_address(number % size.users)), inside
            recipient = parse_address(f"out{number}@{domain_of(number)}")
        authors = None
        if header:
            other = chance.random() < 0.1
            author: Address = parse_address(f"author{number}@{domain_of(number + 7)}") if other else sender
            authors = (HeaderFrom(author, f"name {number}" if chance.random() < 0.3 else ""),)
        asked.append(MessageFacts(sender, recipient, NOW, authors, ip))
    return asked


def requests(size: Size, count: int) -> list[WebFacts]:
    """Web requests: a third for listed domains, a third for pages on hosts with listed URLs, a third unknown."""
    chance = random.Random(5)
    asked = []
    for number in range(count):
        listed = chance.randrange(size.web)
        if number % 3 == 0:
            url = f"https://www.{domain_of(listed)}/index.html?id={number}"
        elif number % 3 == 1:
            url = f"https://{domain_of(listed // 40)}/a{listed // 4 * 4}/b/page{number}"
        else:
            url = f"https://static.cdn{number}.example.org/lib/{number}/app.js?v=3#top"
        asked.append(WebFacts(url, NOW, parse_address(user_address(chance.randrange(size.users)))))
    return asked
