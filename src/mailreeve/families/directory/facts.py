"""What do decisions see of an account's directory? Domains, users, groups and free mail, joined into one value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.domains.types import InboundType
from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.directory.users import attributes
from mailreeve.families.directory.users import rows as users
from mailreeve.families.directory.users.operations import ADDRESS
from mailreeve.formats.addresses import Domain
from mailreeve.formats.free_mail import FREE_MAIL_DOMAINS, FREE_MAIL_VERSION
from mailreeve.policy.model.facts import Directory, DirectoryChanges, GroupPlace, User
from mailreeve.store.changes import Name
from mailreeve.store.transactions import Work
from mailreeve.wire.tokens import Kind


def load(work: Work) -> Directory:
    """The account's directory as it is in this transaction: one query for each table, however large it is."""
    internal_domains, known_only = _domains(work)
    every_group = groups.every_group(work)
    memberships = groups.memberships(work)
    return Directory(
        internal_domains=internal_domains,
        known_only=known_only,
        users=_users(work),
        groups=memberships.held,
        ends=memberships.ends,
        parents=groups.parents(every_group),
        group_names={row.id: row.name for row in every_group},
        free_mail=FREE_MAIL_DOMAINS,
        free_mail_version=FREE_MAIL_VERSION,
    )


def load_some(work: Work, names: Collection[Name]) -> DirectoryChanges:
    """What has become of these objects: a user with all addresses and attributes, an address, all memberships of
    an address or domain, a group. Of the domains, which are few, all are read. An attribute's type is nothing that
    decisions see."""
    keys: dict[str, set[str]] = {}
    for name in names:
        keys.setdefault(name.kind, set()).add(name.key)

    def of(kind: str) -> list[str]:
        return sorted(keys.get(kind, ()))

    addresses, members, group_ids = of(ADDRESS), of(Kind.GROUP_MEMBER), of(Kind.GROUP)
    internal_domains, known_only = _domains(work) if keys.get(Kind.DOMAIN) else (None, None)
    changed_users = {*of(Kind.USER), *users.owners(work, addresses).values()}
    memberships = groups.memberships(work, members)
    places = {row.id: GroupPlace(row.name, row.parent_id) for row in groups.some_groups(work, group_ids)}
    return DirectoryChanges(
        internal_domains=internal_domains,
        known_only=known_only,
        users=dict[str, User | None].fromkeys(addresses) | _users(work, sorted(changed_users)),
        members=dict[str, tuple[str, ...]].fromkeys(members, ()) | dict(memberships.held),
        ends=memberships.ends,
        groups=dict[str, GroupPlace | None].fromkeys(group_ids) | places,
    )


def _domains(work: Work) -> tuple[frozenset[Domain], frozenset[Domain]]:
    """All domains, and those of them that accept mail for known recipients only."""
    managed = domains.load(work)
    return (
        frozenset(name for name, _ in managed),
        frozenset(name for name, type_ in managed if type_ is InboundType.KNOWN),
    )


def _users(work: Work, wanted: Sequence[str] | None = None) -> dict[str, User]:
    """From each address's key to its user, of these or of all. One user is one value, under all its addresses."""
    values = attributes.matched_values(work, wanted)
    by_id: dict[str, User] = {}
    found: dict[str, User] = {}
    for key, primary, user_id, formerly in users.identities(work, wanted):
        seen = by_id.get(user_id)
        if seen is None:
            former = () if formerly == _NEVER_RENAMED else _former(formerly)
            seen = by_id[user_id] = User(primary, values.get(user_id, {}), former, user_id)
        found[key] = seen
    return found


def _former(text: str) -> tuple[str, ...]:
    """The keys of former addresses, the newest last. They explain, and decide nothing: none where they cannot be
    read."""
    try:
        return tuple(former.key for former in _read_formerly(text).addresses)
    except msgspec.DecodeError:
        return ()


_NEVER_RENAMED: Final = "{}"
_read_formerly: Final = msgspec.json.Decoder(users.Formerly).decode
