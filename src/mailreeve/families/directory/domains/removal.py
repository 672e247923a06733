"""How does an account give up a domain? With nobody in it, or with those who are."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mailreeve.families.directory.domains import operations, rows
from mailreeve.families.directory.domains.errors import DOMAIN_IN_USE
from mailreeve.families.directory.domains.rows import DomainRow
from mailreeve.families.directory.users import operations as users
from mailreeve.families.directory.users import removal
from mailreeve.families.directory.users import rows as user_rows
from mailreeve.families.directory.users.rows import AddressRow
from mailreeve.families.machinery.call import Call
from mailreeve.policy.model.wording import listed
from mailreeve.store.changes import Part
from mailreeve.wire.errors import refused
from mailreeve.wire.tokens import Kind

MOST_WITH: Final = 1_000
"""So many addresses may go with a domain in one call: others wait while they do."""

_NAMED: Final = 5  # addresses and policies that are told by name


class Removed(Struct, frozen=True):
    """A domain that is gone, and the users and aliases that went with it."""

    domain: DomainRow
    users: list[str]
    aliases: list[str]


def remove(call: Call, text: str, with_users: bool) -> Removed:
    """Give a domain up: mail for it is nobody's from then on, whichever process takes it.

    The system users that it came with go in any case; other users, and aliases of users elsewhere, only
    `with_users`, each as if it were removed alone. Policies, groups and definitions that name the domain stay, and
    the caller is told which. Raises `ItemRefused`.
    """
    row = operations.get(call.work, text)
    held = user_rows.of_domain(call.work, row.name, MOST_WITH + 1)
    others = [one for one in held if not _is_furniture(call, one)]
    if others and not with_users:
        more = "more than " if len(held) > MOST_WITH else ""
        names = listed([one.shown for one in others], _NAMED)
        message = (
            f"{DOMAIN_IN_USE.message}: {more}{len(others)} addresses are in it, {names}; withUsers removes them"
        )
        raise refused(DOMAIN_IN_USE, "domain", message)
    if len(held) > MOST_WITH:
        message = f"{DOMAIN_IN_USE.message}: more than {MOST_WITH} addresses are in it; remove users before"
        raise refused(DOMAIN_IN_USE, "withUsers", message)
    removed = Removed(row, [], [])
    for one in held:
        if one.alias:
            owner = user_rows.find(call.work, one.user_id)
            # The owner may have gone with the domain.
            if owner is not None and not owner.key.endswith(f"@{row.name}"):
                users.remove_alias(call, one.shown, None, "domain")
                removed.aliases.append(one.shown)
            continue
        user = user_rows.find(call.work, one.user_id)
        if user is not None:
            removal.remove_row(call, user, "domain")
            removed.users.append(one.shown)
    rows.remove(call.work, row.id)
    call.work.changed(Part.DIRECTORY, "delete", Kind.DOMAIN, row.id, before=row)
    naming = call.naming(row.name)
    if naming:
        call.warnings.append(f"{row.shown} is still named by {listed(naming, _NAMED)}")
    return removed


def _is_furniture(call: Call, one: AddressRow) -> bool:
    """Whether it is a system user that the domain came with and nobody has made anything of: without a role."""
    title = dict(operations.SYSTEM_USERS).get(one.key.partition("@")[0])
    user = user_rows.find(call.work, one.user_id) if title is not None and not one.alias else None
    return user is not None and user.role is None and user.name == title
