"""What do decisions see of an account's directory? Domains, users, groups and free mail, joined into one value."""

from __future__ import annotations

from mailreeve.families.domains import rows as domains
from mailreeve.families.domains.types import InboundType
from mailreeve.families.groups import rows as groups
from mailreeve.families.users import attributes
from mailreeve.families.users import rows as users
from mailreeve.policy.facts import Directory, User
from mailreeve.policy.free_mail import FREE_MAIL_DOMAINS, FREE_MAIL_VERSION
from mailreeve.store.transactions import Work


def load(work: Work) -> Directory:
    """The account's directory as it is in this transaction: one query for each table, however large it is."""
    managed = domains.every(work)
    every_group = groups.every_group(work)
    return Directory(
        internal_domains=frozenset(row.name for row in managed),
        known_only=frozenset(row.name for row in managed if row.inbound_type is InboundType.KNOWN),
        users=_users(work),
        groups=groups.memberships(work),
        parents=groups.parents(every_group),
        group_names={row.id: row.name for row in every_group},
        free_mail=FREE_MAIL_DOMAINS,
        free_mail_version=FREE_MAIL_VERSION,
    )


def _users(work: Work) -> dict[str, User]:
    """From each address's key to its user. One user is one value, under however many addresses."""
    values = attributes.matched_values(work)
    by_id: dict[str, User] = {}
    found: dict[str, User] = {}
    for key, primary, user_id in users.identities(work):
        seen = by_id.get(user_id)
        if seen is None:
            seen = by_id[user_id] = User(primary, values.get(user_id, {}))
        found[key] = seen
    return found
