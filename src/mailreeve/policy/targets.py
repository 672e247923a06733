"""Whom does a policy name, on either side, and how narrowly?

The nine target types are those of the blocked sender pages (behaviour.md section 2.2). The rank is
ours where the sources leave it open: D-01 places free-mail domains and display names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class TargetType(StrEnum):
    """The `type` of a policy target, spelled as on the wire."""

    EVERYONE = "everyone"
    INTERNAL_ADDRESSES = "internal_addresses"
    EXTERNAL_ADDRESSES = "external_addresses"
    FREE_MAIL_DOMAINS = "free_mail_domains"
    EMAIL_DOMAIN = "email_domain"
    PROFILE_GROUP = "profile_group"
    ADDRESS_ATTRIBUTE_VALUE = "address_attribute_value"
    INDIVIDUAL_EMAIL_ADDRESS = "individual_email_address"
    HEADER_DISPLAY_NAME = "header_display_name"


RANK: Final[dict[TargetType, int]] = {
    TargetType.EVERYONE: 1,
    TargetType.INTERNAL_ADDRESSES: 2,
    TargetType.EXTERNAL_ADDRESSES: 3,
    TargetType.FREE_MAIL_DOMAINS: 4,
    TargetType.EMAIL_DOMAIN: 5,
    TargetType.PROFILE_GROUP: 6,
    TargetType.ADDRESS_ATTRIBUTE_VALUE: 7,
    TargetType.INDIVIDUAL_EMAIL_ADDRESS: 8,
    TargetType.HEADER_DISPLAY_NAME: 8,
}
"""How narrow a target is: the higher, the narrower (behaviour.md section 2.2)."""


class Target(Struct, frozen=True, gc=False):
    """One side of a scope. `value` is already canonical and empty for the types that need none:

    - `email_domain`: a canonical `Domain`
    - `individual_email_address`: the `key` of an `Address`
    - `profile_group`: the group's id in the store
    - `header_display_name`: the name as `fold_display_name` gives it
    - `address_attribute_value`: the wanted value, case-folded (D-41); `attribute` is the attribute's id
    """

    type: TargetType
    value: str = ""
    attribute: str = ""

    @property
    def rank(self) -> int:
        """How narrow this target is, from `RANK`."""
        return RANK[self.type]


EVERYONE: Final = Target(TargetType.EVERYONE)
INTERNAL: Final = Target(TargetType.INTERNAL_ADDRESSES)
EXTERNAL: Final = Target(TargetType.EXTERNAL_ADDRESSES)


def fold_display_name(text: str) -> str:
    """The form display names are compared in: white space folded, no case (behaviour.md D-42).

    The caller decodes MIME encoded words first.
    """
    return " ".join(text.split()).casefold()
